import numpy as np
import pytest

from gigatwin.factory import read_text
from gigatwin.simulation import simulate

pytestmark = pytest.mark.compiled

SLIT = """
name: slit
stations:
  coat: {kind: web, rate: 60 m/min, output: {content: 600 m}}
  slit: {kind: web, rate: 120 m/min, buffer: {capacity: 2}, output: {count: 3}}
  wind: {time: 100 s, buffer: {capacity: 4}}
"""


def test_oee_of_a_deterministic_line_is_the_share_of_design_time():
    result = simulate(read_text(SLIT), days=1, replications=1, warm_up=0.0)
    oee = dict(result.stations.select("station", "oee_index").iter_rows())
    # 600 s a coil at the coater and 300 s at the slitter; three strips of 100 s at the winder.
    assert oee["coat"] == pytest.approx(1.0, abs=0.01)
    assert oee["slit"] == pytest.approx(0.5, abs=0.01)
    assert oee["wind"] == pytest.approx(0.5, abs=0.01)
    effectiveness = result.stations["effectiveness"].to_numpy()
    np.testing.assert_allclose(effectiveness, 1.0, atol=0.01)


def test_oee_of_a_line_is_that_of_its_constraint_times_quality():
    text = """
name: two
stations:
  slow: {time: 4 s, scrap: 10 %}
  fast: {time: 1 s, buffer: {capacity: 5}}
"""
    result = simulate(read_text(text), days=1, replications=2, warm_up=0.0)
    assert result.lines["oee_index"][0] == pytest.approx(0.9, abs=0.01)
    assert result.lines["quality_ratio"][0] == pytest.approx(0.9, abs=0.01)
