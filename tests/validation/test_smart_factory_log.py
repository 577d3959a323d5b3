"""The event log of a physical model factory.

Data: L. Malburg, J. Grüger, R. Bergmann, "An IoT-enriched event log for process mining in smart
factories" (2022), doi:10.6084/m9.figshare.20130794, CC BY 4.0; first 240 cases. The expected
numbers are counted below from the file's rows, without the package's own reader.
"""

import csv
import os
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from statistics import fmean

import pytest

from gigatwin.events.case_log import read_case_log
from gigatwin.events.log_mapping import CaseMapping
from gigatwin.factory.checks import check
from gigatwin.factory.reading import load
from gigatwin.factory.writing import write
from gigatwin.learning.check.holdout import holdout
from gigatwin.learning.learn import learn
from gigatwin.learning.states.failures import failure_ratios

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GIGATWIN_DATA", REPOSITORY.parent / "shared" / "data"))
FILE = DATA / "smart-factory-event-log" / "smart_factory_event_log.csv"


@pytest.fixture(scope="module")
def log():
    if not FILE.exists():
        pytest.skip(f"Data absent: the smart-factory event log {FILE}; set GIGATWIN_DATA.")
    return read_case_log(FILE)


@pytest.fixture(scope="module")
def counted(log):
    """Return durations and failures by (activity, machine), counted row by row."""
    del log
    times, failed = defaultdict(list), defaultdict(int)
    with FILE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            key = row["activity"], row["org:resource"]
            if row["lifecycle:transition"] == "start":
                end = datetime.fromisoformat(row["operation_end_time"])
                start = datetime.fromisoformat(row["timestamp"])
                times[key].append((end - start).total_seconds())
            elif row["lifecycle:transition"] == "complete":
                failed[key] += row["lifecycle:state"] == "failure"
    return times, failed


@pytest.fixture(scope="module")
def learned(log):
    return learn(log, "smart_factory")


def test_columns_are_guessed_right(log):
    assert log.mapping == CaseMapping(
        case="case_id",
        activity="activity",
        machine="org:resource",
        start="timestamp",
        end="operation_end_time",
        lifecycle="lifecycle:transition",
        outcome="lifecycle:state",
    )
    assert log.warnings == ()


def test_every_activity_is_found_with_its_time_and_outcome(log, counted):
    times, failed = counted
    table = log.activities
    assert (table.height, log.n_cases) == (2798, 240)
    assert sum(len(values) for values in times.values()) == 2798
    found = defaultdict(list)
    found_failed = defaultdict(int)
    for _, activity, machine, start, end, success in table.iter_rows():
        found[activity, machine].append(end - start)
        found_failed[activity, machine] += not success
    assert found.keys() == times.keys()
    for key, values in times.items():
        assert sorted(found[key]) == pytest.approx(sorted(values), abs=2e-6)
        assert found_failed[key] == failed[key]


def test_an_instance_column_makes_the_same_pairs(log):
    mapping = log.mapping.model_copy(update={"instance": "event_id"})
    assert read_case_log(FILE, mapping).activities.equals(log.activities)


def test_failure_ratios_are_those_of_the_log(log):
    machines = failure_ratios(log.activities, by="machine")
    assert {
        name: (machines[name].n_failed, machines[name].n_known)
        for name in ("wt_1", "hbw_2", "vgr_1")
    } == {"wt_1": (15, 133), "hbw_2": (24, 456), "vgr_1": (24, 561)}
    # The whole log has 12.1 %, 5.7 % and 4.0 %; these cases must agree within their intervals.
    for name, whole in (("wt_1", 0.121), ("hbw_2", 0.057), ("vgr_1", 0.040)):
        assert machines[name].low < whole < machines[name].high


def test_learned_factory_has_the_means_of_the_log(learned, counted):
    times, _ = counted
    assert len(learned.stations) == len(times) == 31
    for item in learned.stations.values():
        observed = times[item.activities[0], item.machines[0]]
        # What was before a change, or counts less because it is long ago, is not in the mean.
        if len(item.durations) == len(observed) and "recent" not in item.times.kind:
            assert item.times.mean.n == len(observed)
            assert item.times.mean.value == pytest.approx(fmean(observed), rel=0.02)
        assert item.n_servers == 1
    assert len(learned.factory.resources) == 9


def test_learned_factory_is_valid_and_survives_its_file(learned, tmp_path):
    check(learned.factory)
    path = tmp_path / "smart-factory.yaml"
    write(learned.factory, path)
    assert load(path) == learned.factory


@pytest.mark.compiled
def test_simulation_of_the_learned_factory_foretells_later_cases(log):
    scores = holdout(log, split=0.7)
    assert len(scores.scores) == 15
    assert scores.mean_error <= 0.06
    assert scores.kolmogorov_smirnov <= 0.22
    assert scores.wasserstein <= 0.062
