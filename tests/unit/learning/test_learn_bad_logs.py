"""Learning from spoiled logs: an honest model, or an error that says what is missing."""

import numpy as np
import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.factory.reading import read_text
from gigatwin.factory.writing import to_yaml
from gigatwin.learning.learn import learn
from gigatwin.learning.learned import Learned
from gigatwin.simulation.simulate import simulate
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.spoiled_logs import (
    in_disorder,
    with_backward_clock,
    with_duplicates,
    with_lost_events,
)

SCHEMA = {
    "case": pl.String,
    "activity": pl.String,
    "machine": pl.String,
    "start": pl.Float64,
    "end": pl.Float64,
}
LINE = random_line(3, n_stations=(4, 4))
VISITS = LINE.simulate(400).visits.drop("station")


def few(
    rows: list[tuple[str | None, str | None, str | None, float | None, float | None]],
) -> CaseLog:
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return CaseLog(table.with_columns(success=pl.lit(None, dtype=pl.Boolean)))


def learned(log: CaseLog | pl.DataFrame) -> Learned:
    """Learn, and check that the description is valid and survives its file."""
    found = learn(log if isinstance(log, CaseLog) else CaseLog(log), "bad")
    assert read_text(to_yaml(found.factory)) == found.factory
    return found


@pytest.fixture(scope="module")
def good():
    return learned(VISITS)


def means(found: Learned) -> dict[str, float]:
    return {name: station.times.mean.value for name, station in found.stations.items()}


def elements(found: Learned) -> set[str]:
    return {item.element for item in found.unknowns}


@pytest.mark.parametrize(
    ("log", "needed"),
    [
        (few([]), "needs rows of who was where and when"),
        (few([("c", "a", "a", 0.0, 1.0), ("c", "b", "b", 1.0, 2.0)]), "needs at least 2"),
        (few([(f"c{k}", "a", "a", 5.0, 5.0) for k in range(9)]), "needs times that differ"),
        (few([(f"c{k}", "a", "a", 5.0 + k, 3.0) for k in range(9)]), "the right way round"),
        (few([(f"c{k}", "a", "a", 5.0 + k, None) for k in range(9)]), "both a start and an end"),
        (few([(None, "a", "a", 5.0 + k, 9.0) for k in range(9)]), "holds no visits"),
        (few([(f"c{k}", "a", "a", float("nan"), None) for k in range(9)]), "holds no visits"),
    ],
    ids=["empty", "one case", "one instant", "backwards", "starts only", "no case", "no numbers"],
)
def test_log_without_what_is_needed_is_refused_with_what_is_missing(log, needed):
    with pytest.raises(TelemetryError, match=needed):
        learn(log, "bad")


def test_one_machine_is_a_line_of_one_station():
    random = np.random.default_rng(1)
    rows = [(f"c{k}", "a", "a", 10.0 * k, 10.0 * k + 8 + random.random()) for k in range(50)]
    found = learned(few(rows))
    assert means(found) == {"a": pytest.approx(8.5, abs=0.15)}
    assert found.factory.stations["a"].next == "out"


def test_one_activity_on_three_machines_is_one_station():
    random = np.random.default_rng(1)
    rows = [
        (f"c{k}", "work", f"m{k % 3}", 10.0 * k, 10.0 * k + 25.0 + random.random())
        for k in range(60)
    ]
    found = learned(few(rows))
    (station,) = found.factory.stations.values()
    assert station.machines == 3


def test_two_visits_give_a_model_in_which_nothing_is_called_known():
    found = learned(few([("c1", "a", "a", 0.0, 1.0), ("c2", "a", "a", 3.0, 5.0)]))
    assert found.identified_ratio == 0.0
    assert "a.time" in elements(found)
    assert "not known to within 10 %" in found.factory.stations["a"].description


def test_constant_times_are_constants():
    rows = [
        (f"c{k}", name, name, 10.0 * (k + place), 10.0 * (k + place) + 10.0)
        for k in range(100)
        for place, name in enumerate("abc")
    ]
    found = learned(few(rows))
    assert {station.time for station in found.factory.stations.values()} == {10.0}


def test_times_that_are_no_numbers_are_missing_events(good):
    gaps = VISITS.with_columns(
        start=pl.when(pl.int_range(pl.len()) % 50 == 7).then(float("nan")).otherwise("start"),
        end=pl.when(pl.int_range(pl.len()) % 50 == 9).then(float("inf")).otherwise("end"),
    )
    found = learned(gaps)
    assert any("64 times are no numbers" in note for note in found.notes)
    for name, mean in means(good).items():
        assert means(found)[name] == pytest.approx(mean, rel=0.04)


def test_clock_set_back_is_named_with_its_machine():
    found = learned(with_backward_clock(VISITS, "s02", 2000.0, 600.0))
    assert any("'s02'" in note and "clock was set back" in note for note in found.notes)


def test_visits_whose_end_may_have_been_held_up_do_not_lengthen_the_work(good):
    # Where an exit is lost, it is not known whether the departure that it made room for waited.
    found = learned(with_lost_events(VISITS, 0.3))
    assert any("30 % of the events are missing" in note for note in found.notes)
    for station in LINE.stations:
        times = found.stations[station.name].times
        assert times.mean.low < station.time.mean < times.mean.high
    assert found.stations["s01"].times.mean.value == pytest.approx(means(good)["s01"], rel=0.15)


@pytest.mark.compiled
@pytest.mark.parametrize("seed", range(1, 9))
def test_with_many_lost_events_held_up_stations_are_not_called_known(seed):
    line = random_line(seed, n_stations=(4, 4))
    log = CaseLog(with_lost_events(line.simulate(800, seed).visits.drop("station"), 0.3, seed))
    found = learn(log, "gaps")
    assert "lost events" in elements(found)
    for station in line.stations:
        item = found.stations[station.name]
        mean = item.times.mean
        is_far_off = abs(mean.value / station.time.mean - 1.0) > 0.1
        assert not (is_far_off and mean.is_identified)


def test_two_lines_in_one_log_are_kept_apart():
    other = random_line(5, n_stations=(3, 3)).simulate(300).visits.drop("station")
    names = ("case", "activity", "machine")
    other = other.with_columns(pl.col(name) + "-2" for name in names)
    found = learned(pl.concat([VISITS, other]).sort("start"))
    assert len(found.flow.components) == 2
    ends = [name for name, item in found.factory.stations.items() if item.next == "out"]
    assert sorted(ends) == ["s03-2", "s04"]
    assert any("2 lines without a link" in note for note in found.notes)


def test_copies_and_disorder_of_rows_change_nothing(good):
    for spoiled in (with_duplicates(VISITS, 0.3), in_disorder(VISITS, 50)):
        found = learned(spoiled)
        assert means(found) == pytest.approx(means(good), rel=1e-6)
        assert found.factory.stations["s02"].buffer == good.factory.stations["s02"].buffer


def test_machine_that_records_no_departures_is_said_to_be_unknown(good):
    found = learned(VISITS.with_columns(end=pl.when(pl.col("machine") != "s03").then("end")))
    assert not found.stations["s03"].times.is_identified
    assert "s03.time" in elements(found)
    assert "taken as 0" in found.factory.stations["s03"].description
    assert means(found)["s01"] == pytest.approx(means(good)["s01"], rel=1e-6)


def test_machines_without_names_are_named_by_what_they_do(good):
    found = learned(VISITS.with_columns(machine=pl.lit(None, dtype=pl.String)))
    assert means(found) == pytest.approx(means(good), rel=1e-6)


def test_names_that_look_alike_in_a_description_stay_different():
    random = np.random.default_rng(1)
    pairs = [("a b", "x"), ("a/b", "x"), ("a.b", "x"), ("out", "out"), ("in", "in"), ("", "y")]
    rows = [
        (f"c{k}", activity, machine, 20.0 * k + 2 * place, 20.0 * k + 2 * place + random.random())
        for k in range(40)
        for place, (activity, machine) in enumerate(pairs)
    ]
    found = learned(few(rows))
    assert len(found.factory.stations) == 6
    assert "out" not in found.factory.stations
    recorded = {station.recorded_as.activities for station in found.factory.stations.values()}
    assert recorded == {("a b",), ("a/b",), ("a.b",), ("out",), ("in",), ("y",)}


def test_station_that_items_entered_last_of_all_does_not_stop_the_rest():
    last = pl.DataFrame([("399", "mend", "mend", 1e5, None)], schema=SCHEMA, orient="row")
    found = learned(
        pl.concat([VISITS.drop("row", "success"), last]).with_columns(
            success=pl.lit(None, dtype=pl.Boolean)
        )
    )
    assert "mend.time" in elements(found)
    assert found.factory.stations["mend"].next == "out"


@pytest.mark.compiled
def test_models_of_spoiled_logs_run_without_locking_up(good):
    for found in (good, learned(with_lost_events(VISITS, 0.3))):
        result = simulate(found.factory, days=0.2, replications=1, warm_up=3600.0)
        assert result.total("throughput_rate")[0] > 100
