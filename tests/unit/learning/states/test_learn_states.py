"""A factory learned from the states of machines alone."""

import math
from datetime import datetime

import numpy as np
import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.state_log import StateLog, states_of
from gigatwin.factory.checks import check
from gigatwin.factory.durations import Distribution
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.factory.stops import Stop
from gigatwin.learning.states.learn_states import learn_states
from gigatwin.learning.states.reliability import learn_stops
from gigatwin.learning.states.state_history import histories
from gigatwin.learning.states.work_stretches import between_begins, long_run_mean, work_by_states
from gigatwin.simulation.sampling import trace_of
from gigatwin.simulation.simulate import simulate
from gigatwin.units import Items

DAY = 86400.0
SHORT = {
    "x": "executing",
    "i": "starved",
    "b": "breakdown",
    "m": "micro_stop",
    "s": "setup",
    "p": "planned_stop",
    "f": "blocked",
    "c": "waiting_for_crew",
    "-": None,
}


def rows_of(text, machine="m", item=None, start=0.0):
    """Return intervals from words such as ``x10`` (executing for 10 s); ``-`` is a gap."""
    found, time = [], start
    for word in text.split():
        state, length = SHORT[word[0]], float(word[1:])
        if state is not None:
            found.append((machine, time, time + length, state, item))
        time += length
    return found


def log_of(rows, energy=None, origin=0.0):
    frame = pl.DataFrame(
        rows,
        schema={
            "machine": pl.String,
            "start": pl.Float64,
            "end": pl.Float64,
            "state": pl.String,
            "item": pl.String,
        },
        orient="row",
    )
    frame = frame.with_row_index("row", offset=2).with_columns(
        native=pl.col("state"),
        energy=pl.lit(energy, dtype=pl.Float64) * (pl.col("end") - pl.col("start")),
        is_cut=pl.lit(value=False),
    )
    if frame["item"].null_count() == frame.height:
        frame = frame.drop("item")
    return StateLog(frame.sort("machine", "start"), origin)


def shares_of(factory, days=20, replications=5):
    result = simulate(factory, days=days, replications=replications, seed=3)
    return {
        row["station"]: {
            name.removesuffix("_share"): value
            for name, value in row.items()
            if name.endswith("_share")
        }
        for row in result.stations.to_dicts()
    }


def stop(kind, every, duration):
    return Stop(
        kind=kind,
        every=Distribution(**dict(zip(("distribution", "mean", "cv"), every, strict=False))),
        duration=Distribution(**dict(zip(("distribution", "mean", "cv"), duration, strict=False))),
    )


def one_machine(every, duration, interval=60.0):
    return Factory(
        name="one",
        stations={
            "mill": DiscreteStation(
                time=Distribution(distribution="gamma", mean=30.0, cv=0.3),
                buffer=Buffer(capacity="unlimited"),
                stops={"fault": stop("breakdown", every, duration)},
            )
        },
        arrivals={
            "parts": Arrivals(
                interval=Distribution(distribution="exponential", mean=interval), next="mill"
            )
        },
    )


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("every", "duration", "family"),
    [
        (("exponential", 300.0), ("exponential", 40.0), "exponential"),
        (("weibull", 300.0, 0.5), ("lognormal", 40.0, 0.6), "weibull"),
        (("weibull", 300.0, 1.8), ("gamma", 40.0, 0.5), "weibull"),
    ],
)
def test_known_reliability_is_found_in_our_own_trace(every, duration, family):
    intervals = states_of(trace_of(one_machine(every, duration), 60 * DAY, seed=4)).intervals
    (found,) = learn_stops(intervals)["mill"]
    assert (found.kind, found.clock) == ("breakdown", "running")
    # 30 s of work every 60 s.
    assert found.n_stops == pytest.approx(60 * DAY * 0.5 / 300.0, rel=0.05)
    assert found.law.distribution == family
    assert found.between.low <= 300.0 <= found.between.high
    assert found.repair.mean.low <= 40.0 <= found.repair.mean.high
    cv = every[2] if len(every) > 2 else 1.0
    spread = 5 * cv / math.sqrt(found.n_stops)
    assert found.between.value == pytest.approx(300.0, rel=spread)
    if family == "weibull":
        assert found.law.estimates["cv"].low <= cv <= found.law.estimates["cv"].high
    assert found.availability.low <= 300 / 340 <= found.availability.high


@pytest.mark.compiled
def test_intervals_of_reliability_hold_as_often_as_they_say():
    factory = one_machine(("exponential", 600.0), ("exponential", 60.0))
    hits = []
    for seed in range(20):
        intervals = states_of(trace_of(factory, 2 * DAY, seed=seed)).intervals
        (found,) = learn_stops(intervals)["mill"]
        hits.append(found.between.low <= 600.0 <= found.between.high)
        hits.append(found.repair.mean.low <= 60.0 <= found.repair.mean.high)
    # 95 % of 40, less five standard errors.
    assert sum(hits) > 40 * 0.95 - 5 * math.sqrt(40 * 0.95 * 0.05)


@pytest.mark.compiled
def test_simulated_shares_agree_with_those_of_the_log():
    factory = Factory(
        name="two",
        stations={
            "mill": DiscreteStation(
                time=Distribution(distribution="gamma", mean=60.0, cv=0.3),
                buffer=Buffer(capacity="unlimited"),
                stops={
                    "breakdown": stop("breakdown", ("weibull", 3000.0, 0.5), ("gamma", 400.0, 0.8)),
                    "jam": stop("micro_stop", ("exponential", 300.0), ("exponential", 10.0)),
                },
            ),
            "oven": DiscreteStation(
                time=50.0,
                buffer=Buffer(capacity="unlimited"),
                stops={
                    "clean": Stop(kind="planned", every=4 * 3600.0, duration=900.0),
                },
            ),
        },
        arrivals={
            "parts": Arrivals(
                interval=Distribution(distribution="exponential", mean=110.0), next="mill"
            )
        },
    )
    log = states_of(trace_of(factory, 20 * DAY, seed=2))
    learned = learn_states(log)
    assert check(learned.factory) is None
    assert list(learned.factory.stations) == ["mill", "oven"]
    simulated = shares_of(learned.factory)
    for name, machine in learned.machines.items():
        for state, share in machine.shares.items():
            assert simulated[name][state] == pytest.approx(share.value, abs=0.02)
        # A stretch of work of several parts is one item here, which is said.
        assert machine.time.mean.value > (60.0 if name == "mill" else 50.0)
    assert any(
        item.element == "mill.time" and "belongs to which part" in item.what
        for item in learned.unknowns
    )
    oven = learned.factory.stations["oven"].stops["planned"]
    assert oven.every == pytest.approx(4 * 3600.0, rel=0.01)
    assert oven.duration == pytest.approx(900.0, rel=0.01)


def test_work_goes_on_over_stops_and_ends_with_waiting():
    rows = rows_of("i5 x10 b100 x20 i5 x3 m1 x4 s5 x6 f2 x7 p9 x8 b2 c3 x1 i1 x9")
    work = work_by_states(histories(log_of(rows).intervals)["m"])
    assert work.lengths.tolist() == [30.0, 7.0, 6.0, 7.0, 9.0, 9.0]
    assert work.begins.tolist() == [5.0, 140.0, 153.0, 161.0, 177.0, 192.0]
    assert work.is_begun.all()
    assert work.is_whole.tolist() == [True] * 5 + [False]


def test_work_is_cut_off_by_gaps():
    rows = rows_of("x10 i5 x20 -100 x30 b5 x2 i5 x7 -50 i3 x4 i1")
    work = work_by_states(histories(log_of(rows).intervals)["m"])
    assert work.lengths.tolist() == [10.0, 20.0, 32.0, 7.0, 4.0]
    assert work.is_begun.tolist() == [False, True, False, True, True]
    assert work.is_whole.tolist() == [False, False, False, False, True]


def test_intervals_between_begins_stay_within_the_record():
    history = histories(log_of(rows_of("i5 x10 i5 x20 i10 -100 i3 x4 i1")).intervals)["m"]
    between = between_begins(history, work_by_states(history).begins)
    assert between.begins.tolist() == [5.0, 20.0, 153.0]
    assert between.lengths.tolist() == [15.0, 30.0, 5.0]
    assert between.is_whole.tolist() == [True, False, False]


def test_long_run_mean_is_right_where_windows_cut_off_what_is_long():
    random = np.random.default_rng(1)
    rows, time = [], 0.0
    lengths = random.lognormal(math.log(300.0) - 0.5, 1.0, 40_000)
    for up, down in zip(random.exponential(500.0, 40_000), lengths, strict=True):
        rows += [("m", time, time + up, "executing"), ("m", time + up, time + up + down, "b")]
        time += up + down
    frame = pl.DataFrame(rows, schema=["machine", "start", "end", "state"], orient="row")
    frame = frame.with_columns(pl.col("state").replace({"b": "breakdown"}))
    # Records of 1000 s with 500 s between them.
    records = np.arange(0.0, time, 1500.0)
    parts = []
    for shift in (0, 1):
        opens = pl.col("start") // 1500.0 * 1500.0 + 1500.0 * shift
        parts.append(
            frame.with_columns(
                start=pl.max_horizontal("start", opens),
                end=pl.min_horizontal("end", opens + 1000.0),
            ).filter(pl.col("end") > pl.col("start"))
        )
    cut = pl.concat(parts).with_columns(is_cut=pl.lit(value=False))
    history = histories(cut)["m"]
    assert history.follows_gap.sum() > 0.9 * len(records)
    spells = history.spells("breakdown")
    times = np.where(history.states == 5, history.lengths, 0.0)
    mean = long_run_mean(history, times, spells.begins)
    whole = spells.lengths[spells.is_whole]
    assert whole.mean() < 0.8 * 300.0
    # Stops beyond the next record are cut off from both, so the truth is that of the windows.
    share = times.sum() / history.lengths.sum()
    assert mean.value / (mean.value + spells.exposure / mean.n) == pytest.approx(share, rel=1e-5)
    assert mean.low < mean.value < mean.high
    assert mean.value == pytest.approx(300.0, rel=0.05)


def test_machine_that_never_waits_has_an_endless_supply():
    learned = learn_states(log_of(rows_of("s5 " + "x100 s5 x90 b10 x20 s5 " * 20)))
    assert not learned.factory.arrivals
    assert "'m' has an endless supply: it waits only 0.0% of the time." in learned.notes
    stops = learned.factory.stations["m"].stops
    assert stops["setup"].kind == "planned"
    assert stops["setup"].duration == 5.0
    assert stops["setup"].every == Items(1.0)
    assert learned.machines["m"].setup.between.value == 210.0 * 20 / 40
    assert any(item.element == "m.changeover" for item in learned.unknowns)
    found = shares_of(learned.factory, days=2)["m"]
    measured = learned.machines["m"].shares
    assert found["executing"] == pytest.approx(measured["executing"].value, abs=0.01)
    assert found["planned_stop"] == pytest.approx(measured["setup"].value, abs=0.01)


@pytest.mark.compiled
@pytest.mark.parametrize("ratio", [0.9, 0.4, 0.05, 3.0])
def test_setups_take_their_share_however_often_they_come(ratio):
    random = np.random.default_rng(3)
    words = []
    for _ in range(3000):
        words.append(f"x{random.gamma(4.0, 10.0):.3f}")
        words += [f"i{random.exponential(20.0) + 1:.3f}"]
        words += [f"s{random.gamma(4.0, 3.0):.3f} i1"] * (
            int(ratio) if ratio > 1 else int(random.random() < ratio)
        )
    learned = learn_states(log_of(rows_of(" ".join(words))))
    simulated = shares_of(learned.factory)["m"]
    shares = learned.machines["m"].shares
    assert simulated["executing"] == pytest.approx(shares["executing"].value, abs=0.015)
    assert simulated["planned_stop"] == pytest.approx(shares["setup"].value, abs=0.01, rel=0.08)


@pytest.mark.parametrize("text", ["x10", "x10 i5", "i5 x10", "x10 b5", "x1 -50 x1", "i1 x2 i1 x2"])
def test_few_rows_give_a_factory_that_runs_and_tells_its_gaps(text):
    learned = learn_states(log_of(rows_of(text)))
    assert not learned.machines["m"].time.is_identified
    assert any(item.element == "m.time" for item in learned.unknowns)
    assert check(learned.factory) is None
    simulated = shares_of(learned.factory, days=0.1, replications=2)["m"]
    assert simulated["executing"] + simulated["starved"] == pytest.approx(1.0)


def test_stop_without_an_end_is_left_out_and_told():
    learned = learn_states(log_of(rows_of("i5 x10 i5 x10 i5 x10 b50")))
    assert learned.factory.stations["m"].stops == {}
    assert [item for item in learned.unknowns if item.element == "m.stops.breakdown"]


def test_log_without_work_is_refused():
    with pytest.raises(TelemetryError, match=r"no time in which a machine works .*starved"):
        learn_states(log_of(rows_of("i5 b10 i5")))


def test_idle_machine_is_left_out_and_told():
    learned = learn_states(log_of(rows_of("i5 x10 i5 x10 i5") + rows_of("i50", "spare")))
    assert list(learned.machines) == ["m"]
    assert "Left out, because they never work: 'spare'." in learned.notes


@pytest.mark.compiled
def test_items_make_a_line_in_their_order():
    random = np.random.default_rng(2)
    rows, free = [], dict.fromkeys(("wash", "press a", "press b", "test"), 0.0)
    for number in range(200):
        time = 100.0 * number
        press = "press a" if random.random() < 0.6 else "press b"
        for machine, mean in (("wash", 20.0), (press, 70.0), ("test", 30.0)):
            start = max(time, free[machine])
            if start > free[machine]:
                rows.append((machine, free[machine], start, "starved", f"item {number}"))
            time = free[machine] = start + mean * random.uniform(0.9, 1.1)
            rows.append((machine, start, time, "executing", f"item {number}"))
    learned = learn_states(log_of(rows, energy=1000.0))
    stations = learned.factory.stations
    assert list(stations) == ["wash", "press_a", "press_b", "test"]
    assert {route.to: route.share for route in stations["wash"].next} == pytest.approx(
        {"press_a": 0.6, "press_b": 0.4}, abs=0.15
    )
    assert stations["press_a"].next == "test"
    assert stations["test"].next == "out"
    assert {station.line for station in stations.values()} == {"wash"}
    (arrivals,) = learned.factory.arrivals.values()
    assert arrivals.interval == pytest.approx(100.0, rel=0.02)
    assert learned.machines["press a"].has_items
    assert learned.machines["press a"].time.mean.value == pytest.approx(70.0, rel=0.03)
    assert stations["test"].energy.executing == pytest.approx(1000.0)
    assert not any(item.element in {"flow", "energy"} for item in learned.unknowns)
    simulated = shares_of(learned.factory, days=5)
    for machine in learned.machines.values():
        measured = machine.shares["executing"].value
        assert simulated[machine.station]["executing"] == pytest.approx(measured, abs=0.02)


def test_machines_side_by_side_on_one_item_are_one_station():
    rows = rows_of("x20 i5", "saw", "A")
    for name in ("press 1", "press 2"):
        rows += rows_of("x70 i5 b9", name, "A", start=30.0)
    learned = learn_states(log_of(rows, energy=500.0))
    assert list(learned.factory.stations) == ["saw", "press_1-press_2"]
    press = learned.factory.stations["press_1-press_2"]
    assert press.recorded_as.machines == ("press 1", "press 2")
    assert press.energy.executing == 1000.0
    assert press.energy.states["starved"] == 1000.0
    assert press.buffer.capacity == 1
    assert not press.buffer.estimates["capacity"].is_identified
    assert learned.machines["press 2"].station == "press_1-press_2"
    assert simulate(learned.factory, days=0.1, replications=2).stations.height == 2


def test_nights_are_no_waiting():
    rows = []
    for day in range(28):
        if day % 7 < 5:
            begin = day * DAY + 6 * 3600.0
            rows += rows_of("x400 i80 " * 60, start=begin)
            rows.append(("m", begin + 8 * 3600.0, begin + DAY, "starved", None))
    learned = learn_states(log_of(rows, origin=datetime(2024, 1, 1)))  # noqa: DTZ001 - local time
    assert learned.calendar.shifts is not None
    assert learned.factory.working_hours == learned.calendar.shifts
    assert learned.machines["m"].shares["executing"].value == pytest.approx(400 / 480, abs=0.01)
    assert learned.machines["m"].interval.mean.value == pytest.approx(480.0, rel=0.02)


def test_any_states_give_a_factory_without_problems():
    n_items = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        rows = []
        for machine in ("a b", "a_b", "a_b-items")[: random.integers(1, 4)]:
            words = random.choice(list(SHORT), random.integers(1, len(SHORT)), replace=False)
            lengths = random.choice([0.0, 1.0, 7.0, 30.0], random.integers(1, 60))
            text = " ".join(f"{random.choice(words)}{length:g}" for length in lengths)
            found = rows_of(text, machine)
            rows += [(*row[:4], random.choice(["A", "B", "C", None])) for row in found]
        if not any(row[3] == "executing" and row[2] > row[1] for row in rows):
            continue
        log = log_of(rows)
        if seed % 2:
            log = StateLog(log.intervals.drop("item", strict=False))
        learned = learn_states(log)
        assert check(learned.factory) is None
        for machine in learned.machines.values():
            n_items += machine.has_items
            assert sum(share.value for share in machine.shares.values()) == pytest.approx(
                1.0, abs=1e-5
            )
            assert machine.time.mean.value > 0
    assert n_items > 0
