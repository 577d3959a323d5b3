"""Calls that later values confirm, and those that they do not."""

import json

import numpy as np

from gigatwin.twin.watch.charts import LevelChart, rate_chart
from gigatwin.twin.watch.detectors import LevelDetector, RateDetector


def judged(seed: int, shift: float) -> str:
    """Return what becomes of a call when scores have a mean from then on."""
    rng = np.random.default_rng(seed)
    detector = LevelDetector(LevelChart(4.0, 0.5))
    time = 0.0
    while not detector.side:
        time += 1.0
        # Whatever made it call: chance, or a change.
        detector.take(time, float(rng.standard_normal() + shift))
    while True:
        time += 1.0
        outcome = detector.take(time, float(rng.standard_normal() + shift))
        if outcome is not None:
            return outcome.kind


def test_most_false_calls_are_dismissed():
    found = [judged(seed, 0.0) for seed in range(300)]
    # Wald's bound is 5 %; with 300 calls 5 standard errors above it are 11 %.
    assert found.count("confirmed") < 0.11 * 300


def test_most_true_calls_are_confirmed():
    found = [judged(seed, 1.0) for seed in range(300)]
    assert found.count("confirmed") > 0.89 * 300


def rate_judged(seed: int, ratio: float) -> str:
    rng = np.random.default_rng(seed)
    detector = RateDetector(rate_chart(50.0, 1.0, 1.0, by_item=False), 1.0)
    time, calls = 0.0, False
    while True:
        gap = float(rng.exponential(1.0 / ratio))
        time += gap
        outcome = detector.take(time, gap, 1)
        if outcome is not None and calls:
            return outcome.kind
        if outcome is not None:
            calls = outcome.side > 0
            if not calls:
                detector.restart(time)


def test_most_false_calls_of_a_rate_are_dismissed():
    found = [rate_judged(seed, 1.0) for seed in range(200)]
    assert found.count("confirmed") < 0.13 * 200


def test_most_true_calls_of_a_rate_are_confirmed():
    found = [rate_judged(seed, 2.5) for seed in range(200)]
    assert found.count("confirmed") > 0.87 * 200


def test_detectors_come_back_from_json_in_the_middle_of_a_check():
    rng = np.random.default_rng(1)
    level = LevelDetector(LevelChart(4.0, 0.5))
    rate = RateDetector(rate_chart(1e3, 1.0, 1.0, by_item=False), 1.0)
    time = 0.0
    while not (level.side and rate.side):
        time += 0.2
        level.take(time, float(rng.standard_normal() + 1.0))
        rate.take(time, 0.2, 1)
    assert LevelDetector.from_dict(json.loads(json.dumps(level.to_dict()))) == level
    assert RateDetector.from_dict(json.loads(json.dumps(rate.to_dict()))) == rate
