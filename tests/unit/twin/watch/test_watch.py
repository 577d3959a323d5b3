"""The watch of a plant as a whole."""

import json

import numpy as np
import pytest

from gigatwin.errors import StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.standards.machine_states import MachineState as State
from gigatwin.telemetry.observations import EventRow
from gigatwin.twin.watch import Finding, Watch
from gigatwin.twin.watch.plant_model import PlantModel
from gigatwin.twin.watch.settings import n_charts
from tests.unit.twin.watch.watched_rows import press, times, work

JAM = {
    "kind": "micro_stop",
    "every": "10 min",
    "duration": {"distribution": "lognormal", "mean": "40 s", "cv": 0.5},
}


def worn(seed=1, n=900):
    """Return rows of a press with jams that takes 5 % longer from its 600th item on."""
    rng = np.random.default_rng(seed)
    rows, now = [], 0.0
    for item, length in enumerate([*times(rng, 600), *times(rng, n - 600, 6.3)]):
        rows.append(EventRow(now, "press", "START", State.EXECUTING, item, "item"))
        if rng.random() < 0.01:
            rows.append(EventRow(now + 1, "press", "STOP", State.MICRO_STOP, item, "item", "jam"))
            now += 1 + float(rng.lognormal(3.6, 0.5))
            rows.append(EventRow(now, "press", "RESUME", State.EXECUTING, item, "item", "jam"))
        now += length
        target = "scrap" if rng.random() < 0.02 else "out"
        rows.append(EventRow(now, "press", "LEAVE", State.STARVED, item, "item", target))
    return rows


def jamming():
    return press(stops={"jam": JAM}, scrap=0.02)


def test_a_watch_goes_on_after_a_restart_as_if_nothing_had_happened():
    rows = worn()
    whole = Watch(jamming())
    expected = whole.take(rows)
    assert [finding.stage for finding in expected] == ["alarm", "confirmed"]
    alarm = next(k for k, row in enumerate(rows) if row.time >= expected[0].time)
    for cut in (3, 700, alarm - 5, alarm + 7, len(rows) - 1):
        first, second = Watch(jamming()), Watch(jamming())
        found = first.take(rows[:cut])
        second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
        found += second.take(rows[cut:])
        assert found == expected
        assert second.findings == whole.findings
        assert json.dumps(second.state()) == json.dumps(whole.state())


def test_rows_in_any_portions_give_the_same_findings():
    rows = worn(2)
    one, all_at_once = Watch(jamming()), Watch(jamming())
    found = [finding for row in rows for finding in one.take([row])]
    assert found == all_at_once.take(rows)


def test_the_saved_state_of_another_version_is_refused():
    state = Watch(press()).state()
    with pytest.raises(StudyError, match="version 0; must be 1"):
        Watch(press()).restore({**state, "version": 0})


def test_an_accepted_proposal_ends_the_matter():
    rng = np.random.default_rng(3)
    watch = Watch(press())
    cycles = [*times(rng, 600), *times(rng, 700, 6.3)]
    (finding,) = {f.number: f for f in watch.take(work({"press": cycles}))}.values()
    changed = with_changes(watch.model.factory, finding.proposal.changes)
    watch.renew(changed)
    assert watch.model.factory is changed
    assert watch.findings == [finding]
    # The plant's own record is kept: it goes on being watched without learning anew.
    now = sum(cycles)
    assert watch.take(work({"press": times(rng, 500, 6.3)}, now)) == []
    found = watch.take(work({"press": times(rng, 60, 6.8)}, now + 500 * 6.3))
    assert [item.number for item in found] == [2, 2]


def test_rates_of_the_model_are_those_of_the_new_one_after_an_acceptance():
    watch = Watch(jamming())
    watch.take(worn())
    changed = with_changes(jamming(), {"press.stops.jam.every": "5 min"})
    watch.renew(changed)
    rate = watch._rates["press", "stops", "jam"].signals["press"].rate  # noqa: SLF001 - not shown
    assert rate == pytest.approx(1 / 300)


def test_a_machine_that_the_model_does_not_have_is_counted():
    watch = Watch(press())
    watch.take(work({"lathe": [6.0]}))
    assert watch.n_unknown == 2


def test_stops_that_last_longer_are_found_against_the_model():
    rng = np.random.default_rng(4)
    watch, found, now = Watch(jamming()), [], 0.0
    width = np.sqrt(np.log1p(0.25))
    for k in range(160):
        mean = 40.0 if k < 60 else 80.0
        length = float(mean * np.exp(width * rng.standard_normal() - width**2 / 2))
        now += 600.0
        found += watch.take(
            [
                EventRow(now, "press", "STOP", State.MICRO_STOP, -1, "", "jam"),
                EventRow(now + length, "press", "RESUME", State.EXECUTING, -1, "", "jam"),
            ]
        )
        now += length
    (last,) = [finding for finding in watch.findings if finding.signal == "repair_time"]
    assert last.direction == 1
    assert last.reference == "model"
    assert list(last.proposal.changes) == ["press.stops.jam.duration.mean"]
    assert last.level.low <= 80.0 <= last.level.high


def test_a_wait_for_the_crew_may_be_the_reason_so_that_no_number_is_proposed():
    data = {
        "name": "shop",
        "resources": {"fitter": {"capacity": 1}},
        "stations": {
            "press": {"time": "6 s", "stops": {"jam": {**JAM, "crew": {"resource": "fitter"}}}}
        },
    }
    watch, now = Watch(Factory.model_validate(data)), 0.0
    rng = np.random.default_rng(5)
    for k in range(260):
        length = float(rng.normal(40.0 if k < 160 else 90.0, 4.0))
        now += 600.0
        watch.take(
            [
                EventRow(now, "press", "STOP", State.MICRO_STOP, -1, "", "jam"),
                EventRow(now + length, "press", "RESUME", State.EXECUTING, -1, "", "jam"),
            ]
        )
    (found,) = watch.findings
    assert found.reference == "plant"
    assert found.proposal.changes == {}
    assert "wait for the crew" in found.proposal.reason
    assert watch.proposals == []


def test_charts_are_counted_so_that_they_can_share_the_false_alarms():
    # Cycles, scrap and the stop of each machine and of both together, and the length of the stop.
    assert n_charts(PlantModel.of(press(2, stops={"jam": JAM}))) == 3 * 3 + 1
    assert n_charts(PlantModel.of(press())) == 2


def test_a_finding_comes_back_from_json_and_says_what_it_is():
    rng = np.random.default_rng(6)
    watch = Watch(press())
    start = 1_790_000_000.0
    cycles = [*times(rng, 600), *times(rng, 700, 6.3)]
    found = watch.take(work({"press": cycles}, start))
    for finding in found:
        assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))) == finding
    first, _, last = (finding.text for finding in found)
    assert first.startswith("press: cycle time (item) ")
    assert "longer than in the plant's own record" in first
    assert "being checked" in first
    assert "since 2026-09-21" in last
    assert "Proposed: press.time.mean -> 6." in last


def test_what_cannot_be_watched_is_refused():
    for settings, words in (
        ({"wanted_interval": 0.0}, "wanted interval"),
        ({"reference": "guess"}, "reference"),
        ({"n_reference": 10}, "reference cycles"),
        ({"negligible": 1.0}, "negligible"),
    ):
        with pytest.raises(StudyError, match=f"watch, {words}"):
            Watch(press(), **settings)
    with pytest.raises(StudyError, match="restart: lathe"):
        Watch(press()).restart("lathe")
    with pytest.raises(StudyError, match="machine press#7"):
        Watch(press(2)).restart("press", "press#7")
