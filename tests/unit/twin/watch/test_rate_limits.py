"""Run lengths of charts that count, against the full Markov chain and a closed form."""

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest

from gigatwin.errors import StudyError
from gigatwin.twin.watch.rate_limits import (
    CELLS,
    rate_limit,
    run_lengths,
    slope_of,
    steps_in_time,
)


def full_chain(direction: int, cells: int, p: float, n_cells: int) -> float:
    """Return the mean run length by solving for every state of the chain."""
    matrix = np.eye(n_cells)
    for state in range(n_cells):
        if direction > 0:
            drained = max(state - 1, 0)
            matrix[state, drained] -= 1 - p
            if drained + cells < n_cells:
                matrix[state, drained + cells] -= p
        else:
            if state + 1 < n_cells:
                matrix[state, state + 1] -= 1 - p
            matrix[state, max(0, state + 1 - cells)] -= p
    return float(np.linalg.solve(matrix, np.ones(n_cells))[0])


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("cells", "p"), [(5, 0.12), (20, 0.03), (40, 0.012)])
def test_one_recursion_gives_what_the_full_chain_gives_for_every_limit(direction, cells, p):
    found = run_lengths(direction, cells, p, 6 * cells)
    for limit in (1, 2, cells - 1, cells, cells + 1, 2 * cells, 3 * cells + 1, 6 * cells):
        expected = full_chain(direction, cells, p, limit)
        assert found[limit - 1] == pytest.approx(expected, rel=1e-8)


def exact_in_time(slope: float, limit: float) -> float:
    r"""Return the mean time until a drained Poisson count of rate 1 exceeds a limit.

    The sum is the workload of an M/D/1 queue. With the scale function W of its dual, a drift less
    a Poisson process, the mean is W(h)^2 / W'(h) less the integral of W over (0, h) (M. R.
    Pistorius, J. Theor. Probab. 17 (2004) 183-220).
    """
    getcontext().prec = 60
    ratio, rest = 1 / Decimal(slope), 1 / Decimal(slope)

    def scale(x: Decimal) -> Decimal:
        terms = (
            (ratio * (j - x)) ** j / math.factorial(j) * (ratio * (x - j)).exp()
            for j in range(int(x) + 1)
        )
        return rest * sum(terms, Decimal(0))

    h = Decimal(limit)
    step = Decimal("1e-12")
    slope_here = (scale(h + step) - scale(h)) / step
    n = 1000
    width = h / n
    area = width * sum((scale(width * (k + Decimal("0.5"))) for k in range(n)), Decimal(0))
    return float(scale(h) ** 2 / slope_here - area)


@pytest.mark.parametrize("limit", [2.5, 4.5, 8.5])
def test_counts_in_running_time_agree_with_the_closed_form(limit):
    chance, step = steps_in_time(1)
    found = run_lengths(1, CELLS, chance, 9 * CELLS)[round(limit * CELLS) - 1] * step
    assert found == pytest.approx(exact_in_time(slope_of(1), limit), rel=5e-3)


def test_a_falling_rate_in_running_time_agrees_with_a_simulation():
    slope, limit, n = slope_of(-1), 3.5, 40_000
    rng = np.random.default_rng(1)
    climbed, time, is_over = np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
    while not is_over.all():
        gaps = rng.exponential(1.0, n)
        hits = (climbed + slope * gaps >= limit) & ~is_over
        time = np.where(is_over, time, time + np.where(hits, (limit - climbed) / slope, gaps))
        is_over |= hits
        climbed = np.maximum(climbed + slope * gaps - 1.0, 0.0)
    chance, step = steps_in_time(-1)
    found = run_lengths(-1, CELLS, chance, 4 * CELLS)[round(limit * CELLS) - 1] * step
    assert found == pytest.approx(time.mean(), rel=0.025)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_chart_drifts_neither_way_between_the_two_rates(direction):
    ratio = 2.0**direction
    # The mean of the log likelihood ratio is below 0 before the change and above 0 after it.
    assert min(1.0, ratio) < slope_of(direction) < max(1.0, ratio)
    assert slope_of(direction, 1e-7) == pytest.approx(slope_of(direction), rel=1e-5)
    # p1 = 0.04 against p0 = 0.02, M. R. Reynolds and Z. G. Stoumbos (1999), equation (4).
    expected = -math.log(0.96 / 0.98) / math.log(0.04 * 0.98 / (0.02 * 0.96)) / 0.02
    assert slope_of(1, 0.02) == pytest.approx(expected)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("probability", [0.0, 0.02, 1e-5])
def test_the_limit_gives_the_wanted_run_length(direction, probability):
    wanted = 1e5
    found = rate_limit(wanted, direction, probability)
    if probability >= 1e-3:
        cells, chance, step = round(1 / (found.slope * probability)), probability, probability
    else:
        cells, (chance, step) = CELLS, steps_in_time(direction)
    lengths = run_lengths(direction, cells, chance, round(found.limit * cells)) * step
    assert lengths[-1] >= wanted > lengths[-2]


def test_a_simulated_chart_runs_as_long_as_was_calculated():
    found = rate_limit(40.0, 1)
    rng = np.random.default_rng(1)
    n, drained = 3000, np.zeros(3000)
    time, ends = np.zeros(n), np.full(n, np.nan)
    while np.isnan(ends).any():
        gaps = rng.exponential(1.0, n)
        time += gaps
        drained = np.maximum(drained - found.slope * gaps, 0.0) + 1.0
        over = (drained >= found.limit) & np.isnan(ends)
        ends[over] = time[over]
    # 5 standard errors of a nearly exponential law over 3000 runs are 9 %.
    assert ends.mean() == pytest.approx(40.0, rel=0.12)


@pytest.mark.parametrize(
    ("arl0", "ratio", "probability"), [(0.0, 2.0, 0.0), (10.0, 1.0, 0.0), (10.0, 2.0, 0.7)]
)
def test_what_is_out_of_range_is_refused(arl0, ratio, probability):
    with pytest.raises(StudyError, match="rate chart: arl0"):
        rate_limit(arl0, 1, probability, ratio)


def test_a_run_length_beyond_every_limit_is_refused():
    with pytest.raises(StudyError, match="needs a limit above 60 events"):
        rate_limit(1e9, 1, 0.0, 1.05)
