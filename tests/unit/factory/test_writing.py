import os

import pytest

from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.reading import library_names, load, read_text
from gigatwin.factory.resources import Crew, Resource, Shifts, ShiftStep
from gigatwin.factory.stations import BatchStation, Buffer, DiscreteStation
from gigatwin.factory.stops import Stop
from gigatwin.factory.writing import to_yaml, write
from gigatwin.units import Items, Length

FACTORY = Factory(
    name="Line: 1",
    description="yes",
    resources={
        "crew": Resource(shifts=Shifts(steps=(ShiftStep(at=21_600.0, capacity=2),))),
    },
    stations={
        "a": DiscreteStation(
            time=1 / 3,
            scrap=1e-7,
            sources={"time": "est, range 8-20 ppm [46-series: section 2]"},
            stops={
                "jam": Stop(
                    kind="breakdown",
                    every=Items(5000.0),
                    duration=0.1 + 0.2,
                    crew=Crew(resource="crew", quantity=2),
                ),
                "knife": Stop(kind="planned", every=Length(200_000.0), duration=60.0),
            },
        ),
        "no": BatchStation(kind="batch", size=4, rate=7 / 60, buffer=Buffer(capacity="unlimited")),
    },
    arrivals={"x": Arrivals(interval=12.0, next="a")},
    parameter_sets={"fast": {"a.speed": 1.5, "a.time": "0.2 s", "a.next": [{"to": "no"}]}},
)


def test_written_factory_reads_back_equal():
    assert read_text(to_yaml(FACTORY)) == FACTORY


@pytest.mark.parametrize("name", library_names())
def test_written_template_reads_back_equal(name):
    factory = load(name)
    text = to_yaml(factory)
    assert read_text(text) == factory
    assert to_yaml(read_text(text)) == text


def test_defaults_are_left_out_and_units_are_written():
    text = to_yaml(Factory(name="x", stations={"a": DiscreteStation(time=1800.0)}))
    assert text == "name: x\n\nstations:\n  a: {time: 30 min}\n"


def test_file_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "line.yaml"
    path.write_text("old")
    write(FACTORY, path)
    assert load(path) == FACTORY
    assert [entry.name for entry in tmp_path.iterdir()] == ["line.yaml"]


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "line.yaml"
    path.write_text("old")

    def fail(*_):
        message = "disk full"
        raise OSError(message)

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write(FACTORY, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["line.yaml"]
