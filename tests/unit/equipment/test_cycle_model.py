"""A machine description becomes what a station of a line needs, and nothing is lost on the way."""

import numpy as np
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.equipment.cycle_model import cycle_model
from gigatwin.equipment.model.reading import load_machine
from gigatwin.equipment.motion_energy import energy_per_cycle
from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.errors import FactoryError
from gigatwin.factory.changes import with_changes, with_parameter_set
from gigatwin.factory.durations import Empirical
from gigatwin.factory.reading import load, read_text
from gigatwin.factory.writing import to_yaml, write
from gigatwin.simulation.simulate import simulate
from gigatwin.units import Items

MACHINE = """
name: press
items_per_cycle: 2
formats: {{small: {{height: 80 mm}}, large: {{height: 120 mm}}}}
accepts: {{height: {{low: 50 mm, high: 130 mm}}}}
settings:
  dwell: {{default: 1 s, low: 0.5 s, high: 2 s}}
activities:
  press: {{{cv}steps: [{{process: dwell}}, {{process: height / (0.1 m/s)}}]}}
defects:
  crack: {{least: 0.01}}
  skew: {{least: 0.02, is_seen_here: false}}
stops:
  jam: {{per_cycle: 1 / 100, duration: 30 s}}
energy: {{executing: 2 kW, standby: 1 kW, per_cycle: 500 J}}
"""
LINE = """
name: line
formats: {small: {}, large: {}}
stations:
  pressing: {cycle: press.yaml, machines: 3, next: out}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "press.yaml").write_text(MACHINE.format(cv=""))
    (tmp_path / "line.yaml").write_text(LINE)
    return tmp_path


@pytest.fixture
def line(folder):
    return load(folder / "line.yaml")


def filled(factory):
    return with_cycle_models(factory).stations["pressing"]


def test_time_of_an_item_is_the_cycle_over_its_items(line):
    # 1 s + 0.08 m or 0.12 m at 0.1 m/s, two items a cycle.
    assert filled(line).time.by_format == pytest.approx({"small": 0.9, "large": 1.1})


def test_scrap_and_hidden_defects_are_kept_apart(line):
    station = filled(line)
    assert station.scrap == pytest.approx(0.01)
    assert station.defects == {"skew": pytest.approx(0.02)}


def test_stops_are_counted_in_items_at_random(line):
    stop = filled(line).stops["jam"]
    assert stop.every == Items(200.0)
    assert stop.is_random
    assert stop.duration == 30.0


def test_stops_are_those_of_the_format_that_stops_most(folder):
    text = MACHINE.format(cv="").replace("1 / 100", "height / (8 m)")
    (folder / "press.yaml").write_text(text)
    # Two items a cycle; 120 mm stop in every 66th cycle, 80 mm in every hundredth.
    stop = filled(load(folder / "line.yaml")).stops["jam"]
    assert stop.every.value == pytest.approx(2 * 8 / 0.12)


def test_setting_named_like_a_field_replaces_no_other():
    both = {"filling.settings.rate": "12 ml/s", "filling.settings.vac": "5 s"}
    changed = with_changes(load("equipment-46"), {**both, "filling.settings.time": "1 s"})
    assert set(changed.stations["filling"].settings) == {"rate", "vac", "time"}


def test_energy_goes_with_the_items(line):
    energy = filled(line).energy
    assert (energy.executing, energy.standby, energy.per_item) == (2000.0, 1000.0, 250.0)


def test_energy_of_a_move_is_kinetic_energy_and_friction_over_efficiency():
    model = load_machine("machine-template")
    evaluation = model.evaluate("small")
    # Gantry: 9 kg at 1.2 m/s and 15 N over 0.6 m, there and back; 900 J of the process.
    moves = 2 * (9 * 1.2**2 / 2 + 15 * 0.6) / 0.8
    assert energy_per_cycle(evaluation) == pytest.approx(900 + moves)


def test_what_the_station_gives_comes_first(line):
    changed = with_changes(
        line,
        {
            "pressing.scrap": 0.5,
            "pressing.stops.jam": {"kind": "breakdown", "every": "1 h", "duration": "5 min"},
        },
    )
    station = filled(changed)
    assert station.scrap == 0.5
    assert station.stops["jam"].kind == "breakdown"


def test_settings_of_the_station_reach_the_machine(line):
    changed = with_changes(line, {"pressing.settings.dwell": "0.5 s"})
    assert filled(changed).time.by_format == pytest.approx({"small": 0.65, "large": 0.85})


@pytest.mark.parametrize("value", ["0.5 s", "{by_format: {small: 0.5 s, large: 0.5 s}}"])
def test_parameter_set_gives_settings_that_the_station_left_out(folder, value):
    text = LINE + f"parameter_sets: {{fast: {{pressing.settings.dwell: {value}}}}}\n"
    (folder / "line.yaml").write_text(text)
    changed = with_parameter_set(load(folder / "line.yaml"), "fast")
    assert filled(changed).time.by_format == pytest.approx({"small": 0.65, "large": 0.85})


def test_number_without_unit_is_a_setting_from_python():
    changed = with_changes(load("equipment-46"), {"filling.settings.chambers": 64})
    station = with_cycle_models(changed).stations["filling"]
    # (0.55 s + the residence of 40.325 s) over 16 carriers of four cells.
    assert station.time.by_format["4680"] == pytest.approx((0.55 + 40.325) / 16 / 4)


def test_settings_may_differ_by_format(line):
    given = {"by_format": {"small": "0.6 s", "large": "0.8 s"}}
    changed = with_changes(line, {"pressing.settings.dwell": given})
    assert filled(changed).time.by_format == pytest.approx({"small": 0.7, "large": 1.0})


def test_factory_with_a_machine_reads_back_equal(line, tmp_path):
    changed = with_changes(line, {"pressing.settings.dwell": "0.5 s"})
    write(changed, tmp_path / "changed.yaml")
    again = load(tmp_path / "changed.yaml")
    assert again == changed
    assert again.folder == changed.folder == tmp_path
    assert to_yaml(again) == to_yaml(changed)


def test_filled_factory_can_be_written(line):
    again = read_text(to_yaml(with_cycle_models(line)))
    assert again.stations["pressing"].time.by_format == pytest.approx({"small": 0.9, "large": 1.1})


def test_factory_without_machines_stays_itself():
    factory = load("serial-10")
    assert with_cycle_models(factory) is factory


def test_time_replaces_the_machine_and_its_settings(line):
    with_setting = with_changes(line, {"pressing.settings.dwell": "0.5 s"})
    station = with_changes(with_setting, {"pressing.time": "3 s"}).stations["pressing"]
    assert (station.time, station.cycle, station.settings) == (3.0, None, {})


def test_format_that_the_machine_does_not_list_takes_its_height_from_the_factory(line):
    text = to_yaml(line).replace("large: {}", "large: {}\n  middle: {height: 100 mm}")
    factory = read_text(text).beside(line.folder)
    assert filled(factory).time.by_format["middle"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("press.yaml", "nowhere.yaml", "stations.pressing cycle: nowhere.yaml: .*no such file"),
        ("machines: 3", "kind: batch, size: 2", "kind: batch; must not be batch with a cycle"),
        ("machines: 3", "settings: {dwel: 1 s}", "settings dwel: .*did you mean 'dwell'"),
        ("machines: 3", "settings: {dwell: 9 s}", "dwell: 9 s; must be from 0.5 s to 2 s"),
        ("machines: 3", "settings: {dwell: 9 m}", "dwell: 9 m; must be in s"),
        ("machines: 3", "settings: {dwell: fast}", "dwell: fast; must be a number with its unit"),
        ("large: {}", "tall: {height: 140 mm}", "height: 0.14; must be from 50 mm to 130 mm"),
        ("large: {}", "tall: {}", "tall.*height: missing"),
    ],
)
def test_what_does_not_fit_is_named_with_its_station(folder, old, new, message):
    (folder / "line.yaml").write_text(LINE.replace(old, new))
    with pytest.raises(FactoryError, match=message):
        compile_factory(load(folder / "line.yaml"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("{cycle: winder, time: 1 s}", "give either time or rate, or a cycle"),
        ("{time: 1 s, settings: {v: 1 m/s}}", "settings belong to a cycle"),
        ("{}", "give either time or rate"),
    ],
)
def test_station_has_one_source_of_its_time(fields, message):
    with pytest.raises(FactoryError, match=message):
        read_text(f"name: x\nstations:\n  a: {fields}\n")


def test_random_cycle_becomes_quantiles_with_its_mean(folder):
    (folder / "press.yaml").write_text(MACHINE.format(cv="cv: 0.2, "))
    model = load_machine(folder / "press.yaml")
    found = cycle_model(model.evaluate("small"))
    assert isinstance(found.time, Empirical)
    values = np.array(found.time.quantiles)
    mean = (values.sum() - (values[0] + values[-1]) / 2) / (len(values) - 1)
    # One activity alone: the mean of its duration, within 5 standard errors of 20 000 cycles.
    assert 2 * mean == pytest.approx(1.8, abs=5 * 0.2 * 1.8 / 20_000**0.5)
    assert 2 * mean == pytest.approx(found.cycle_time)


@pytest.mark.compiled
def test_simulated_line_makes_what_its_machine_can(line):
    # Three machines, 0.9 s an item, 30 s of stops in 200 items, 1 % scrap.
    result = simulate(line, days=1.0, replications=4, warm_up=0.0)
    mean, low, high = result.total("throughput_rate")
    exact = 3 * 3600 / (0.9 + 30 / 200) * 0.99
    assert low < exact < high
    assert high - low < 0.03 * mean


@pytest.mark.compiled
def test_library_line_is_limited_by_the_machine_that_the_formulas_name():
    result = simulate(load("equipment-46"), days=0.5, replications=4, warm_up=3600.0)
    assert result.bottleneck.stations == ("grooving",)
    mean, _, _ = result.total("throughput_rate")
    # 52.2 a minute without waiting for each other; buffers of sixty places lose a few per cent.
    assert 0.95 * 52.2 < mean / 60 < 52.3
