"""Numbers are drawn from their estimates: with the stated quantiles, each with its own stream."""

import numpy as np
import pytest

from gigatwin.factory.changes import with_changes
from gigatwin.factory.reading import read_text
from gigatwin.factory.uncertainty import drawn, has_estimates
from gigatwin.units import Items

LINE = """
name: learned
formats: {{A: {{}}, B: {{}}, C: {{}}}}
arrivals:
  gate:
    interval: 10 s
    formats: {{A: 0.5, B: 0.3, C: 0.2}}
    next: a
    estimates:
      formats.A: {{value: 0.5, low: 0.4, high: 0.6, n: 100, method: m}}
      formats.B: {{value: 0.3, low: 0.2, high: 0.4, n: 100, method: m}}
stations:
  a:
    {number}
    next: [{{to: b, share: 0.3{route}}}, {{to: c, share: 0.7{other}}}]
  b: {{time: 1 s, next: out}}
  c: {{time: 1 s, next: out}}
"""
N = 2000
ENDS = [0.025, 0.5, 0.975]


def line(number="time: 12 s", route="", other=""):
    return read_text(LINE.format(number=number, route=route, other=other))


def draws(number, pick):
    factory = line(number)
    return np.array([pick(drawn(factory, 1, k).stations["a"]) for k in range(N)])


def estimate(value, low, high=None, n=100, **rest):
    parts = {"value": value, "low": low, "high": high, "n": n, "method": "m", **rest}
    return "{" + ", ".join(f"{k}: {v}" for k, v in parts.items() if v is not None) + "}"


@pytest.mark.parametrize(
    ("number", "pick", "expected"),
    [
        (
            f"time: 12 s\n    estimates: {{time: {estimate(12, 9, 18)}}}",
            lambda a: a.time,
            (9, 12, 18),
        ),
        (
            (
                "time: {distribution: gamma, mean: 12 s, cv: 0.5, "
                f"estimates: {{cv: {estimate(0.5, 0.4, 0.7)}}}}}"
            ),
            lambda a: a.time.cv,
            (0.4, 0.5, 0.7),
        ),
        (
            (
                f"rate: {{by_format: {{A: 6 ppm, B: 6 ppm, C: 6 ppm}}}}\n"
                f"    estimates: {{rate.by_format.B: {estimate(0.1, 0.05, 0.2)}}}"
            ),
            lambda a: a.rate.by_format["B"],
            (0.05, 0.1, 0.2),
        ),
        (
            f"time: 1 s\n    scrap: 1 %\n    estimates: {{scrap: {estimate(0.01, 0.005, 0.04)}}}",
            lambda a: a.scrap,
            (0.005, 0.01, 0.04),
        ),
        (
            (
                f"time: 1 s\n    defects: {{x: 97 %}}\n"
                f"    estimates: {{defects.x: {estimate(0.97, 0.9, 0.99)}}}"
            ),
            lambda a: a.defects["x"],
            (0.9, 0.97, 0.99),
        ),
        (
            f"time: {{samples: [8 s, 16 s], estimates: {{mean: {estimate(12, 9, 18)}}}}}",
            lambda a: sum(a.time.samples) / 2,
            (9, 12, 18),
        ),
        (
            f"time: {{quantiles: [4 s, 4 s, 20 s], estimates: {{mean: {estimate(8, 6, 10)}}}}}",
            lambda a: a.time.quantiles[2],
            (15, 20, 25),
        ),
    ],
)
def test_ends_of_the_interval_are_the_quantiles_of_the_draws(number, pick, expected):
    found = np.quantile(draws(number, pick), ENDS)
    np.testing.assert_allclose(found, expected, rtol=0.12)
    assert found[1] == pytest.approx(expected[1], rel=0.05)


def test_samples_are_scaled_together():
    number = f"time: {{samples: [8 s, 16 s], estimates: {{mean: {estimate(12, 9, 18)}}}}}"
    one = drawn(line(number), 1, 0).stations["a"].time.samples
    assert one[1] == pytest.approx(2 * one[0])
    assert one[0] != 8.0


@pytest.mark.parametrize(
    ("law", "pick"),
    [
        ("{distribution: gamma, mean: 12 s, cv: 0.5}", lambda time: time.mean),
        ("{samples: [4 s, 20 s]}", lambda time: sum(time.samples) / 2),
        ("{distribution: uniform, low: 8 s, high: 16 s}", lambda time: (time.low + time.high) / 2),
    ],
)
def test_estimate_beside_a_law_is_about_its_mean(law, pick):
    number = f"time: {law}\n    estimates: {{time: {estimate(12, 9, 18)}}}"
    found = np.quantile(draws(number, lambda a: pick(a.time)), ENDS)
    np.testing.assert_allclose(found, (9, 12, 18), rtol=0.12)


def test_estimate_in_a_law_comes_before_one_beside_it():
    law = (
        f"{{distribution: gamma, mean: 12 s, cv: 0.5, estimates: {{mean: {estimate(12, 12, 12)}}}}}"
    )
    number = f"time: {law}\n    estimates: {{time: {estimate(12, 9, 18)}}}"
    assert drawn(line(number), 1, 0).stations["a"].time.mean == 12.0


def test_number_without_upper_end_is_as_wide_above_as_below():
    number = f"time: 12 s\n    estimates: {{time: {estimate(12, 6)}}}"
    found = np.quantile(draws(number, lambda a: a.time), ENDS)
    np.testing.assert_allclose(found, (6, 12, 24), rtol=0.12)


def test_share_that_was_never_seen_is_drawn_from_its_beta_posterior():
    number = f"time: 1 s\n    estimates: {{scrap: {estimate(0, 0, 0.02, n=200)}}}"
    found = draws(number, lambda a: a.scrap)
    # Mean and standard deviation of Beta(0.5, 200.5).
    mean, variance = 0.5 / 201, 0.5 * 200.5 / (201**2 * 202)
    assert found.mean() == pytest.approx(mean, abs=5 * (variance / N) ** 0.5)
    assert found.min() > 0


def test_share_whose_interval_leaves_0_to_1_is_drawn_within_it():
    found = draws(
        f"time: 1 s\n    scrap: 0.5\n    estimates: {{scrap: {estimate(0.5, -0.1, 1.2, n=0)}}}",
        lambda a: a.scrap,
    )
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert np.quantile(found, 0.5) == pytest.approx(0.5, abs=0.05)


def test_time_whose_interval_touches_zero_stays_above_it():
    number = (
        f"time: {{distribution: exponential, mean: 1 s, estimates: {{mean: {estimate(1, 0, 2)}}}}}"
    )
    found = draws(number, lambda a: a.time.mean)
    assert found.min() > 0
    assert np.quantile(found, 0.975) == pytest.approx(2, rel=0.1)


def test_cv_stays_within_what_is_allowed():
    number = (
        f"time: {{distribution: gamma, mean: 12 s, cv: 8, estimates: {{cv: {estimate(8, 4, 16)}}}}}"
    )
    found = draws(number, lambda a: a.time.cv)
    assert found.max() == 10
    assert found.min() > 0


def test_count_that_is_identified_stays():
    number = f"time: 1 s\n    machines: 3\n    estimates: {{machines: {estimate(3, 2, 5)}}}"
    assert set(draws(number, lambda a: a.machines)) == {3}


def test_capacity_of_which_a_bound_is_known_is_drawn_up_to_twice_the_bound():
    number = (
        "time: 1 s\n    buffer: {capacity: 4, "
        f"estimates: {{capacity: {estimate(4, 4, is_identified='false')}}}}}"
    )
    found, counts = np.unique(draws(number, lambda a: a.buffer.capacity), return_counts=True)
    assert found.tolist() == [4, 5, 6, 7, 8]
    assert counts.min() > 0.85 * N / 5


def test_items_between_stops_stay_whole():
    number = (
        "time: 1 s\n    stops: {knife: {kind: planned, every: 50 items, duration: 9 s, "
        f"estimates: {{every: {estimate(50, 40, 60)}}}}}}}"
    )
    found = drawn(line(number), 1, 0).stations["a"].stops["knife"].every
    assert isinstance(found, Items)
    assert found.value == int(found.value) != 50


def test_shares_of_ways_are_drawn_together_from_the_dirichlet_posterior():
    share = ", estimates: {{share: {}}}"
    factory = line(
        route=share.format(estimate(0.3, 0.2, 0.4)), other=share.format(estimate(0.7, 0.6, 0.8))
    )
    found = np.array([[w.share for w in drawn(factory, 1, k).stations["a"].next] for k in range(N)])
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    # The first of Dirichlet(30.5, 70.5) is Beta.
    mean, variance = 30.5 / 101, 30.5 * 70.5 / (101**2 * 102)
    assert found[:, 0].mean() == pytest.approx(mean, abs=5 * (variance / N) ** 0.5)
    assert found[:, 0].std() == pytest.approx(variance**0.5, rel=0.06)


def test_formats_with_estimates_share_what_the_others_leave():
    mixes = [drawn(line(), 1, k).arrivals["gate"].formats for k in range(50)]
    assert {mix["C"] for mix in mixes} == {0.2}
    np.testing.assert_allclose([sum(mix.values()) for mix in mixes], 1, rtol=1e-12)
    assert np.std([mix["A"] for mix in mixes]) > 0.02


def test_draw_depends_on_seed_and_replication_alone():
    factory = line(f"time: 12 s\n    estimates: {{time: {estimate(12, 9, 18)}}}")
    assert drawn(factory, 3, 4) == drawn(factory, 3, 4)
    found = {drawn(factory, s, k).stations["a"].time for s in range(3) for k in range(3)}
    assert len(found) == 9


def test_element_added_elsewhere_changes_no_other_draw():
    number = f"time: 12 s\n    estimates: {{time: {estimate(12, 9, 18)}}}"
    factory = line(number)
    more = {"kind": "planned", "every": "8 h", "duration": "60 s"}
    new = {"time": "3 s", "next": "out"}
    larger = with_changes(factory, {"a.stops": {"service": more}, "stations.new": new})
    assert drawn(larger, 1, 0).stations["a"].time == drawn(factory, 1, 0).stations["a"].time


def test_drawn_factory_has_no_estimates_and_the_first_one_keeps_them():
    factory = line()
    assert has_estimates(factory)
    assert not has_estimates(drawn(factory, 1, 0))
    assert has_estimates(factory)
