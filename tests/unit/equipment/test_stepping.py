"""The recursion over cycles, against a simulation event by event (machine_stepper.py).

Where durations are drawn, seeds are fixed, and a right program is further than 5 standard errors
from an exact mean with a chance of 1 in 1.7 million; from the mean of 20 batches, whose standard
error is itself estimated (Student's t, 19 degrees of freedom), of 1 in 12 000.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import norm

from gigatwin.equipment.cycle_model import cycle_model
from gigatwin.equipment.model.reading import load_machine, read_machine_text
from gigatwin.equipment.stepping import cycle_times, draw_durations, is_random
from tests.unit.equipment.machine_stepper import (
    drawn_durations,
    machine_texts,
    mean_durations,
    start_times,
)

LIBRARY = ("winder", "collector-welder", "can-inserter", "groover", "filler", "crimper")
SKIP, ROUND = 600, 240
"""Cycles until a machine has its rhythm; and those of one, for 12, 16 or 20 carriers."""
CYCLES = 20_000
BATCHES = 20


def dial(station_a, station_b, index="{process: 1 s}", cv=0.0):
    return read_machine_text(f"""
        name: dial
        formats: {{only: {{}}}}
        items_per_cycle: 2
        activities:
          a: {{steps: [{station_a}], after: {{index: 0}}, cv: {cv}}}
          b: {{steps: [{station_b}], after: {{index: 0}}, cv: {cv}}}
          index: {{steps: [{index}], after: {{a: 1, b: 1}}}}
    """)


def bernoulli_dial():
    return dial("{process: 1 s}, {process: 2 s, probability: 0.1}", "{process: 1.5 s}")


def lognormal_dial():
    return dial("{process: 2 s}", "{process: 2 s}", cv=0.3)


def carousel():
    return read_machine_text("""
        name: carousel
        formats: {only: {}}
        activities:
          load: {steps: [{process: 0.9 s}, {timer: 1 s, times: 2, probability: 0.05}]}
          fill: {steps: [{process: 11 s}], places: 12, cv: 0.2}
        circulating: {carrier: {count: 12, path: [load, fill]}}
    """)


def gantry():
    return read_machine_text("""
        name: gantry
        formats: {only: {}}
        activities:
          carry: {steps: [{process: 0.8 s}], cv: 0.15}
          return: {steps: [{process: 0.7 s}], after: {release: 1}}
          hand_over: {steps: [{handshake: 0.1 s}], after: {carry: 0}}
          push: {steps: [{process: 0.9 s}, {process: 1 s, probability: 0.03}], cv: 0.25}
          release: {steps: [{process: 0.3 s}], overlap: 0.1 s}
        circulating:
          gripper: {path: [carry, return]}
          nest: {count: 2, path: [hand_over, push, release]}
    """)


RANDOM = {
    "bernoulli dial": bernoulli_dial,
    "lognormal dial": lognormal_dial,
    "carousel": carousel,
    "gantry": gantry,
}
every_random_machine = pytest.mark.parametrize("name", list(RANDOM))


def random_settings(model, rng):
    """Return settings anywhere in their ranges."""
    return {
        name: float(rng.choice(found.steps) if found.steps else rng.uniform(found.low, found.high))
        for name, found in model.settings.items()
    }


def assert_equals_events(evaluation, durations, skip=0):
    """Check the recursion against the cycles of one of the activities, by its starts or ends."""
    starts = start_times(evaluation, durations)
    # None leaves before the one ahead of it.
    ends = np.maximum.accumulate(starts + durations, axis=0)
    exact = np.diff(np.hstack([starts, ends]), axis=0)[skip:].T
    found = cycle_times(evaluation, durations, skip=skip)
    assert any(np.allclose(found, column, rtol=0, atol=1e-9) for column in exact)


def assert_keeps_the_pace(evaluation):
    durations = mean_durations(evaluation, SKIP + ROUND + 1)
    ends = start_times(evaluation, durations) + durations
    periods = (ends[-1] - ends[SKIP]) / ROUND
    np.testing.assert_allclose(periods, evaluation.cycle_time, rtol=1e-9)
    recursion = cycle_times(evaluation, durations, skip=SKIP)
    assert len(recursion) == ROUND
    assert recursion.mean() == pytest.approx(evaluation.cycle_time, rel=1e-9)


@pytest.mark.parametrize("name", LIBRARY)
def test_library_machine_keeps_its_pace_event_by_event(name):
    model = load_machine(name)
    rng = np.random.default_rng(46)
    for product_format in model.dimensions:
        assert_keeps_the_pace(model.evaluate(product_format))
        for _ in range(2):
            assert_keeps_the_pace(model.evaluate(product_format, random_settings(model, rng)))


@pytest.mark.compiled
@given(machine_texts(connected=True, is_random=True))
def test_recursion_equals_events_on_the_same_durations(text):
    evaluation = read_machine_text(text).evaluate("only")
    durations = draw_durations(evaluation, 40, np.random.default_rng(46))
    assert_equals_events(evaluation, durations)
    assert_equals_events(evaluation, durations, skip=7)


def test_carriers_keep_their_order_where_several_are_under_way():
    evaluation = read_machine_text("""
        name: two baths
        formats: {only: {}}
        activities:
          load: {steps: [{process: 1 s}]}
          soak: {steps: [{process: 4 s}], places: 4, cv: 0.5}
          dry: {steps: [{process: 4 s}], places: 4, cv: 0.5}
          unload: {steps: [{process: 1 s}]}
        circulating: {carrier: {count: 12, path: [load, soak, dry, unload]}}
    """).evaluate("only")
    durations = draw_durations(evaluation, 500, np.random.default_rng(46))
    assert_equals_events(evaluation, durations)


@every_random_machine
def test_random_machine_equals_events_on_the_same_durations(name):
    evaluation = RANDOM[name]().evaluate("only")
    assert is_random(evaluation)
    durations = draw_durations(evaluation, 2_000, np.random.default_rng(47))
    assert_equals_events(evaluation, durations)


@pytest.mark.parametrize("name", RANDOM)
def test_drawn_durations_have_their_mean_and_cv(name):
    evaluation = RANDOM[name]().evaluate("only")
    durations = draw_durations(evaluation, 40_000, np.random.default_rng(48))
    exact = mean_durations(evaluation, 1)[0]
    errors = np.maximum(durations.std(axis=0, ddof=1) / math.sqrt(40_000), 1e-12)
    assert np.all(np.abs(durations.mean(axis=0) - exact) < 5 * errors)
    others = drawn_durations(evaluation, 40_000, np.random.default_rng(49))
    np.testing.assert_allclose(durations.std(axis=0), others.std(axis=0), rtol=0.05, atol=1e-12)


def test_factor_makes_drawn_durations_longer():
    model = lognormal_dial()
    factor = model.activities[0].factor
    drawn = [
        draw_durations(model.evaluate("only", factors=factors), 50, np.random.default_rng(50))
        for factors in (None, {factor: 1.25})
    ]
    np.testing.assert_allclose(drawn[1], drawn[0] * [1.25, 1, 1], rtol=1e-12)


def test_cycle_that_waits_for_a_second_try_has_the_exact_mean():
    # The cycle is 1 s and the slower of 1.5 s and 1 s, or of 1.5 s and 3 s in a tenth of cycles.
    exact = 1 + 0.9 * 1.5 + 0.1 * 3.0
    error = 1.5 * math.sqrt(0.1 * 0.9 / CYCLES)
    evaluation = bernoulli_dial().evaluate("only")
    assert evaluation.cycle_time == pytest.approx(2.5, rel=1e-15)
    assert abs(cycle_model(evaluation).cycle_time - exact) < 5 * error


def test_cycle_that_waits_for_two_lognormal_stations_has_the_exact_mean():
    # The larger of two lognormal numbers of mean m has the mean 2 m Phi(sigma / sqrt(2)).
    sigma = math.sqrt(math.log(1 + 0.3**2))
    exact = 1 + 2 * 2.0 * norm.cdf(sigma / math.sqrt(2))
    # Its variance is at most that of both together (B. Efron, C. Stein, 1981).
    error = math.sqrt(2) * 0.3 * 2.0 / math.sqrt(CYCLES)
    assert abs(cycle_model(lognormal_dial().evaluate("only")).cycle_time - exact) < 5 * error
    assert 5 * error < 0.01 * exact


@every_random_machine
def test_mean_of_the_cycle_model_is_that_of_other_draws(name):
    evaluation = RANDOM[name]().evaluate("only")
    durations = drawn_durations(evaluation, SKIP + CYCLES, np.random.default_rng(51))
    ends = (start_times(evaluation, durations) + durations)[:, -1]
    batches = np.diff(ends[SKIP - 1 :: CYCLES // BATCHES]) / (CYCLES // BATCHES)
    assert len(batches) == BATCHES
    # Both are means of 20 000 cycles.
    error = math.sqrt(2) * batches.std(ddof=1) / math.sqrt(BATCHES)
    model = cycle_model(evaluation)
    assert abs(model.cycle_time - batches.mean()) < 5 * error
    assert 5 * error < 0.03 * model.cycle_time
    # A cycle waits for the slowest of what runs side by side.
    assert model.cycle_time > evaluation.cycle_time + 5 * error


@every_random_machine
def test_law_of_the_cycle_has_exactly_its_mean(name):
    model = RANDOM[name]()
    found = cycle_model(model.evaluate("only"))
    quantiles = np.array(found.time.quantiles) * model.machine.items_per_cycle
    # Linear between equally likely steps, so that each step has the mean of its ends.
    mean = ((quantiles[:-1] + quantiles[1:]) / 2).mean()
    assert mean == pytest.approx(found.cycle_time, rel=1e-12)
    assert np.all(np.diff(quantiles) >= 0)


def test_law_of_the_cycle_has_the_exact_spread():
    # Moment r of the larger of two lognormal numbers is 2 m^r exp(r (r-1) sigma^2 / 2) times
    # Phi(r sigma / sqrt(2)); the turn adds none.
    sigma = math.sqrt(math.log(1 + 0.3**2))
    first, second = (
        2 * 2.0**r * math.exp(r * (r - 1) * sigma**2 / 2) * norm.cdf(r * sigma / math.sqrt(2))
        for r in (1, 2)
    )
    low, high = (
        2 * np.array(cycle_model(lognormal_dial().evaluate("only")).time.quantiles)[part]
        for part in (slice(None, -1), slice(1, None))
    )
    # Linear between quantiles. 20 000 cycles know a standard deviation to 1 %.
    variance = ((low**2 + low * high + high**2) / 3).mean() - ((low + high) / 2).mean() ** 2
    assert math.sqrt(variance) == pytest.approx(math.sqrt(second - first**2), rel=0.05)


def test_cycle_without_chance_is_a_constant():
    evaluation = dial("{process: 2 s}", "{process: 3 s}").evaluate("only")
    assert not is_random(evaluation)
    assert cycle_model(evaluation).time == pytest.approx(2.0, rel=1e-15)


def test_chance_that_never_delays_the_cycle_leaves_it_a_constant():
    evaluation = dial("{process: 1 s}, {timer: 1 s, probability: 0.5}", "{process: 3 s}")
    found = cycle_model(evaluation.evaluate("only"))
    assert found.time == pytest.approx(2.0, rel=1e-12)
    assert found.cycle_time == pytest.approx(4.0, rel=1e-12)


def test_slowest_activity_sets_the_pace_wherever_it_stands():
    model = read_machine_text("""
        name: press with a feeder
        formats: {only: {}}
        activities:
          press: {steps: [{process: 2 s}], after: {feed: 0}}
          feed: {steps: [{process: 1 s}]}
    """)
    evaluation = model.evaluate("only")
    found = cycle_times(evaluation, mean_durations(evaluation, 300))
    assert found.mean() == pytest.approx(evaluation.cycle_time, rel=1e-9)
