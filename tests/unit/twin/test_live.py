"""The twin in one process: a virtual plant, the embedded historian, and ends without warning."""

import asyncio

import pytest

from gigatwin.app.plant_elements import elements_of
from gigatwin.compiler.build import compile_factory
from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.errors import TelemetryError
from gigatwin.factory import load
from gigatwin.plant import Misbehaviour, PlantFeed, Shock, VirtualPlant
from gigatwin.telemetry.proposal import propose
from gigatwin.twin.following import Following
from gigatwin.twin.live import LiveTwin
from gigatwin.twin.store import TwinStore

pytestmark = pytest.mark.compiled


class Site:
    """A plant and the store of its twin."""

    def __init__(self, folder, **plant):
        self.factory = load("two-machine")
        self.plant = VirtualPlant(self.factory, seed=5, record_truth=True, **plant)
        proposal = propose(self.plant.tags(), elements_of(compile_factory(self.factory)))
        self.mapping = proposal.model_copy(update={"confirmed_by": "test"})
        self.store = TwinStore(folder / "twin")
        self.historian = EmbeddedHistorian(self.store.historian)

    def twin(self):
        return LiveTwin(self.factory, self.mapping, self.historian, self.store)

    def counts(self, twin):
        return dict(
            zip(twin.compiled.machines, [c.count for c in twin.mirror.processed], strict=True)
        )

    def true_counts(self):
        return {name: m.processed for name, m in self.plant.true_state().machines.items()}

    def close(self):
        self.historian.close()


@pytest.fixture
def make_site(tmp_path):
    made = []

    def make(**plant):
        made.append(Site(tmp_path, **plant))
        return made[-1]

    yield make
    for site in made:
        site.close()


def follow(site, twin, duration, misbehaviour=None):
    feed = PlantFeed(site.plant, duration=duration, misbehaviour=misbehaviour)
    asyncio.run(Following(twin, feed, say=lambda _: None).run())


def test_a_twin_follows_no_mapping_that_nobody_confirmed(make_site):
    site = make_site()
    site.mapping = site.mapping.model_copy(update={"confirmed_by": ""})
    with pytest.raises(TelemetryError, match="confirmed_by is empty"):
        site.twin()


def test_the_twin_counts_what_the_plant_counts(make_site):
    site = make_site()
    twin = site.twin()
    follow(site, twin, 1800.0)
    assert site.counts(twin) == site.true_counts()
    assert min(site.counts(twin).values()) > 100
    status = site.store.status()
    assert status["source"]["where"] == "virtual plant in this process"
    assert {m["name"]: m["processed"] for m in status["machines"]} == site.true_counts()


def test_counts_are_exact_after_losses_and_repetitions(make_site):
    site = make_site()
    twin = site.twin()
    follow(site, twin, 1800.0, Misbehaviour(lost=0.01, duplicated=0.01, disordered=0.02))
    assert twin.intake.counts.lost_messages > 0
    # One more message, that comes: the last one may have been lost.
    follow(site, twin, 5.0)
    assert site.counts(twin) == site.true_counts()


@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_a_twin_that_starts_again_stands_where_the_one_before_stood(make_site, has_checkpoint):
    site = make_site()
    twin = site.twin()
    feed = PlantFeed(site.plant)
    for number, batch in enumerate(feed.scans(1200.0)):
        twin.take(batch)
        if has_checkpoint and number == 1000:
            twin.keep()
    # No end that was asked for: the twin is just gone.
    again = site.twin()
    n = again.recover()
    assert again.row == twin.row
    assert n == twin.row - (0 if not has_checkpoint else site.store.checkpoint()["row"])
    again.settle()
    twin.settle()
    assert site.counts(again) == site.counts(twin) == site.true_counts()
    same = ("output", "machines", "plant_time")
    assert {k: again.status()[k] for k in same} == {k: twin.status()[k] for k in same}


def test_a_drift_of_one_machine_is_found_and_nothing_else(make_site):
    site = make_site(shocks=[Shock("second", after=5400.0, factor=2.0)])
    twin = site.twin()
    follow(site, twin, 7200.0)
    later = [f for f in twin.watch.findings if f.reference == "plant" and f.stage != "dismissed"]
    assert [(f.station, f.signal, f.direction) for f in later] == [("second", "cycle_time", 1)]
    began = site.plant.now - site.plant.elapsed + 5400.0
    # Times of this machine are exponential, so the date is not sharp.
    assert later[0].since_low - 60.0 < began < later[0].since_high + 60.0
    assert later[0].time - began < 600.0
