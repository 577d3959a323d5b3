"""Are posterior intervals as wide as they say? Simulation-based calibration by ranks [1]_.

A parameter is drawn from the prior, data are simulated with it, and its posterior is sampled from
these data. If the posterior is right, the rank of the true parameter among the posterior draws is
uniform: a heap in the middle means intervals too wide, heaps at the ends too narrow ones.

References
----------
.. [1] S. Talts et al., "Validating Bayesian inference algorithms with simulation-based
   calibration", arXiv:1804.06788 (2018).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigatwin.errors import StudyError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Data = TypeVar("Data")
_LEAST_IN_A_BIN = 5


@dataclass(frozen=True)
class RankHistogram:
    """Ranks of true parameters among posterior draws, in bins of equal width."""

    counts: Integers
    """Number of trials in each bin, shape (n_bins, d)."""
    p_values: Floats
    """Probability of counts at least as uneven from a right posterior, shape (d,)."""
    ranks: Integers
    """Shape (n_trials, d), from 0 to the number of draws."""
    n_draws: int
    """Posterior draws in each trial."""


def sbc_ranks(  # noqa: PLR0913, PLR0917 - the parts of a trial, and how many
    prior_draw: Callable[[np.random.Generator], Floats],
    simulate: Callable[[Floats, int], Data],
    posterior_sample: Callable[[Data, int], Floats],
    n_trials: int,
    seed: int = 1,
    done: Callable[[], None] | None = None,
) -> Integers:
    """Return the rank of the truth among posterior draws in each trial.

    Parameters
    ----------
    prior_draw : callable
        From a random generator to parameters, shape (d,).
    simulate : callable
        From parameters and a seed to data.
    posterior_sample : callable
        From data and a seed to equally weighted posterior draws, shape (n_draws, d).
    n_trials : int
        Number of trials, at least 1.
    seed : int
        Chooses all random numbers; each trial has its own.
    done : callable, optional
        Called after each trial.

    Returns
    -------
    ndarray
        Draws below the truth; among draws equal to it, it takes a place at random. Shape
        (n_trials, d).
    """
    _check(n_trials >= 1, "n_trials", n_trials, "1 or more")
    ranks = []
    for sequence in np.random.SeedSequence(seed).spawn(n_trials):
        random = np.random.default_rng(sequence)
        truth = np.asarray(prior_draw(random), dtype=np.float64)
        seeds = random.integers(1, 2**31, size=2)
        draws = posterior_sample(simulate(truth, int(seeds[0])), int(seeds[1]))
        ties = (draws == truth).sum(axis=0)
        ranks.append((draws < truth).sum(axis=0) + random.integers(0, ties + 1))
        if done is not None:
            done()
    return np.array(ranks, dtype=np.int64)


def rank_histogram(ranks: Integers, n_draws: int, n_bins: int | None = None) -> RankHistogram:
    """Return how evenly ranks are spread, with a chi-square test for each parameter.

    Parameters
    ----------
    ranks : ndarray
        As `sbc_ranks` returns them, shape (n_trials, d).
    n_draws : int
        Posterior draws in each trial; ranks go from 0 to this.
    n_bins : int, optional
        Number of bins, a divisor of ``n_draws + 1``; left out, the largest one that leaves at
        least 5 trials to a bin.

    Raises
    ------
    StudyError
        If the bins cannot be of equal width, or there are too few trials for two bins.
    """
    ranks = np.asarray(ranks, dtype=np.int64).reshape(len(ranks), -1)
    n_trials, n_ranks = len(ranks), n_draws + 1
    if n_bins is None:
        most = n_trials // _LEAST_IN_A_BIN
        n_bins = max(
            (n for n in range(1, n_ranks + 1) if n_ranks % n == 0 and n <= most), default=1
        )
    _check(n_bins > 1, "trials", n_trials, "enough for 2 bins or more of 5 trials each")
    _check(n_ranks % n_bins == 0, "n_bins", n_bins, f"a divisor of {n_ranks}, the possible ranks")
    bins = ranks * n_bins // n_ranks
    counts = np.array([np.bincount(column, minlength=n_bins) for column in bins.T]).T
    expected = n_trials / n_bins
    squares = ((counts - expected) ** 2 / expected).sum(axis=0)
    return RankHistogram(
        counts=counts,
        p_values=np.asarray(special.chdtrc(n_bins - 1, squares)),
        ranks=ranks,
        n_draws=n_draws,
    )


def _check(holds: bool, name: str, found: object, required: str) -> None:  # noqa: FBT001 - a condition
    if not holds:
        message = f"rank calibration {name}: {found}; must be {required}."
        raise StudyError(message)
