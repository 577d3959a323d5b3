"""States made from plain facts: what is given stays, what is not given is drawn."""

import dataclasses

import numpy as np
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_contents import (
    LiveClock,
    LiveContents,
    LiveItem,
    LiveMachine,
    LiveSupply,
)
from gigatwin.compiler.live_reading import contents_of
from gigatwin.compiler.live_state import LiveStates, state_from
from gigatwin.errors import CompileError
from gigatwin.factory import load
from gigatwin.factory.factory import Factory
from gigatwin.kernel.layout import Phase
from gigatwin.simulation.run import Run
from gigatwin.simulation.tallies import check_conservation
from gigatwin.standards.machine_states import MachineState
from gigatwin.testing.random_networks import random_network
from tests.property.comparison import as_tuples, assert_same_records

WORKS = MachineState.EXECUTING


def factory_of(**stations):
    return Factory.model_validate({"name": "small", "stations": stations})


def two_stations(**second):
    return factory_of(
        first={"kind": "discrete", "time": "10 s"},
        second={"kind": "discrete", "time": "4 s", "buffer": {"capacity": 3}} | second,
    )


def run_from(compiled, contents, *, seed=1, replication=0, trace=False):
    run = Run(compiled, trace=trace)
    run.restore(state_from(compiled, contents, seed, replication, trace=trace))
    return run


def finished(run):
    return int(run.state.flows["finished"].sum())


# A run goes on as if nothing had happened -------------------------------------------------------


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("factory", "now", "seconds"),
    [
        (load("two-machine"), 500.3, 500.0),
        (load("serial-10"), 500.3, 300.0),
        (load("machine-repair"), 1000.1, 300.0),
        (load("assembly-46"), 30_000.7, 200.0),
        # With assembly, rework, parallel machines, and arrivals.
        *((random_network(seed), 20_000.7, 4000.0) for seed in (1, 4, 6, 8)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_run_goes_on_event_for_event(factory, now, seconds):
    compiled = compile_factory(factory)
    run = Run(compiled, trace=True)
    run.advance(now)
    run.records()
    snapshot = run.snapshot()
    state = state_from(compiled, contents_of(compiled, snapshot), seed=7, trace=True)
    again = Run(compiled, trace=True)
    again.restore(state._replace(streams=snapshot.streams))
    run.advance(now + seconds)
    again.advance(now + seconds)
    assert check_conservation(compiled, again.state) == ""
    assert_same_records(as_tuples(again.records()), as_tuples(run.records()), exact=False)


@pytest.mark.compiled
def test_output_of_the_next_hours_has_the_same_law():
    """400 runs from a snapshot, and 400 from its contents: means within 5 s.e., below 3 %."""
    compiled = compile_factory(load("two-machine"))
    run = Run(compiled, seed=3)
    run.advance(400.0)
    snapshot = run.snapshot()
    states = LiveStates(compiled, contents_of(compiled, snapshot))
    others = [compiled.initial_state(9, k).streams for k in range(400)]
    output = []
    for k in range(400):
        run.restore(snapshot._replace(streams=others[k]))
        before = finished(run)
        run.advance(1000.0)
        again = Run(compiled)
        again.restore(states.state(5, k))
        again.advance(1000.0)
        output.append((finished(run) - before, finished(again)))
    first, second = np.array(output, dtype=float).T
    error = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 400)
    assert 5 * error < 0.03 * first.mean()
    assert abs(first.mean() - second.mean()) < 5 * error
    assert second.std() == pytest.approx(first.std(), rel=0.2)


# What is given stays ----------------------------------------------------------------------------


def test_work_left_is_done_first():
    compiled = compile_factory(two_stations())
    contents = LiveContents(
        now=1000.0,
        machines={
            "first": LiveMachine(WORKS, since=995.0, items=(LiveItem("item", 41),), worked=5.0),
            "second": LiveMachine(
                WORKS, since=997.0, items=(LiveItem("item", 40, born=950.0),), worked=3.0
            ),
        },
    )
    run = run_from(compiled, contents, trace=True)
    run.advance(1006.0)
    leaves = [r for r in as_tuples(run.records()) if r.kind == 2]
    assert [(r.time, r.machine, r.item) for r in leaves] == [(1001.0, 1, 40), (1005.0, 0, 41)]
    assert float(run.state.flows["lead_time"].sum()) == 51.0
    assert check_conservation(compiled, run.state) == ""


def test_items_keep_their_order_and_their_way():
    compiled = compile_factory(two_stations(buffer={"capacity": 5, "transfer": "20 s"}))
    items = tuple(
        LiveItem("item", serial, elapsed=elapsed)
        for serial, elapsed in ((1, 90.0), (2, 15.0), (3, 2.0))
    )
    busy = LiveMachine(WORKS, items=(LiveItem("item", 9),), work_left=10_000.0)
    contents = LiveContents(now=100.0, buffers={"second": items}, machines={"first": busy})
    run = run_from(compiled, contents, trace=True)
    run.advance(150.0)
    starts = [(r.time, r.item) for r in as_tuples(run.records()) if r.kind == 0 and r.machine == 1]
    assert starts == [(100.0, 1), (105.0, 2), (118.0, 3)]


def test_blocked_machine_waits_for_room_in_its_turn():
    line = factory_of(
        first={"kind": "discrete", "time": "10 s", "machines": 2},
        second={"kind": "discrete", "time": "4 s", "buffer": {"capacity": 1}},
    )
    compiled = compile_factory(line)
    blocked = {
        f"first#{k}": LiveMachine(
            MachineState.BLOCKED,
            since=since,
            items=(LiveItem("item", k),),
            target="second",
        )
        for k, since in ((1, 90.0), (2, 80.0))
    }
    working = LiveMachine(WORKS, items=(LiveItem("item", 8),), work_left=1.0)
    contents = LiveContents(
        now=100.0,
        machines=blocked | {"second": working},
        buffers={"second": (LiveItem("item", 9),)},
    )
    run = run_from(compiled, contents, trace=True)
    run.advance(106.0)
    leaves = [(r.time, r.item) for r in as_tuples(run.records()) if r.kind == 2]
    assert leaves == [(101.0, 8), (101.0, 2), (105.0, 9), (105.0, 1)]


def test_blocked_machine_with_room_behind_it_goes_on_at_once():
    compiled = compile_factory(two_stations())
    held = LiveMachine(MachineState.BLOCKED, items=(LiveItem("item", 5),), target="second")
    run = run_from(compiled, LiveContents(now=7.0, machines={"first": held}))
    run.advance(7.0)
    assert run.state.machines["phase"].tolist() == [Phase.EXECUTING, Phase.EXECUTING]


def test_stop_ends_after_what_is_left_and_the_work_goes_on():
    compiled = compile_factory(
        factory_of(
            only={
                "kind": "discrete",
                "time": "10 s",
                "stops": {"jam": {"kind": "micro_stop", "every": "1e6 h", "duration": "30 s"}},
            }
        )
    )
    jammed = LiveMachine(
        MachineState.MICRO_STOP,
        since=80.0,
        items=(LiveItem("item", 3),),
        worked=4.0,
        stop="jam",
        is_interrupted=True,
        elapsed=20.0,
    )
    run = run_from(compiled, LiveContents(now=100.0, machines={"only": jammed}))
    run.advance(115.9)
    assert finished(run) == 0
    run.advance(116.0)
    assert finished(run) == 1
    assert float(run.state.outages["seconds"][0]) == 30.0


def test_crews_at_work_are_not_free_for_others():
    crew = {"resource": "fitters"}
    stop = {"kind": "breakdown", "every": "1e6 h", "duration": "60 s", "crew": crew}
    factory = Factory.model_validate(
        {
            "name": "crews",
            "stations": {
                "only": {
                    "kind": "discrete",
                    "time": "10 s",
                    "machines": 3,
                    "stops": {"failure": stop},
                }
            },
            "resources": {"fitters": {"capacity": 1}},
        }
    )
    compiled = compile_factory(factory)
    mended = LiveMachine(MachineState.BREAKDOWN, stop="failure", residual=5.0)
    waiting = [
        LiveMachine(MachineState.WAITING_FOR_CREW, since=since, stop="failure")
        for since in (60.0, 50.0)
    ]
    machines = dict(zip(compiled.machines, [mended, *waiting], strict=True))
    run = run_from(compiled, LiveContents(now=100.0, machines=machines))
    run.advance(104.0)
    assert run.state.pools["free"].tolist() == [0]
    run.advance(106.0)
    # The one that has waited longest is served first.
    states = [MachineState(int(s)) for s in run.state.machines["state"]]
    assert states[1:] == [MachineState.WAITING_FOR_CREW, MachineState.BREAKDOWN]
    assert check_conservation(compiled, run.state) == ""


def test_shift_and_timetable_follow_the_time_of_day():
    stop = {"kind": "planned", "every": "8 h", "duration": "10 min"}
    manned = {"kind": "discrete", "time": "10 s", "operators": {"resource": "people"}}
    steps = [{"at": "6 h", "capacity": 1}, {"at": "14 h", "capacity": 0}]
    factory = Factory.model_validate(
        {
            "name": "clocks",
            "stations": {
                "manned": manned | {"next": "out"},
                "cleaned": {"kind": "discrete", "time": "10 s", "stops": {"cleaning": stop}},
            },
            "resources": {"people": {"shifts": {"period": "24 h", "steps": steps}}},
        }
    )
    compiled = compile_factory(factory)
    midnight, hour = 5 * 86_400.0, 3600.0
    run = run_from(compiled, LiveContents(now=midnight + 13 * hour), trace=True)
    run.advance(midnight + 37 * hour)
    records = as_tuples(run.records())
    stops = [r.time - midnight for r in records if r.kind == 7]
    assert stops == [16 * hour, 24 * hour, 32 * hour]
    starts = [(r.time - midnight) / hour for r in records if r.kind == 0 and r.machine == 0]
    assert not [t for t in starts if 14.0 < t < 30.0]
    assert [t for t in starts if t < 14.0]
    assert 30.0 in starts


def test_orders_go_on_where_they_stand():
    factory = Factory.model_validate(
        {
            "name": "orders",
            "formats": {"a": {}, "b": {}},
            "stations": {"only": {"kind": "discrete", "time": "10 s"}},
            "orders": [{"format": "a", "quantity": 5}, {"format": "b", "quantity": 2}],
        }
    )
    compiled = compile_factory(factory)
    contents = LiveContents(now=50.0, supplies={"only": LiveSupply(0, 2.0)})
    run = run_from(compiled, contents)
    run.advance(1000.0)
    assert run.state.flows["finished"].tolist() == [2, 2]


# What is not given is drawn ---------------------------------------------------------------------


def gamma_machine():
    return compile_factory(
        factory_of(
            only={"kind": "discrete", "time": {"distribution": "gamma", "mean": 10, "cv": 0.4}}
        )
    )


def test_work_left_is_drawn_given_the_work_done():
    compiled = gamma_machine()
    machine = LiveMachine(WORKS, items=(LiveItem("item", 1),), worked=9.0)
    states = LiveStates(compiled, LiveContents(now=0.0, machines={"only": machine}))
    left = np.array([states.state(1, k).machines["work"][0] for k in range(400)])
    draws = np.random.default_rng(1).gamma(6.25, 1.6, 200_000)
    expected = draws[draws > 9.0] - 9.0
    assert left.mean() == pytest.approx(expected.mean(), abs=5 * left.std() / 20)
    assert left.std() == pytest.approx(expected.std(), rel=0.2)


def test_same_luck_for_the_same_machine_in_another_factory():
    plain = gamma_machine()
    larger = compile_factory(
        factory_of(
            only={"kind": "discrete", "time": {"distribution": "gamma", "mean": 10, "cv": 0.4}},
            another={"kind": "discrete", "time": "1 s"},
        )
    )
    machine = {"only": LiveMachine(WORKS, items=(LiveItem("item", 1),), worked=9.0)}
    states = [
        state_from(compiled, LiveContents(now=0.0, machines=machine), 3, 2)
        for compiled in (plain, larger)
    ]
    assert states[0].machines["work"][0] == states[1].machines["work"][0]


def test_hidden_defects_are_drawn_with_the_shares_of_the_model():
    line = factory_of(
        first={"kind": "discrete", "time": "10 s", "defects": {"pore": 0.3}},
        look={
            "kind": "inspection",
            "time": "1 s",
            "buffer": {"capacity": 2000},
            "finds": {"defects": {"pore": 0.5}},
        },
        last={"kind": "discrete", "time": "1 s", "buffer": {"capacity": 2000}},
    )
    compiled = compile_factory(line)
    items = tuple(LiveItem("item", k) for k in range(2000))
    later = tuple(LiveItem("item", 2000 + k) for k in range(2000))
    contents = LiveContents(now=0.0, buffers={"look": items, "last": later})
    state = state_from(compiled, contents)
    defects = state.items["defects"]
    assert defects[:2000].mean() == pytest.approx(0.3, abs=0.05)
    # Half of the 30 % were found there: 15 of the 85 that passed.
    assert defects[2000:4000].mean() == pytest.approx(15 / 85, abs=0.05)


def test_stop_never_seen_is_as_far_away_as_chance_has_it():
    compiled = compile_factory(
        factory_of(
            only={
                "kind": "discrete",
                "time": "10 s",
                "stops": {
                    "change": {
                        "kind": "breakdown",
                        "every": {"distribution": "uniform", "low": "100 s", "high": "300 s"},
                        "duration": "1 s",
                    }
                },
            }
        )
    )
    clock = {"change": LiveClock(elapsed=250.0)}
    known = LiveContents(now=1e4, machines={"only": LiveMachine(clocks=clock)})
    of_known = LiveStates(compiled, known)
    due = [of_known.state(1, k).due[0] for k in range(200)]
    assert min(due) >= 0.0
    assert max(due) <= 50.0
    of_unknown = LiveStates(compiled, LiveContents(now=1e4))
    unknown = [of_unknown.state(1, k).due[0] for k in range(400)]
    # E[X^2] / (2 E[X]) of a uniform law from 100 to 300 s.
    assert np.mean(unknown) == pytest.approx(108.33, abs=5 * np.std(unknown) / 20)


# What cannot be -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (LiveContents(now=-1.0), "now: -1 s; must be 0 s or later"),
        (LiveContents(now=0.0, machines={"press": LiveMachine()}), "machines: 'press'"),
        (LiveContents(now=0.0, buffers={"press": ()}), "buffers: 'press'"),
        (
            LiveContents(now=0.0, buffers={"second": (LiveItem("4680"),)}),
            "second: format '4680'; must be one of item",
        ),
        (
            LiveContents(now=0.0, machines={"first": LiveMachine(stop="jam")}),
            "first: stop 'jam'; must be one of none at all",
        ),
        (
            LiveContents(now=0.0, machines={"first": LiveMachine(MachineState.BREAKDOWN)}),
            "state BREAKDOWN without a stop",
        ),
        (
            LiveContents(now=0.0, machines={"first": LiveMachine(target="nowhere")}),
            "target 'nowhere'",
        ),
    ],
)
def test_contents_of_another_factory_raise_one_clear_error(contents, words):
    compiled = compile_factory(two_stations())
    with pytest.raises(CompileError) as error:
        state_from(compiled, contents)
    assert "small: live contents: " in str(error.value)
    assert words in str(error.value)


def test_items_in_a_buffer_without_places_raise():
    compiled = compile_factory(two_stations(buffer={"capacity": 0}))
    with pytest.raises(CompileError, match="this buffer has no places"):
        state_from(compiled, LiveContents(now=0.0, buffers={"second": (LiveItem("item"),)}))


def test_buffer_with_more_items_than_places_takes_none_beside_those_that_wait():
    compiled = compile_factory(two_stations())
    contents = LiveContents(now=0.0, buffers={"second": tuple(LiveItem("item") for _ in range(5))})
    run = run_from(compiled, contents)
    run.advance(8.5)
    assert run.state.queues["count"].tolist() == [2]
    run.advance(100.0)
    assert int(run.state.queues["peak"][0]) == 5
    assert check_conservation(compiled, run.state) == ""


@pytest.mark.compiled
def test_contents_can_be_read_back():
    compiled = compile_factory(load("assembly-46"))
    run = Run(compiled)
    run.advance(3000.0)
    first = contents_of(compiled, run.state)
    again = run_from(compiled, first)
    again.advance(3000.0)
    second = contents_of(compiled, again.state)
    assert second.buffers.keys() == first.buffers.keys()
    assert [i.serial for i in second.buffers["filling_carousel"]] == [
        i.serial for i in first.buffers["filling_carousel"]
    ]
    plain = {n: dataclasses.replace(m, waits_since=None) for n, m in first.machines.items()}
    found = {n: dataclasses.replace(m, waits_since=None) for n, m in second.machines.items()}
    for name, machine in plain.items():
        assert found[name].items == machine.items
        assert found[name].state is machine.state
        assert found[name].work_left == pytest.approx(machine.work_left or 0.0, abs=1e-6) or (
            machine.work_left is None
        )
