"""A machine given as an FMU goes the whole way: description, cycle model, line."""

import shutil

import numpy as np
import pytest

from gigatwin.equipment.cycle_model import cycle_model
from gigatwin.equipment.line import single
from gigatwin.equipment.model.reading import load_machine, read_machine_text
from gigatwin.equipment.tuning import tune
from gigatwin.errors import EquipmentError
from gigatwin.factory.durations import Empirical
from gigatwin.factory.reading import load
from gigatwin.simulation.simulate import simulate
from tests.unit.equipment.fmu_builder import FMI_VERSIONS

MACHINE = """
name: simulated-press
formats: {{small: {{height: 80 mm}}}}
settings:
  speed: {{default: 0.5 m/s, low: 0.2 m/s, high: 1 m/s}}
  jitter: {{default: {jitter}, low: 0 s, high: 0.2 s}}
fmu:
  file: press.fmu
  cycle_time: cycle_time
  counter: cycles
  inputs: {{speed: speed, stroke: 0.2 m + height, wait: 0.1 s, jitter: jitter}}
  step: 10 ms
  cycles: 40
  skip: 2
defects: {{crack: {{least: 0.01}}}}
"""
LINE = "name: line\nformats: {small: {}}\nstations:\n  pressing: {cycle: press.yaml, next: out}\n"


@pytest.fixture(params=FMI_VERSIONS)
def folder(request, machines, tmp_path):
    shutil.copy(machines[request.param], tmp_path / "press.fmu")
    (tmp_path / "press.yaml").write_text(MACHINE.format(jitter="0 s"))
    (tmp_path / "line.yaml").write_text(LINE)
    return tmp_path


def test_fmu_gives_the_cycle_time(folder):
    # (0.2 m + 80 mm) at 0.5 m/s, and 0.1 s.
    model = load_machine(folder / "press.yaml")
    assert float(model.evaluate("small").cycle_time) == pytest.approx(0.66, abs=1e-12)


def test_settings_reach_the_fmu(folder):
    model = load_machine(folder / "press.yaml")
    assert float(model.evaluate("small", {"speed": 1.0}).cycle_time) == pytest.approx(0.38)


def test_several_settings_are_simulated_one_after_the_other(folder):
    model = load_machine(folder / "press.yaml")
    found = model.evaluate("small", {"speed": np.array([0.5, 1.0])}).cycle_time
    assert found == pytest.approx([0.66, 0.38])


def test_recorded_times_become_the_law_of_the_station(folder):
    (folder / "press.yaml").write_text(MACHINE.format(jitter="0.05 s"))
    found = cycle_model(load_machine(folder / "press.yaml").evaluate("small"))
    assert isinstance(found.time, Empirical)
    assert found.cycle_time == pytest.approx(0.66, abs=1e-12)
    assert min(found.time.quantiles) == pytest.approx(0.61, rel=1e-3)
    assert max(found.time.quantiles) == pytest.approx(0.71, rel=1e-3)


@pytest.mark.compiled
def test_line_runs_with_the_fmu(folder):
    result = simulate(load(folder / "line.yaml"), days=0.05, replications=2, warm_up=0.0)
    mean, _, _ = result.total("throughput_rate")
    assert mean == pytest.approx(3600 / 0.66 * 0.99, rel=0.01)


def test_missing_fmu_is_named(tmp_path):
    model = read_machine_text(MACHINE.format(jitter="0 s"), folder=tmp_path)
    with pytest.raises(EquipmentError, match=r"press\.fmu"):
        _ = model.evaluate("small").cycle_time


def test_fmu_cannot_be_tuned(folder):
    with pytest.raises(EquipmentError, match="its machine is an FMU"):
        tune(single(load_machine(folder / "press.yaml")), "small")
