"""Items go where they should: exact departures, exact queueing results, nothing lost."""

import math
import statistics

import pytest

from gigatwin.factory import load
from gigatwin.plant import VirtualPlant
from gigatwin.plant.truth import plain_truth
from gigatwin.standards.machine_states import MachineState
from tests.unit.plant.lines import TANGLED, by_tag, hidden_plant, plain_plant, telegrams, times


def departures_of_blocking_line(seconds, capacities, transfers, n_items):
    """Return when item k leaves station j: the max-plus recursion for blocking after service.

    ``capacities`` and ``transfers`` are those of the buffer in front of each station; a place is
    taken from the departure before it until the station takes the item. [s]
    """
    n = len(seconds)
    start = [[0.0] * n_items for _ in range(n)]
    leave = [[0.0] * n_items for _ in range(n)]
    for k in range(n_items):
        for j in range(n):
            before = leave[j][k - 1] if k else 0.0
            come = leave[j - 1][k] + transfers[j] if j else 0.0
            start[j][k] = max(before, come)
            done = start[j][k] + seconds[j]
            if j + 1 < n:
                places = capacities[j + 1]
                if places == 0:
                    done = max(done, leave[j + 1][k - 1] if k else 0.0)
                elif k >= places:
                    done = max(done, start[j + 1][k - places])
            # Stations further down are needed for earlier items only, which are known by now.
            leave[j][k] = done
    return leave


@pytest.mark.parametrize(
    ("seconds", "capacities", "transfers"),
    [
        ((2.0, 3.0, 1.5, 2.5), (None, 3, 1, 2), (0.0, 0.0, 0.0, 0.0)),
        ((2.0, 3.0, 1.5, 4.0), (None, 0, 0, 0), (0.0, 0.0, 0.0, 0.0)),
        ((1.0, 1.25, 3.0, 0.5), (None, 4, 2, 3), (0.0, 5.0, 2.5, 7.0)),
        ((3.0, 1.0, 1.0, 2.75), (None, 2, 0, 1), (0.0, 4.0, 0.0, 1.0)),
    ],
)
def test_deterministic_line_departs_at_the_times_of_the_recursion(seconds, capacities, transfers):
    names = "abcd"
    stations = "\n".join(
        f"  {name}: {{time: {time} s"
        + (f", buffer: {{capacity: {places}, transfer: {way} s}}}}" if j else "}")
        for j, (name, time, places, way) in enumerate(
            zip(names, seconds, capacities, transfers, strict=True)
        )
    )
    plant = plain_plant(f"name: line\nstations:\n{stations}\n")
    start = plant.now
    readings = plant.advance(600.0)
    expected = departures_of_blocking_line(seconds, capacities, transfers, 210)
    for j, name in enumerate(names):
        found = times(readings, name, "LEAVE", start)
        assert len(found) > 100
        assert found == pytest.approx(expected[j][: len(found)], abs=1e-5)


def test_two_exponential_machines_make_what_the_markov_chain_says():
    # With b places between them: (b + 2) / (b + 3) items per second; here b = 3.
    factory = load("two-machine")
    rates = []
    for seed in range(10):
        plant = VirtualPlant(factory, seed=seed, truth=plain_truth(factory), values_per_machine=0)
        plant.advance(500.0)
        before = plant.true_state().n_finished
        plant.advance(4000.0)
        rates.append((plant.true_state().n_finished - before) / 4000.0)
    error = statistics.stdev(rates) / math.sqrt(len(rates))
    assert abs(statistics.mean(rates) - 5 / 6) < 5 * error
    assert 5 * error < 0.03 * 5 / 6


def test_machines_that_share_a_repair_man_make_what_the_birth_and_death_chain_says():
    # Weights 1, 1, 0.8, 0.48, 0.192, 0.0384 of 0 to 5 broken machines: 3.5757 run on average.
    text = """
name: repair
stations:
  m:
    machines: 5
    time: 7 s
    stops:
      fault:
        kind: breakdown
        every: 10 s
        duration: {distribution: exponential, mean: 2 s}
        crew: {resource: man}
resources: {man: {}}
"""
    found = []
    for seed in range(8):
        plant = plain_plant(text, seed=seed)
        plant.advance(7000.0)
        state = plant.true_state()
        intervals = [i for machine in state.intervals.values() for i in machine]
        running = sum(i.end - i.begin for i in intervals if i.state is MachineState.EXECUTING)
        found.append(running / 7000.0)
    error = statistics.stdev(found) / math.sqrt(len(found))
    assert abs(statistics.mean(found) - 3.5757) < 5 * error
    assert 5 * error < 0.03 * 3.5757


@pytest.mark.parametrize("seed", [1, 2])
def test_no_item_is_lost_or_twice_in_a_line_with_everything(seed):
    plant = hidden_plant(TANGLED, seed=seed)
    readings = plant.advance(2 * 3600.0)
    state = plant.true_state()
    assert state.n_finished > 500
    gone = state.n_finished + state.n_scrapped + state.n_consumed
    assert state.n_created == gone + state.n_inside
    inside = [
        serial
        for items in (
            *(machine.items for machine in state.machines.values()),
            *state.buffers.values(),
            *state.waiting_outside.values(),
        )
        for serial in items
    ]
    assert len(set(inside)) == len(inside)
    left = [t.item for _, _, t in telegrams(readings) if t.detail in {"out", "scrap"}]
    assert len(set(left)) == len(left) == state.n_finished + state.n_scrapped
    assert not set(left) & set(inside)
    assert sum(state.finished.values()) == state.n_finished


@pytest.mark.parametrize("seed", [4, 5])
def test_buffers_keep_within_their_places_and_show_how_full_they_are(seed):
    plant = hidden_plant(TANGLED, seed=seed)
    levels = by_tag(plant.advance(2 * 3600.0))
    places = {"cutting": 4, "oven": 6, "press": 2, "assembly": 3, "assembly_plate": 5,
              "cooling": 20, "test": 0, "packing_a": 2, "packing_b": 2}  # fmt: skip
    for name, most in places.items():
        values = levels[f"{name}_buffer/Status.Level"]
        assert all(0 <= level <= most for level in values)
        assert not values or max(values) > 0
    state = plant.true_state()
    snapshot = {reading.tag: reading.value for reading in plant.snapshot()}
    for name, level in state.levels.items():
        assert snapshot[f"{name.replace('.', '_')}_buffer/Status.Level"] == level
    assert len(levels["press_buffer/Status.Level"]) > 100


def test_telegrams_alone_tell_where_every_item_is():
    plant = hidden_plant(TANGLED, seed=6)
    places = {name: [] for name in plant.true_state().buffers}
    for _, element, telegram in telegrams(plant.advance(2 * 3600.0)):
        item = telegram.item
        if telegram.kind in {"ARRIVE", "LEAVE"}:
            places.setdefault(telegram.detail, []).append(item)
        elif telegram.kind == "LOAD":
            assert places[telegram.detail].pop(0) == item
        else:
            station = element.removesuffix("_1").removesuffix("_2")
            if station in places:
                # Two machines may take one item each and begin in the other order.
                assert item in places[station][:2]
                places[station].remove(item)
    state = plant.true_state()
    held = {item for machine in state.machines.values() for item in machine.items}
    for name, items in state.buffers.items():
        # A machine may hold an item that it has not begun to work on yet.
        assert tuple(item for item in places[name] if item not in held) == items


def test_item_of_a_blocked_machine_leaves_when_there_is_room():
    plant = plain_plant(
        "name: l\nstations: {a: {time: 1 s}, b: {time: 10 s, buffer: {capacity: 1}}}"
    )
    start = plant.now
    readings = plant.advance(31.0)
    assert times(readings, "a", "LEAVE", start) == [1.0, 2.0, 11.0, 21.0, 31.0]
    assert times(readings, "b", "START", start) == [1.0, 11.0, 21.0, 31.0]


def test_batch_starts_when_it_is_full_and_its_items_leave_together():
    text = """
name: l
stations:
  a: {time: 2 s}
  oven: {kind: batch, size: 3, time: 5 s, buffer: {capacity: 6}}
"""
    plant = plain_plant(text)
    start = plant.now
    readings = plant.advance(18.0)
    assert times(readings, "oven", "START", start) == [6.0] * 3 + [12.0] * 3 + [18.0] * 3
    assert times(readings, "oven", "LEAVE", start) == [11.0] * 3 + [17.0] * 3


def test_storage_keeps_each_item_for_its_dwell():
    text = "name: l\nstations: {a: {time: 2 s}, rack: {kind: storage, capacity: 9, dwell: 7 s}}"
    plant = plain_plant(text)
    start = plant.now
    readings = plant.advance(20.0)
    assert times(readings, "rack", "LEAVE", start) == [9.0, 11.0, 13.0, 15.0, 17.0, 19.0]
    assert times(readings, "rack", "START", start) == times(readings, "rack", "LEAVE", start)


def test_assembly_waits_for_all_its_inputs():
    text = """
name: l
stations:
  body: {time: 2 s, next: join}
  lid: {time: 5 s, next: join.lid}
  join: {kind: assembly, time: 1 s, buffer: {capacity: 3}, inputs: {lid: {per_item: 2 items}}}
"""
    plant = plain_plant(text)
    start = plant.now
    readings = plant.advance(25.0)
    assert times(readings, "join", "LOAD", start) == [5.0, 10.0, 15.0, 20.0, 25.0]
    assert times(readings, "join", "START", start) == [10.0, 20.0]
    assert plant.true_state().n_consumed == 5


def test_arrivals_come_when_there_is_room_and_wait_outside_otherwise():
    text = """
name: l
arrivals: {truck: {interval: 2 s, next: a}}
stations: {a: {time: 5 s, buffer: {capacity: 1}}}
"""
    plant = plain_plant(text)
    start = plant.now
    readings = plant.advance(11.5)
    assert times(readings, "a", "ARRIVE", start) == [2.0, 4.0, 7.0]
    assert plant.true_state().waiting_outside == {"truck": (4, 5)}


def test_orders_are_made_one_after_the_other_and_not_before_their_release():
    text = """
name: l
formats: {x: {}, y: {}}
stations: {a: {time: 2 s, changeover: {time: 10 s}}}
orders: [{format: x, quantity: 2}, {format: y, quantity: 1, release: 20 s}]
"""
    plant = plain_plant(text)
    start = plant.now
    readings = plant.advance(100.0)
    found = [(round(t - start, 6), g.kind, g.format) for t, _, g in telegrams(readings)]
    assert found == [
        (0.0, "START", "x"), (2.0, "LEAVE", "x"), (2.0, "START", "x"), (4.0, "LEAVE", "x"),
        (30.0, "START", "y"), (32.0, "LEAVE", "y"),
    ]  # fmt: skip
    assert plant.true_state().machines["a"].state.state.name == "NO_ORDER"
