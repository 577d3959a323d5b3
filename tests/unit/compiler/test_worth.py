import pytest

from gigatwin.compiler import compile_factory
from gigatwin.factory import load, read_text

PLANT = """
name: plant
stations:
  coat: {kind: web, rate: 60 m/min, output: {content: 390 m}}
  slit: {kind: web, rate: 60 m/min, output: {count: 4}, next: wind.cathode}
  anode: {kind: web, rate: 60 m/min, output: {content: 195 m}, next: wind.anode}
  wind:
    kind: assembly
    time: 5 s
    inputs: {cathode: {per_item: 3.9 m}, anode: {per_item: 3.9 m}}
  check: {kind: inspection, time: 1 s, finds: {rework: mend}, defects: {dent: 5 %}, next: out}
  mend: {time: 9 s, buffer: {capacity: 50}, repairs: all, next: check}
"""


def test_an_item_is_worth_the_products_it_would_have_become():
    compiled = compile_factory(read_text(PLANT))
    worth = dict(zip(compiled.stations, compiled.products_per_item[:, 0], strict=True))
    # 390 m make 100 cells, half of them for each of two inputs, and a coil gives four strips.
    assert worth == pytest.approx(
        {"coat": 200.0, "slit": 50.0, "anode": 25.0, "wind": 1.0, "check": 1.0, "mend": 1.0}
    )


def test_slurry_of_the_reference_plant_is_worth_thousands_of_cells():
    compiled = compile_factory(load("cylindrical-46"))
    worth = dict(zip(compiled.stations, compiled.products_per_item[:, 0], strict=True))
    # 18 lanes of a coil of 1500 m, 3.9 m a cell, two electrodes.
    assert worth["cathode_slitting"] == pytest.approx(1500 / 3.9 / 2)
    assert worth["cathode_coating"] == pytest.approx(18 * 1500 / 3.9 / 2)
