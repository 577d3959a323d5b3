"""Lead times from a histogram with bins of equal width on a logarithmic scale.

A bin is a 32nd of an octave wide, so a quantile read from the histogram is within 2.2 % of the
exact one, and histograms of replications and machines can be added.
"""

import math

import numpy as np
import numpy.typing as npt

BINS_PER_OCTAVE = 32
LOWEST_OCTAVE = -10
N_BINS = 1600


def bin_edges() -> npt.NDArray[np.float64]:
    """Return the edges of the bins, float64, shape (n_bins + 1,) [s].

    The first bin also has all shorter times, the last one all longer times.
    """
    return np.asarray(np.exp2(np.arange(N_BINS + 1) / BINS_PER_OCTAVE + LOWEST_OCTAVE))


def count_lead_times(lead_times: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the histogram of lead times [s], int64, shape (n_bins,)."""
    times = np.asarray(lead_times, dtype=np.float64)
    # A time below the first edge, 0 included, belongs to the first bin.
    octaves = np.log2(np.maximum(times, 2.0**LOWEST_OCTAVE)) - LOWEST_OCTAVE
    index = np.minimum(np.floor(BINS_PER_OCTAVE * octaves), N_BINS - 1).astype(np.int64)
    return np.bincount(index, minlength=N_BINS)


def quantile(counts: npt.ArrayLike, probability: float) -> float:
    """Return a quantile of the times counted, NaN if there are none.

    Parameters
    ----------
    counts : array_like
        Number of lead times in each bin; shape (n_bins,).
    probability : float
        Share of the times that are no longer, 0 to 1. [-]

    Returns
    -------
    float
        Time that lies in the bin of the exact quantile, interpolated on the logarithmic scale. [s]
    """
    if not 0.0 <= probability <= 1.0:
        message = f"quantile probability: {probability:g}; must be 0 to 1 (0.95, not 95)."
        raise ValueError(message)
    cumulative = np.cumsum(np.asarray(counts, dtype=np.int64))
    total = int(cumulative[-1])
    if total == 0:
        return math.nan
    rank = max(probability * total, 1.0)
    index = int(np.searchsorted(cumulative, rank, side="left"))
    below = int(cumulative[index - 1]) if index else 0
    # The times of a bin are taken to sit at the middles of equal parts of it.
    inside = (math.ceil(rank) - below - 0.5) / (int(cumulative[index]) - below)
    return float(np.exp2((index + inside) / BINS_PER_OCTAVE + LOWEST_OCTAVE))


def histogram_mean(counts: npt.ArrayLike) -> float:
    """Return the mean of the times counted, taken at the middles of their bins [s].

    NaN if there are none; within 1.1 % of the exact mean if no time lies outside the bins.
    """
    numbers = np.asarray(counts, dtype=np.float64)
    total = float(numbers.sum())
    if total == 0.0:
        return math.nan
    edges = bin_edges()
    return float(numbers @ (0.5 * (edges[1:] + edges[:-1]))) / total


__all__ = [
    "BINS_PER_OCTAVE",
    "LOWEST_OCTAVE",
    "N_BINS",
    "bin_edges",
    "count_lead_times",
    "histogram_mean",
    "quantile",
]
