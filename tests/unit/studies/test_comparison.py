"""Scenarios are compared pair by pair, under the same luck."""

import json
import math

import numpy as np
import pytest

from gigatwin.errors import FactoryError, StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.reading import load
from gigatwin.kpi.statistics import paired_difference
from gigatwin.simulation.simulate import simulate
from gigatwin.studies.comparison import compare

pytestmark = pytest.mark.compiled

SETTINGS = {"days": 0.1, "replications": 4, "seed": 3}


@pytest.fixture(scope="module")
def line():
    return load("two-machine")


@pytest.fixture(scope="module")
def comparison(line):
    scenarios = {
        "more places": {"second.buffer.capacity": 10},
        "slower": with_changes(line, {"first.speed": 0.8}),
        "as it is": {"first.speed": 1.0},
    }
    return compare(line, scenarios, **SETTINGS)


def test_difference_is_that_of_separate_simulations(line, comparison):
    changed = with_changes(line, {"second.buffer.capacity": 10})
    before = simulate(line, **SETTINGS)
    after = simulate(changed, **SETTINGS, warm_up=before.warm_up)
    name = "throughput_rate [1/h]"
    expected = paired_difference(before.samples[name], after.samples[name])
    row = comparison.row("more places", "throughput_rate")
    assert row["difference"] == pytest.approx(expected.mean, rel=1e-12)
    assert row["difference_low"] == pytest.approx(expected.low, rel=1e-12)
    assert row["difference_high"] == pytest.approx(expected.high, rel=1e-12)
    assert row["relative_difference"] == pytest.approx(
        expected.mean / before.samples[name].mean(), rel=1e-12
    )
    assert row["unit"] == "1/h"


def test_same_factory_has_no_difference_at_all(comparison):
    row = comparison.row("as it is", "throughput_rate")
    assert row["difference"] == 0.0
    assert row["difference_low"] == row["difference_high"] == 0.0
    assert row["verdict"] == "no clear difference"


def test_verdict_knows_which_way_is_better(comparison):
    assert comparison.row("more places", "throughput_rate")["verdict"] == "better"
    assert comparison.row("more places", "lead_time_mean")["verdict"] == "worse"
    assert comparison.row("slower", "throughput_rate")["verdict"] == "worse"


def test_pairing_narrows_the_interval(line):
    changes = {"one more place": {"second.buffer.capacity": 4}}
    found = compare(line, changes, days=0.05, replications=20)
    name = "throughput_rate [1/h]"
    before, after = found.base.samples[name], found.results["one more place"].samples[name]
    unpaired = math.hypot(before.std(ddof=1), after.std(ddof=1))
    assert np.std(after - before, ddof=1) < 0.5 * unpaired


def test_all_share_the_warm_up_of_the_base(line):
    found = compare(line, {"slower": {"first.speed": 0.5}}, **SETTINGS, warm_up=3000.0)
    assert found.base.warm_up >= 3000.0
    assert found.results["slower"].warm_up == found.base.warm_up


def test_every_scenario_has_every_total(comparison):
    assert comparison.table.height == 3 * len(comparison.base.samples)
    assert list(comparison.results) == ["more places", "slower", "as it is"]


def test_json_holds_base_scenarios_and_differences(comparison):
    data = json.loads(comparison.to_json())
    assert data["base"]["factory"] == "two-machine"
    assert set(data["scenarios"]) == {"more places", "slower", "as it is"}
    assert len(data["comparison"]) == comparison.table.height


def test_progress_covers_all_replications(line):
    shares, wanted = [], set()

    def note(share, n):
        shares.append(share)
        wanted.add(n)

    compare(line, {"slower": {"first.speed": 0.5}}, days=0.01, replications=3, progress=note)
    assert wanted == {6}
    assert sum(shares) == pytest.approx(6.0)


def test_mistake_is_reported_before_anything_runs(line):
    def fail(*_):
        pytest.fail("something was simulated")

    scenarios = {"good": {"first.speed": 2}, "bad": {"first.sped": 2}}
    with pytest.raises(FactoryError, match=r"scenario bad .*did you mean 'speed'"):
        compare(line, scenarios, days=0.01, progress=fail)


def test_no_scenario_is_refused(line):
    with pytest.raises(StudyError, match="no scenario"):
        compare(line, {})


def test_single_replication_is_refused(line):
    with pytest.raises(StudyError, match="replications: 1; must be 2 or more"):
        compare(line, {"slower": {"first.speed": 0.5}}, replications=1)


def test_unknown_row_is_named(comparison):
    with pytest.raises(StudyError, match="one of the scenarios more places, slower"):
        comparison.row("fast", "throughput_rate")
