"""A line against logs that it made itself, and logs of other lines."""

import numpy as np
import polars as pl
import pytest

from gigatwin.errors import StudyError, TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.events.visits import visits_of
from gigatwin.factory.changes import with_changes
from gigatwin.factory.reading import read_text
from gigatwin.learning.check.verification import verify
from gigatwin.learning.check.verification_words import sentence_of
from gigatwin.simulation.sampling import trace_of

PAIR = """
name: pair
stations:
  first: {time: {distribution: gamma, mean: 10 s, cv: 0.3}}
  second:
    time: {distribution: gamma, mean: 9 s, cv: 0.5}
    buffer: {capacity: 3}
    next: [{to: out, share: 0.8}, {to: mend, share: 0.2}]
  mend:
    time: {distribution: gamma, mean: 20 s, cv: 0.5}
    buffer: {capacity: unlimited}
"""


def pair(**changes):
    factory = read_text(PAIR, "pair")
    return with_changes(factory, changes) if changes else factory


def log_of(factory, length=6000.0, warm_up=500.0, seed=4, *, is_complete=False):
    events = trace_of(factory, warm_up + length, seed, warm_up=warm_up)
    visits = visits_of(events)
    visits = visits.filter(pl.col("activity").is_in(list(factory.stations)))
    return CaseLog(visits.drop_nulls(["start", "end"]) if is_complete else visits)


@pytest.fixture(scope="module")
def same():
    """Return what is found where the log was made by the line itself."""
    return verify(pair(), log_of(pair()), replications=12)


def test_line_agrees_with_its_own_log(same):
    assert same.differences == ()
    assert same.is_accepted
    assert same.is_informative
    assert "agrees with the log in" in same.verdict
    assert "It would have been noticed" in same.verdict


def test_figures_cover_the_line_and_its_stations(same):
    names = {(figure.station, figure.quantity) for figure in same.figures}
    assert {
        ("", "throughput"),
        ("", "items in process"),
        ("", "lead time mean"),
        ("", "lead time 90 % quantile"),
        ("", "lead time distribution KS"),
        ("first", "time mean"),
        ("first", "time distribution W1"),
        ("first", "visits per case"),
        ("second", "idle share"),
        ("second", "share to mend"),
    } <= names
    # A way that is the only one needs no comparison.
    assert ("first", "share to second") not in names


def test_interval_holds_the_simulated_mean_and_the_log(same):
    table = same.table().filter(~pl.col("quantity").str.contains("distribution"))
    assert (table["low"] <= table["simulated"]).all()
    assert (table["simulated"] <= table["high"]).all()
    inside = (table["low"] <= table["measured"]) & (table["measured"] <= table["high"])
    assert inside.mean() > 0.7
    assert same.to_dict()["figures"][0]["quantity"] == "throughput"


@pytest.mark.compiled
def test_false_alarms_are_as_rare_as_stated():
    n = 40
    alarms = sum(
        bool(verify(pair(), log_of(pair(), 3000.0, seed=1000 + k), seed=k).differences)
        for k in range(n)
    )
    # At a true share of 5 %, more than 8 of 40 come twice in 10000.
    assert alarms <= 8


def test_faster_station_is_found_and_named():
    log = log_of(pair(**{"first.speed": 0.9}))
    found = verify(pair(), log, replications=12)
    assert not found.is_accepted
    quantities = [(figure.station, figure.quantity) for figure in found.differences]
    assert ("", "throughput") in quantities
    assert ("first", "time mean") in quantities
    assert "throughput is" in found.verdict
    assert "too high" in found.verdict
    assert "Most likely because first is" in found.verdict
    assert "faster than in the log" in found.verdict


@pytest.mark.compiled
def test_other_routing_is_found():
    other = read_text(PAIR.replace("0.8}", "0.6}").replace("0.2}", "0.4}"), "pair")
    found = verify(pair(), log_of(other), replications=12)
    shares = {figure.quantity: figure for figure in found.differences if figure.is_share}
    assert shares["share to mend"].difference == pytest.approx(-0.2, abs=0.05)


@pytest.mark.compiled
def test_negligible_differences_are_not_called():
    log = log_of(pair(**{"first.speed": 0.9}))
    assert verify(pair(), log, replications=12, negligible=10.0).differences == ()


def test_short_log_is_said_to_be_short():
    found = verify(pair(), log_of(pair(), 150.0), replications=8)
    assert not found.is_informative
    assert not found.is_accepted
    assert found.verdict.startswith("The log is too short to tell much")


def test_log_that_begins_with_an_empty_line_is_simulated_from_one():
    found = verify(pair(), log_of(pair(), warm_up=0.0), replications=8)
    assert found.warm_up == 0
    assert any("empty line" in note for note in found.notes)
    assert found.differences == ()


@pytest.mark.compiled
def test_rows_of_visits_cut_off_may_be_missing():
    found = verify(pair(), log_of(pair(), is_complete=True), replications=12)
    assert found.differences == ()


@pytest.mark.compiled
def test_one_per_cent_of_lost_events_changes_nothing():
    visits = log_of(pair()).visits
    random = np.random.default_rng(4)
    lost = [pl.Series(random.random(visits.height) < 0.01) for _ in range(2)]
    visits = visits.with_columns(
        start=pl.when(~lost[0]).then("start"), end=pl.when(~lost[1]).then("end")
    )
    found = verify(pair(), CaseLog(visits), replications=12)
    assert [figure.quantity for figure in found.differences] == []


def test_states_are_compared_when_they_are_given():
    line = read_text(
        "name: one\nstations:\n  press:\n    time: 10 s\n    stops: {jam: {kind: breakdown, "
        "every: 100 s, duration: {distribution: exponential, mean: 20 s}}}\n",
        "one",
    )
    events = trace_of(line, 8000.0, 5)
    rows = events.select(
        station=pl.col("machine").cast(pl.String),
        state=pl.col("state").cast(pl.String).str.to_lowercase(),
        start="time",
        end=pl.col("time").shift(-1),
    )
    found = verify(line, log_of(line, 8000.0, 0.0, 5), states=rows, replications=8)
    shares = {f.quantity: f for f in found.figures if f.station == "press"}
    assert shares["breakdown share"].simulated == pytest.approx(1 / 6, abs=0.05)
    assert not shares["breakdown share"].is_larger_than_chance
    longer = rows.with_columns(state=pl.lit("executing"))
    found = verify(line, log_of(line, 8000.0, 0.0, 5), states=longer, replications=8)
    assert "breakdown share" in [figure.quantity for figure in found.differences]


def test_deterministic_line_agrees_with_itself_to_the_item():
    line = read_text(
        "name: two\nstations:\n  a: {time: 10 s}\n  b: {time: 7 s, buffer: {capacity: 2}}\n", "two"
    )
    assert verify(line, log_of(line, 1003.0, 204.0), replications=5).differences == ()
    slow = with_changes(line, {"a.time": "10.5 s"})
    assert verify(slow, log_of(line, 1003.0, 204.0), replications=5).differences != ()


@pytest.mark.compiled
def test_uncertain_parameters_widen_the_intervals():
    text = PAIR.replace(
        "mean: 10 s, cv: 0.3}",
        "mean: 10 s, cv: 0.3, estimates: {mean: {value: 10, low: 8, high: 12.5, unit: s, n: 9, "
        "method: mean}}}",
    )
    line = read_text(text, "pair")
    widths = []
    for parameters in ("estimated", "uncertain"):
        found = verify(line, log_of(pair()), replications=12, parameters=parameters)
        output = found.figures[0]
        widths.append(output.high - output.low)
        assert found.parameters == parameters
    assert widths[1] > 3 * widths[0]


@pytest.mark.compiled
def test_result_does_not_depend_on_the_threads(same):
    other = verify(pair(), log_of(pair()), replications=12, threads=1)
    assert other.figures == same.figures


@pytest.mark.compiled
def test_progress_is_reported():
    done = []
    verify(
        pair(),
        log_of(pair(), 800.0),
        replications=5,
        progress=lambda share, wanted: done.append((share, wanted)),
    )
    assert done == [(1.0, 5)] * 5


def test_too_few_replications_are_refused():
    with pytest.raises(StudyError, match="must be 5 or more"):
        verify(pair(), log_of(pair(), 200.0), replications=3)


def test_log_in_which_nothing_is_finished_is_refused():
    rows = [
        ("x", "first", 0.0, 10.0),
        ("x", "second", 12.0, None),
        ("y", "first", 10.0, 20.0),
        ("y", "second", 20.0, None),
        ("z", "first", 20.0, 21.0),
    ]
    visits = pl.DataFrame(rows, schema=["case", "activity", "start", "end"], orient="row")
    visits = visits.with_columns(machine="activity")
    with pytest.raises(TelemetryError, match="leaves the line"):
        verify(pair(), CaseLog(visits), replications=5)


def test_sentences_have_units(same):
    said = {figure.quantity: sentence_of(figure) for figure in same.figures}
    assert "/h" in said["throughput"]
    assert "too long" in said["lead time mean"] or "too short" in said["lead time mean"]
    assert "points" in said["idle share"]
    assert "by chance up to" in said["time distribution KS"]
