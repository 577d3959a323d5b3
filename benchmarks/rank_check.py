"""Whether posteriors of the calibration are as wide as they should be: ranks over many lines.

A line is drawn from the prior and simulated; its numbers' ranks among posterior draws are uniform
if the posterior is right (Talts et al., arXiv 1804.06788, 2018).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gigatwin.factory.reading import read_text
from gigatwin.learning.calibration.abc_smc import Settings, abc_smc
from gigatwin.learning.calibration.factors import Factor, Scaling, with_factors
from gigatwin.learning.calibration.rank_calibration import rank_histogram, sbc_ranks
from gigatwin.learning.check.log_replications import LogWindow, simulated_measures

_LINE = """
name: pair
stations:
  first:
    time: {distribution: gamma, mean: 10 s, cv: 0.3}
    stops:
      jam: {kind: breakdown, every: 600 s, duration: {distribution: exponential, mean: 60 s}}
  second:
    time: {distribution: gamma, mean: 10 s, cv: 0.3}
    buffer: {capacity: 5}
    stops:
      jam: {kind: breakdown, every: 600 s, duration: {distribution: exponential, mean: 60 s}}
"""
_STATIONS = ("first", "second")
_FACTORS = (
    Factor("time", "time", _STATIONS, 0.1),
    Factor("breakdown interval", "breakdown interval", _STATIONS, 0.4),
)
_WINDOW = LogWindow(_STATIONS, 2000.0, 20_000.0, keeps_unfinished=False, keeps_unbegun=False)
_DRAWS, _BINS = 19, 10


def p_values(n_trials: int) -> dict[str, float]:
    """Return for each unknown the probability of ranks so uneven if all is right (chi-square).

    Parameters
    ----------
    n_trials : int
        Lines drawn from the prior; 10 bins of ranks need some 50.
    """
    factory = read_text(_LINE, "pair")
    spreads = np.array([factor.spread for factor in _FACTORS])
    prior = {factor.name: stats.norm(0.0, factor.spread) for factor in _FACTORS}

    def summaries(x: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        scaled = [(f, Scaling(float(np.exp(v)))) for f, v in zip(_FACTORS, x, strict=True)]
        found = simulated_measures(with_factors(factory, scaled), _WINDOW, seed)
        first = found.stations["first"]
        figures = [found.throughput.mean, *found.lead_time_quantiles(0.1, 0.5, 0.9)]
        figures += [found.in_process.mean, first.mean, *first.quantiles(0.5, 0.99)]
        return np.log(figures)

    errors = np.std([summaries(np.zeros(2), seed) for seed in range(20)], axis=0)

    def posterior(data: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        settings = Settings(particles=100, rounds=4, seed=seed)
        return abc_smc(prior, summaries, data, errors, settings).draws(_DRAWS, seed)

    ranks = sbc_ranks(
        lambda random: random.normal(0.0, spreads), summaries, posterior, n_trials, seed=1
    )
    found = rank_histogram(ranks, _DRAWS, _BINS).p_values
    return {factor.name: float(p) for factor, p in zip(_FACTORS, found, strict=True)}
