"""Truths: drawn by a seed, read from files, and never quite what the description says."""

import dataclasses

import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory import load
from gigatwin.plant import VirtualPlant
from gigatwin.plant.truth import draw_truth, plain_truth, read_truth, truth_text
from tests.unit.plant.lines import TANGLED, described, times

FACTORY = described(TANGLED)


def test_truth_is_drawn_by_its_seed():
    assert draw_truth(FACTORY, 5) == draw_truth(FACTORY, 5)
    assert draw_truth(FACTORY, 5) != draw_truth(FACTORY, 6)


def test_station_keeps_its_truth_when_others_are_added():
    few = described("name: l\nstations: {a: {time: 5 s}}")
    more = described("name: l\nstations: {z: {time: 1 s}, a: {time: 5 s, buffer: {capacity: 1}}}")
    assert draw_truth(few, 1).stations["a"] == draw_truth(more, 1).stations["a"]


def test_drawn_truth_differs_from_the_description_by_a_few_per_cent():
    factory = load("assembly-46")
    factors = [
        station.cycle.mean_factor
        for seed in range(20)
        for station in draw_truth(factory, seed).stations.values()
    ]
    assert all(0.9 < factor < 1.15 for factor in factors)
    assert sum(abs(factor - 1) > 0.01 for factor in factors) > 0.7 * len(factors)
    shapes = {
        stop.shape for s in draw_truth(factory, 1).stations.values() for stop in s.stops.values()
    }
    assert max(shapes) < 1


@pytest.mark.parametrize("truth", [plain_truth(FACTORY), draw_truth(FACTORY, 3)])
def test_truth_comes_back_from_its_file(truth, tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text(truth_text(truth), encoding="utf-8")
    assert read_truth(FACTORY, file) == truth


def test_file_says_only_what_differs(tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text(
        "stations:\n  press: {scrap_factor: 2, cycle: {mean_factor: 1.1}}\n", encoding="utf-8"
    )
    plain = plain_truth(FACTORY).stations["press"]
    found = read_truth(FACTORY, file).stations["press"]
    assert found.scrap_factor == 2.0
    assert found.cycle == dataclasses.replace(plain.cycle, mean_factor=1.1)
    assert found.speed == plain.speed


def test_file_can_begin_with_a_drawn_truth(tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text("seed: 3\nstations: {press: {scrap_factor: 2}}\n", encoding="utf-8")
    found, drawn = read_truth(FACTORY, file), draw_truth(FACTORY, 3)
    assert found.stations["oven"] == drawn.stations["oven"]
    assert found.stations["press"] == dataclasses.replace(drawn.stations["press"], scrap_factor=2.0)


def test_plant_runs_with_the_truth_of_a_file(tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text("stations: {a: {cycle: {mean_factor: 1.25}}}\n", encoding="utf-8")
    factory = described("name: l\nstations: {a: {time: 4 s}}")
    plant = VirtualPlant.from_truth_file(factory, file)
    start = plant.now
    assert times(plant.advance(16.0), "a", "LEAVE", start) == [5.0, 10.0, 15.0]


def test_empty_file_is_as_described(tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text("", encoding="utf-8")
    assert read_truth(FACTORY, file) == plain_truth(FACTORY)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stations: {pres: {}}", "stations pres: pres; must be a known name here; did you mean"),
        ("stations: {press: {cycle: {mean: 1}}}", "stations.press.cycle mean"),
        ("stations: {press: {cycle: {mean_factor: fast}}}", "must be a number"),
        ("stations: {press: {cycle: {mean_factor: 0}}}", "must be at least 0.01"),
        ("stations: {press: {cycle: {floor: 1}}}", "must be at least 0 and at most 0.99"),
        ("stations: {press: {cycle: {family: normal}}}", "must be one of constant, exponential"),
        ("stations: {press: {scrap_factor: -1}}", "must be at least 0"),
        ("stations: {press: {scrap_factor: .inf}}", "must be at least 0"),
        ("stations: {press: 3}", "must be a mapping"),
        ("stations: {cutting: {stops: {jam: {shape: 0}}}}", "must be at least 0.01"),
        ("stations: {cutting: {stops: {jan: {shape: 1}}}}", "did you mean 'jam'"),
        ("seed: one", "must be a whole number"),
        ("[1, 2]", "must be a mapping"),
        ("stations: {", "must be a YAML file"),
    ],
)
def test_file_that_cannot_be_used_is_refused(text, problem, tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FactoryError) as error:
        read_truth(FACTORY, file)
    assert problem in str(error.value)
    assert str(file) in str(error.value)


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FactoryError, match="must be a YAML file that can be read"):
        read_truth(FACTORY, tmp_path / "nothing.yaml")


def test_all_problems_of_a_file_are_said_at_once(tmp_path):
    file = tmp_path / "truth.yaml"
    file.write_text("sensor_noise: x\nstations: {press: {scrap_factor: -1}, a: {}}\n", "utf-8")
    with pytest.raises(FactoryError) as error:
        read_truth(FACTORY, file)
    assert len(error.value.problems) == 3
