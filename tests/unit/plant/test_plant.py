"""The plant as a whole: the same seed, the same plant; every tag described; fast enough."""

import pytest

from gigatwin import plant as plant_package
from gigatwin.errors import SimulationError
from gigatwin.factory import load
from gigatwin.plant import Shock, VirtualPlant
from gigatwin.plant.truth import draw_truth
from gigatwin.telemetry import PACKTAGS, Quantity, TagType, quantity_of
from tests.unit.plant.lines import TANGLED, described, hidden_plant, plain_plant, write

TYPES = {
    TagType.BOOLEAN: bool,
    TagType.INTEGER: int,
    TagType.REAL: float,
    TagType.TEXT: str,
}


def test_same_seed_gives_the_same_readings_however_time_is_cut():
    one = hidden_plant(TANGLED, seed=3, values_per_machine=3)
    other = hidden_plant(TANGLED, seed=3, values_per_machine=3)
    whole = one.advance(900.0)
    pieces = [reading for _ in range(3600) for reading in other.advance(0.25)]
    assert whole == pieces
    assert len(whole) > 10_000
    assert one.snapshot() == other.snapshot()
    assert one.true_state() == other.true_state()


def test_another_seed_gives_another_plant():
    first, second = (hidden_plant(TANGLED, seed=seed).advance(300.0) for seed in (1, 2))
    assert first != second


def test_seed_of_the_noise_can_differ_while_the_truth_stays():
    factory = described(TANGLED)
    truth = draw_truth(factory, 1)
    first, second = (
        VirtualPlant(factory, seed=seed, truth=truth).advance(300.0) for seed in (1, 2)
    )
    assert first != second


def test_machine_added_elsewhere_leaves_the_times_of_others_as_they_are():
    short = "name: l\nstations: {a: {time: {distribution: gamma, mean: 5 s, cv: 0.3}}}"
    longer = short[:-1] + ", z: {time: 1 s, buffer: {capacity: unlimited}}}"

    def leaves(text):
        readings = hidden_plant(text, seed=4).advance(500.0)
        return [
            r.source_time for r in readings
            if r.tag == "a/Status.Tracking" and "LEAVE" in r.value
        ]  # fmt: skip

    assert leaves(short) == leaves(longer)


def test_snapshot_has_every_tag_once_with_a_value_of_its_type():
    plant = hidden_plant(TANGLED, values_per_machine=10)
    for _ in range(2):
        snapshot = plant.snapshot()
        tags = plant.tags()
        assert [reading.tag for reading in snapshot] == [tag.name for tag in tags]
        for tag, reading in zip(tags, snapshot, strict=True):
            assert type(reading.value) is TYPES[tag.type], tag
            assert reading.source_time <= plant.now
        plant.advance(600.0)


def test_snapshot_is_what_the_readings_led_to():
    plant = hidden_plant(TANGLED)
    values = {reading.tag: reading for reading in plant.snapshot()}
    for reading in plant.advance(1200.0):
        values[reading.tag] = reading
    assert list(values.values()) == plant.snapshot()


def test_every_machine_has_all_packtags_and_only_orders_are_writable():
    plant = hidden_plant(TANGLED)
    labels = {}
    for tag in plant.tags():
        labels.setdefault(tag.element, {})[tag.label] = tag
    machines = [name.replace("#", "_") for name in plant.true_state().machines]
    for element in machines:
        known = set(labels[element])
        assert set(PACKTAGS.values()) - {PACKTAGS[Quantity.LEVEL]} <= known
        for label, tag in labels[element].items():
            quantity, _ = quantity_of(label)
            assert tag.is_writable == label.startswith("Command."), label
            assert quantity is not Quantity.LEVEL
            assert tag.description
    buffers = set(labels) - set(machines)
    assert buffers == {f"{name.replace('.', '_')}_buffer" for name in plant.true_state().buffers}
    assert all(set(labels[name]) == {"Status.Level"} for name in buffers)


def test_number_of_measured_values_can_be_chosen():
    plant = VirtualPlant(load("assembly-46"), values_per_machine=65)
    assert len(plant.tags()) > 2000
    assert len({tag.name for tag in plant.tags()}) == len(plant.tags())


def test_measured_values_are_noisy_and_lower_while_the_machine_stands():
    plant = plain_plant("name: l\nstations: {a: {time: 5 s}}", values_per_machine=3)

    def mean(readings, tag):
        values = [r.value for r in readings if r.tag == tag]
        assert len(set(values)) == len(values) == 100
        return sum(values) / len(values)

    running = plant.advance(100.0)
    write(plant, "a/Command.CntrlCmd", 3)
    plant.advance(10.0)
    standing = plant.advance(100.0)
    tag = "a/Status.Value.temperature"
    assert mean(standing, tag) < 0.9 * mean(running, tag)


def test_measured_cycle_time_has_the_noise_of_its_sensor():
    plant = hidden_plant("name: l\nstations: {a: {time: 5 s}}", values_per_machine=1)
    values = [r.value for r in plant.advance(100.0) if r.tag == "a/Status.Value.cycle_time"]
    assert all(4.0 < value < 6.5 for value in values)
    assert len(set(values)) == len(values)


def test_time_goes_forward_only():
    plant = plain_plant("name: l\nstations: {a: {time: 5 s}}")
    with pytest.raises(SimulationError, match="must be 0 s or more"):
        plant.advance(-1.0)
    assert plant.advance(0.0) != []
    assert plant.advance(0.0) == []
    assert plant.elapsed == 0.0


@pytest.mark.parametrize("options", [{"values_per_machine": -1}, {"value_interval": 0.0}])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(SimulationError, match="virtual plant"):
        VirtualPlant(described("name: l\nstations: {a: {time: 5 s}}"), **options)


def test_shock_at_an_unknown_station_is_refused():
    factory = described("name: l\nstations: {a: {time: 5 s}}")
    with pytest.raises(SimulationError, match=r"shock at 'b': no such station.*must be one of a"):
        VirtualPlant(factory, shocks=[Shock("b", 1.0, 1.05)])


def test_package_shows_nothing_of_the_truth():
    exported = {name.lower() for name in plant_package.__all__}
    assert {name for name in exported if "truth" in name} == set()
    plant = hidden_plant("name: l\nstations: {a: {time: 5 s}}")
    public = [name for name in dir(plant) if not name.startswith("_")]
    # A class method that reads a file, and what can be seen by standing beside the line.
    assert {name for name in public if "tru" in name} == {"from_truth_file", "true_state"}


@pytest.mark.parametrize("name", ["assembly-46", "equipment-46", "serial-10", "machine-repair"])
def test_lines_of_the_library_run(name):
    plant = VirtualPlant(load(name), seed=2)
    plant.advance(900.0)
    state = plant.true_state()
    assert state.n_created == state.n_finished + state.n_scrapped + state.n_inside
    assert state.n_created > 50
