"""What a log does not show directly is found from what the whole line does."""

import numpy as np
import polars as pl
import pytest

from gigatwin.events.case_log import CaseLog
from gigatwin.events.visits import visits_of
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings
from gigatwin.factory.reading import read_text
from gigatwin.factory.validation import validate
from gigatwin.factory.writing import to_data
from gigatwin.learning.calibration import calibration
from gigatwin.learning.calibration.calibration import calibrate
from gigatwin.learning.check.verification import verify
from gigatwin.simulation.sampling import trace_of

pytestmark = pytest.mark.compiled

SHOP = """
name: shop
stations:
  cut: {time: {distribution: gamma, mean: 8 s, cv: 0.3}, buffer: {capacity: unlimited}}
  press:
    time: {distribution: gamma, mean: 9 s, cv: 0.3}
    buffer: {capacity: unlimited, transfer: 30 s}
arrivals:
  in: {interval: {distribution: exponential, mean: 15 s}, next: cut}
"""
JAM = """
name: jam
stations:
  press:
    time: {distribution: gamma, mean: 10 s, cv: 0.1}
    stops:
      jam: {kind: breakdown, every: 300 s, duration: {distribution: exponential, mean: 20 s}}
  pack:
    time: {distribution: gamma, mean: 9 s, cv: 0.1}
    buffer: {capacity: 3}
"""


def log_of(text, length, seed=99, warm_up=500.0):
    factory = read_text(text, "line")
    visits = visits_of(trace_of(factory, warm_up + length, seed, warm_up=warm_up))
    return CaseLog(visits.filter(pl.col("activity").is_in(list(factory.stations))))


@pytest.fixture(scope="module")
def waits():
    """Return a calibration of a shop whose way to the press is not in its description."""
    unaware = read_text(SHOP.replace(", transfer: 30 s", ""), "line")
    log = log_of(SHOP, 8000.0)
    return unaware, log, calibrate(unaware, log, particles=60, rounds=4)


def test_wait_that_queueing_does_not_explain_is_found(waits):
    _, _, found = waits
    press = found.factory.stations["press"].buffer
    assert press.transfer == pytest.approx(30.0, rel=0.06)
    estimate = press.estimates["transfer"]
    assert estimate.low < 30.0 < estimate.high
    assert estimate.method.startswith("ABC-SMC")
    assert found.factory.stations["cut"].buffer.transfer == 0
    assert any("Waits that queueing does not explain" in note for note in found.notes)


def test_calibrated_line_agrees_with_the_log(waits):
    unaware, log, found = waits
    before, after = found.mismatch
    assert before > 5
    assert after < 1.5
    line = [f.quantity for f in verify(unaware, log).differences if not f.station]
    assert "lead time mean" in line
    assert [f for f in verify(found.factory, log).differences if not f.station] == []


def test_calibrated_factory_is_a_valid_description(waits):
    _, _, found = waits
    findings = Findings("calibrated")
    assert validate(Factory, to_data(found.factory), findings) is not None
    findings.raise_if_any()


def test_tables_tell_prior_posterior_and_fit(waits):
    _, _, found = waits
    table = found.table()
    assert "waits" in table["factor"].to_list()
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()
    summary = found.summary_table()
    assert summary["summary"].to_list()[0] == "throughput"
    assert np.isfinite(summary["after"].to_numpy()).all()


def test_number_that_disagrees_with_the_log_moves_beyond_its_interval():
    known = "estimates: {mean: {value: 10, low: 9.9, high: 10.1, unit: s, n: 99, method: mean}}"
    text = JAM.replace("mean: 10 s, cv: 0.1", f"mean: 10 s, cv: 0.1, {known}")
    log = log_of(JAM.replace("mean: 10 s", "mean: 11.5 s"), 12_000.0)
    done = []
    found = calibrate(
        read_text(text, "line"),
        log,
        particles=60,
        rounds=4,
        progress=lambda share, wanted: done.append((share, wanted)),
    )
    press = found.factory.stations["press"].time
    assert press.mean > 10.3
    assert any("beyond its prior interval" in note for note in found.notes)
    assert press.estimates["mean"].value == press.mean
    assert len(found.factors) <= 6
    assert sum(share for share, _ in done) > 100


def test_long_log_is_calibrated_with_shorter_simulations(monkeypatch):
    monkeypatch.setattr(calibration, "_MOST_VISITS", 200)
    found = calibrate(read_text(JAM, "line"), log_of(JAM, 6000.0), particles=20, rounds=2)
    assert "% as long as the log" in found.notes[0]
    # The line is right as it is: no factor leaves its prior interval.
    assert not any("beyond its prior interval" in note for note in found.notes)
    reach = np.exp(3 * np.array([factor.spread for factor in found.factors]))
    means = found.table()["mean"].to_numpy()
    assert ((means < reach) & (means > 1 / reach)).all()
