"""States on the time axis and under the names of a log of items."""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog, states_of
from gigatwin.events.visits import visits_of
from gigatwin.factory.durations import Distribution
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.factory.stops import Stop
from gigatwin.learning.learn import learn
from gigatwin.learning.states.state_alignment import aligned
from gigatwin.simulation.sampling import trace_of

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NAIVE = datetime(2024, 5, 1, 12)  # noqa: DTZ001 - a log without a time zone


def visits_at(machines, origin=NOON):
    rows = [
        (f"{number}", machine, machine, 100.0 * number, 100.0 * number + 50.0, number + 2)
        for number in range(10)
        for machine in machines
    ]
    columns = ["case", "activity", "machine", "start", "end", "row"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return CaseLog(
        frame.with_columns(pl.col("row").cast(pl.UInt32), success=pl.lit(None, dtype=pl.Boolean)),
        origin,
    )


def states_at(machines, origin=NOON, start=0.0, end=1000.0):
    rows = [(machine, start, end, "executing", 2) for machine in machines]
    columns = ["machine", "start", "end", "state", "row"]
    return StateLog(pl.DataFrame(rows, schema=columns, orient="row"), origin)


@pytest.mark.parametrize(
    ("states", "log", "shift"),
    [
        (NOON, NOON, 0.0),
        (NOON + timedelta(minutes=2), NOON, 120.0),
        (NOON.astimezone(timezone(timedelta(hours=2))), NOON + timedelta(seconds=30), -30.0),
        (NAIVE, NAIVE + timedelta(minutes=1), -60.0),
        (500.0, 400.0, 100.0),
    ],
)
def test_times_count_from_the_origin_of_the_log(states, log, shift):
    found = aligned(states_at(["mill"], states), visits_at(["mill"], log))
    assert found.intervals.select("start", "end").row(0) == (shift, 1000.0 + shift)
    assert found.origin == log


@pytest.mark.parametrize(
    ("states", "log", "words"),
    [
        (NOON, NAIVE, "with a time zone.*without a time zone.*time_zone"),
        (NAIVE, NOON, "without a time zone.*with a time zone"),
        (0.0, NOON, "numbers.*dates with a time zone"),
        (NAIVE, 0.0, "dates without a time zone.*numbers"),
    ],
)
def test_times_of_another_kind_are_refused(states, log, words):
    with pytest.raises(TelemetryError, match=words):
        aligned(states_at(["mill"], states), visits_at(["mill"], log))


def test_names_may_differ_by_case_and_signs():
    log = visits_at(["Mill 1", "oven", "Press.2"])
    found = aligned(states_at(["mill_1", "OVEN", "Press.2"]), log)
    assert found.intervals["machine"].to_list() == ["Mill 1", "Press.2", "oven"]
    assert "the states of 'OVEN' are taken for 'oven'" in found.warnings
    assert not any("Press" in note for note in found.warnings)


def test_exact_name_comes_before_a_similar_one():
    log = visits_at(["mill", "Mill"])
    found = aligned(states_at(["mill", "MILL"]), log)
    assert found.intervals["machine"].to_list() == ["Mill", "mill"]
    assert "the states of 'MILL' are taken for 'Mill'" in found.warnings


def test_machines_that_cannot_be_told_apart_stay_apart():
    found = aligned(states_at(["oven", "MILL", "Mill"]), visits_at(["oven", "mill"]))
    assert set(found.intervals["machine"]) == {"oven", "MILL", "Mill"}
    assert any("no states for 'mill'" in note for note in found.warnings)
    assert any("states of 'MILL', 'Mill'" in note for note in found.warnings)


def test_machine_without_states_is_told():
    found = aligned(states_at(["mill"]), visits_at(["mill", "oven"]))
    assert found.warnings == ("no states for 'oven'; their stops are told by lengths alone",)


def test_states_of_other_machines_are_refused():
    with pytest.raises(TelemetryError, match=r"\('saw'\) is in the log \('mill'\)"):
        aligned(states_at(["saw"]), visits_at(["mill"]))


def test_states_of_another_time_are_refused():
    later = states_at(["mill"], NOON + timedelta(days=3))
    with pytest.raises(TelemetryError, match=r"259200 s to 260200 s .* \(0 s to 950 s\)"):
        aligned(later, visits_at(["mill"]))


def test_visits_before_and_after_the_states_are_told():
    found = aligned(states_at(["mill"], start=60.0, end=460.0), visits_at(["mill"]))
    # Visits 1 to 4 of 10 lie in the time of the states.
    assert any(note.startswith("60% of the visits") for note in found.warnings)


def line():
    def station(mean, mtbf, repair):
        return DiscreteStation(
            time=Distribution(distribution="gamma", mean=mean, cv=0.3),
            buffer=Buffer(capacity=8, transfer=2.0),
            stops={
                "fault": Stop(
                    kind="breakdown",
                    every=Distribution(distribution="exponential", mean=mtbf),
                    duration=Distribution(distribution="exponential", mean=repair),
                )
            },
        )

    return Factory(
        name="line",
        stations={"mill": station(10.0, 400.0, 12.0), "oven": station(10.5, 600.0, 20.0)},
    )


@pytest.fixture(scope="module")
def learned():
    trace = trace_of(line(), 2 * 86_400.0, seed=6)
    log = CaseLog(visits_of(trace), NOON)
    states = states_of(trace)
    # The machine's own record has other names and begins 50 s earlier on its clock.
    states = StateLog(
        states.intervals.with_columns(
            pl.col("machine").str.to_uppercase(), pl.col("start", "end") + 50.0
        ),
        NOON - timedelta(seconds=50),
    )
    return learn(log, states=states)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "mean", "mtbf", "repair"),
    [("mill", 10.0, 400.0, 12.0), ("oven", 10.5, 600.0, 20.0)],
)
def test_states_give_reliability_and_work_without_stops(learned, name, mean, mtbf, repair):
    station = learned.stations[name]
    (stop,) = station.recorded_stops
    assert stop.between.low <= mtbf <= stop.between.high
    assert stop.repair.mean.low <= repair <= stop.repair.mean.high
    # 13 000 parts with a cv of 0.3: five standard errors are 1.3 %.
    assert station.times.mean.n > 12_000
    assert station.times.mean.value == pytest.approx(mean, rel=0.013)
    assert station.times.cv == pytest.approx(0.3, rel=0.05)
    described = learned.factory.stations[name]
    assert described.stops["breakdown"].every.mean == pytest.approx(mtbf, rel=0.2)


@pytest.mark.compiled
def test_names_of_states_stand_in_the_notes(learned):
    assert "In reading the states: the states of 'MILL' are taken for 'mill'." in learned.notes
