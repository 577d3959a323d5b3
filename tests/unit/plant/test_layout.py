"""What the virtual plant cannot run is refused in one clear sentence."""

import pytest

from gigatwin.errors import CompileError
from gigatwin.factory import load
from gigatwin.plant import VirtualPlant
from gigatwin.plant.names import buffer_element, machine_element, machine_names
from tests.unit.plant.lines import described


@pytest.mark.parametrize(
    ("station", "found"),
    [
        ("{kind: web, rate: 10 m/min, output: {content: 100 m}}", "kind web"),
        ("{time: 5 s, output: {count: 2}}", "an output that differs"),
        (
            "{time: 5 s, stops: {j: {kind: planned, every: 9 h, duration: 1 s, startup_scrap: 1}}}",
            "stop 'j' with startup_scrap",
        ),
        (
            "{time: 5 s, stops: {jam: {kind: planned, every: 10 km, duration: 1 s}}}",
            "stop 'jam' after a length",
        ),
        ("{time: 0 s}", "new items in no time"),
    ],
)
def test_station_that_cannot_run_is_named(station, found):
    factory = described(f"name: l\nstations: {{bad: {station}}}")
    with pytest.raises(CompileError, match=r"^station 'bad': .*the virtual plant runs") as error:
        VirtualPlant(factory)
    assert found in str(error.value)
    assert "\n" not in str(error.value)


def test_vehicles_are_refused():
    factory = described("""
name: l
stations:
  a: {time: 5 s}
  b: {time: 5 s, buffer: {capacity: 3, transfer: 20 s, vehicle: {resource: cart}}}
resources: {cart: {}}
""")
    with pytest.raises(CompileError, match="station 'b': a buffer served by vehicles"):
        VirtualPlant(factory)


def test_whole_plant_with_webs_is_refused():
    with pytest.raises(CompileError, match="station 'cathode_mixing'"):
        VirtualPlant(load("cylindrical-46"))


def test_devices_with_one_name_are_refused():
    factory = described("name: l\nstations: {a: {time: 5 s, machines: 2}, a_1: {time: 5 s}}")
    with pytest.raises(CompileError, match="a_1: two machines or buffers"):
        VirtualPlant(factory)


def test_devices_are_named_after_machines_and_buffers():
    assert machine_names("winding", 1) == ("winding",)
    assert [machine_element(name) for name in machine_names("winding", 2)] == [
        "winding_1", "winding_2"
    ]  # fmt: skip
    assert buffer_element("flattening") == "flattening_buffer"
