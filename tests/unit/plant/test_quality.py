"""Items go where the machine's verdict sends them, and the counters follow the verdict."""

import math

from gigatwin.plant import VirtualPlant
from gigatwin.plant.truth import StationTruth, Truth
from tests.unit.plant.lines import by_tag, described, plain_plant, telegrams

N = 4000


def near(count, probability, n=N):
    return abs(count - n * probability) < 5 * math.sqrt(n * probability * (1 - probability)) + 1


def test_scrap_is_as_frequent_as_it_should_be_and_is_counted():
    plant = plain_plant("name: l\nstations: {a: {time: 1 s, scrap: 10 %}}")
    readings = plant.advance(N + 0.5)
    state = plant.true_state().machines["a"]
    assert state.processed == N
    assert near(state.defective, 0.1)
    scrapped = [g for _, _, g in telegrams(readings) if g.detail == "scrap"]
    assert len(scrapped) == state.defective == by_tag(readings)["a/Admin.ProdDefectiveCount"][-1]
    assert by_tag(readings)["a/Admin.ProdProcessedCount"][-1] == N


def test_machine_misjudges_items_and_believes_itself():
    text = "name: l\nstations: {a: {time: 1 s, scrap: 20 %}}"
    truth = Truth({"a": StationTruth(false_rejects=0.05, missed_rejects=0.25)})
    plant = VirtualPlant(described(text), truth=truth, values_per_machine=0)
    readings = plant.advance(N + 0.5)
    state = plant.true_state().machines["a"]
    assert near(state.bad_passed, 0.2 * 0.25)
    assert near(state.good_rejected, 0.8 * 0.05)
    assert near(state.defective, 0.2 * 0.75 + 0.8 * 0.05)
    assert by_tag(readings)["a/Admin.ProdDefectiveCount"][-1] == state.defective
    assert plant.true_state().n_scrapped == state.defective


def test_hidden_defect_is_found_by_a_later_inspection_only():
    text = """
name: l
stations:
  a: {time: 1 s, defects: {pore: 10 %}}
  b: {time: 1 s, buffer: {capacity: 5}}
  test: {kind: inspection, time: 1 s, buffer: {capacity: 5}, finds: {defects: {pore: 80 %},
    false_alarm: 2 %}}
"""
    plant = plain_plant(text)
    plant.advance(N + 2.5)
    machines = plant.true_state().machines
    assert machines["a"].defective == machines["b"].defective == 0
    assert near(machines["test"].defective, 0.1 * 0.8 + 0.9 * 0.02)
    assert near(machines["test"].bad_passed, 0.1 * 0.2)
    assert near(machines["test"].good_rejected, 0.9 * 0.02)


def test_what_a_station_misses_is_found_by_an_inspection_for_everything():
    text = """
name: l
stations:
  a: {time: 1 s, scrap: 10 %}
  test: {kind: inspection, time: 1 s, buffer: {capacity: 5}, finds: {defects: all}}
"""
    truth = Truth({"a": StationTruth(missed_rejects=1.0)})
    plant = VirtualPlant(described(text), truth=truth, values_per_machine=0)
    plant.advance(N + 1.5)
    machines = plant.true_state().machines
    assert machines["a"].defective == 0
    assert near(machines["test"].defective, 0.1)
    assert machines["a"].bad_passed >= machines["test"].defective


def test_reworked_items_come_back_repaired_and_are_no_scrap():
    text = """
name: l
stations:
  a: {time: 2 s, defects: {pore: 30 %}}
  test: {kind: inspection, time: 1 s, buffer: {capacity: unlimited},
    finds: {defects: all, rework: mend}, next: out}
  mend: {time: 1 s, buffer: {capacity: unlimited}, repairs: all, next: test}
"""
    plant = plain_plant(text)
    readings = plant.advance(4000.0)
    state = plant.true_state()
    assert state.n_scrapped == 0
    mended = state.machines["mend"].processed
    assert near(mended, 0.3, 2000)
    sent = [g.item for _, _, g in telegrams(readings, "test") if g.detail == "mend"]
    assert len(set(sent)) == len(sent)
    assert state.machines["test"].defective == 0


def test_items_are_shared_out_by_their_shares():
    text = """
name: l
stations:
  a: {time: 1 s, next: [{to: b, share: 70 %}, {to: c, share: 30 %}]}
  b: {time: 0.5 s, buffer: {capacity: unlimited}, next: out}
  c: {time: 0.5 s, buffer: {capacity: unlimited}, next: out}
"""
    readings = plain_plant(text).advance(2000.5)
    assert near(sum(g.detail == "b" for _, _, g in telegrams(readings, "a")), 0.7, 2000)
