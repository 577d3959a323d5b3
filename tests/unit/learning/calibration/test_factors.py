"""Factors multiply the numbers of a factory, and their estimates say so."""

import pytest

from gigatwin.factory.reading import read_text
from gigatwin.learning.calibration.factors import Factor, Scaling, candidates, with_factors

LINE = """
name: line
formats: {x: {}, y: {}}
stations:
  cut:
    time:
      distribution: gamma
      mean: 10 s
      cv: 0.2
      estimates: {mean: {value: 10, low: 9, high: 11, unit: s, n: 50, method: mean, rows: 2-51}}
    stops:
      jam:
        kind: breakdown
        every: 600 s
        duration: {distribution: exponential, mean: 30 s}
      clean: {kind: planned, every: 8 h, duration: 10 min}
  press:
    time: {by_format: {x: 5 s, y: {samples: [4 s, 6 s]}}}
    buffer:
      capacity: 4
      transfer: 3 s
      estimates: {capacity: {value: 4, low: 4, n: 9, method: seen, is_identified: false}}
  pack: {rate: 12 ppm, buffer: {capacity: unlimited}}
arrivals:
  in: {interval: {distribution: exponential, mean: 20 s}, next: cut}
"""


@pytest.fixture
def line():
    return read_text(LINE, "line")


def scaled(line, kind, value, *stations, **scaling):
    factor = Factor(kind, kind, stations, 0.1, {"pack": 7.0})
    return with_factors(line, [(factor, Scaling(value, **scaling))])


def test_times_are_multiplied_and_rates_divided(line):
    found = scaled(line, "time", 1.5, "cut", "press", "pack").stations
    assert found["cut"].time.mean == 15.0
    assert found["press"].time.by_format["x"] == 7.5
    assert found["press"].time.by_format["y"].samples == (6.0, 9.0)
    assert found["pack"].rate == pytest.approx(line.stations["pack"].rate / 1.5)


def test_only_breakdowns_and_micro_stops_are_scaled(line):
    found = scaled(line, "breakdown interval", 0.5, "cut").stations["cut"].stops
    assert found["jam"].every == 300.0
    assert found["clean"] == line.stations["cut"].stops["clean"]
    assert scaled(line, "repair", 2.0, "cut").stations["cut"].stops["jam"].duration.mean == 60.0


def test_transfer_capacity_waits_and_arrivals_are_scaled(line):
    assert scaled(line, "transfer", 2.0, "press").stations["press"].buffer.transfer == 6.0
    assert scaled(line, "capacity", 1.6, "press").stations["press"].buffer.capacity == 6
    assert scaled(line, "waits", 0.5, "pack").stations["pack"].buffer.transfer == 3.5
    assert scaled(line, "arrivals", 2.0, "in").arrivals["in"].interval.mean == 40.0


def test_capacity_never_falls_below_what_was_seen(line):
    assert scaled(line, "capacity", 0.5, "press").stations["press"].buffer.capacity == 4


def test_estimate_keeps_its_source_and_gets_the_new_interval(line):
    found = scaled(line, "time", 1.5, "cut", spread=0.02, method="fitted").stations["cut"]
    estimate = found.time.estimates["mean"]
    assert estimate.value == 15.0
    assert estimate.low == pytest.approx(15.0 / 1.04, rel=1e-3)
    assert (estimate.n, estimate.rows) == (50, "2-51")
    assert estimate.method == "fitted; before: mean"


def test_common_factor_leaves_each_number_its_own_uncertainty(line):
    own = scaled(line, "time", 1.0, "cut", spread=0.02, method="fitted")
    common = scaled(line, "time", 1.0, "cut", spread=0.02, method="fitted", is_common=True)
    widths = [found.stations["cut"].time.estimates["mean"].high for found in (own, common)]
    assert widths[0] < 10.5
    assert widths[1] > 11.0


def test_constant_gets_its_estimate_beside_it(line):
    found = scaled(line, "transfer", 2.0, "press", spread=0.1, method="fitted")
    assert found.stations["press"].buffer.estimates["transfer"].value == 6.0
    grown = scaled(line, "capacity", 2.0, "press", spread=0.5, method="fitted")
    estimate = grown.stations["press"].buffer.estimates["capacity"]
    assert estimate.low == 4.0
    assert estimate.value == 8.0


def test_candidates_are_what_the_factory_has(line):
    found = {factor.name: factor for factor in candidates(line, ["cut"], {"pack": 7.0}, 2.0)}
    assert list(found) == [
        "time of cut",
        "time of the other stations",
        "breakdown interval",
        "repair",
        "transfer",
        "arrivals",
        "capacity",
        "waits",
    ]
    # Twice the relative standard error of the estimate, 1 in 10 over 1.96.
    assert found["time of cut"].spread == pytest.approx(2 * 0.1 / 1.96, rel=1e-3)
    assert found["capacity"].stations == ("press",)
    assert found["waits"].waits == {"pack": 7.0}
