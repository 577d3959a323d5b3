"""What explains the modes of a duration: the next station, the format, where a transport goes.

A machine that works in several modes is better foretold when the mode is known beforehand. Each
attribute of an activity is tried: one sample for each of its levels, against one sample for all.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.learning.times.law_scores import crps
from gigatwin.learning.times.laws import LawChoice, choose_law

Array = NDArray[np.float64]

_N_BLOCKS = 5
_FIRST_SHARE = 0.5
_LEAST = 20
_LEAST_PER_LEVEL = 5
_MOST_LEVELS = 20
_LEAST_GAIN = 0.05
_LEAST_T = 1.0


@dataclass(frozen=True)
class Explanation:
    """An attribute that explains part of the scatter of a duration."""

    attribute: str
    """Name of the attribute."""
    gain: float
    """By how much knowing it lowers the held-out CRPS, as a share."""
    laws: Mapping[str, LawChoice]
    """Level of the attribute to its law; rare levels are in ``others``."""
    counts: Mapping[str, int]
    """Level to number of observations."""
    others: LawChoice | None
    """Law of all levels with fewer than 5 observations together; None where there are none."""
    gains: Mapping[str, float]
    """The same for all attributes that were tried."""

    def __str__(self) -> str:
        """Return the explanation in words."""
        return (
            f"{self.attribute} ({len(self.counts)} levels) lowers the held-out CRPS by "
            f"{self.gain:.0%}"
        )


def with_neighbours(visits: pl.DataFrame) -> pl.DataFrame:
    """Return visits with the columns ``previous`` and ``next``: stations of the same case.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case and station (or, without it, machine), in the order of the starts. At the
        ends of a case the neighbour is empty text.
    """
    place = pl.col("station" if "station" in visits.columns else "machine")
    return visits.with_columns(
        previous=place.shift(1).over("case").fill_null(""),
        next=place.shift(-1).over("case").fill_null(""),
    )


def explain(
    values: Array, attributes: pl.DataFrame, *, times: Array | None = None, rows: str = ""
) -> Explanation | None:
    """Return the attribute that foretells later durations best, if one does.

    Parameters
    ----------
    values : ndarray
        Durations. Shape (n,). [s]
    attributes : polars.DataFrame
        What was known of each activity, one column each; null is a level of its own. n rows.
    times : ndarray, optional
        When they were observed; left out, they are in the order of time. Shape (n,). [s]
    rows : str
        Rows of the log, for the estimates.

    Returns
    -------
    Explanation or None
        None with fewer than 20 observations, or if no attribute with at most 20 levels lowers the
        held-out CRPS by 5 % and by one standard error of its gain over the blocks.
    """
    usable = np.isfinite(values) & (np.nan_to_num(values, nan=-1.0) >= 0)
    order = np.flatnonzero(usable)
    if times is not None:
        order = order[np.argsort(np.asarray(times)[order], kind="stable")]
    durations = np.asarray(values, dtype=np.float64)[order]
    if len(durations) < _LEAST:
        return None
    gains: dict[str, float] = {}
    for name in attributes.columns:
        levels = _levels(attributes[name])[order]
        if not 1 < len(np.unique(levels)) <= _MOST_LEVELS:
            continue
        gain, error = _gain(durations, levels)
        gains[name] = gain
        if gain < _LEAST_T * error:
            gains[name] = min(gain, 0.0)
    best = max(gains, key=lambda name: gains[name], default=None)
    if best is None or gains[best] < _LEAST_GAIN:
        return None
    levels = _levels(attributes[best])[order]
    names, counts = np.unique(levels, return_counts=True)
    common = names[counts >= _LEAST_PER_LEVEL]
    rare = ~np.isin(levels, common)
    return Explanation(
        attribute=best,
        gain=gains[best],
        laws={str(name): choose_law(durations[levels == name], rows=rows) for name in common},
        counts={str(name): int(count) for name, count in zip(names, counts, strict=True)},
        others=choose_law(durations[rare], rows=rows) if rare.any() else None,
        gains=gains,
    )


def _levels(column: pl.Series) -> NDArray[np.str_]:
    return np.asarray(column.cast(pl.String).fill_null("").to_list(), dtype=np.str_)


def _gain(durations: Array, levels: NDArray[np.str_]) -> tuple[float, float]:
    """Return the relative gain in CRPS on later blocks, and its standard error."""
    n = len(durations)
    edges = np.linspace(_FIRST_SHARE * n, n, _N_BLOCKS + 1).astype(int)
    pooled, known = [], []
    for begin, end in itertools.pairwise(edges):
        past, actual = durations[:begin], durations[begin:end]
        score = crps(past, actual)
        parts = 0.0
        for level in np.unique(levels[begin:end]):
            own = past[levels[:begin] == level]
            here = actual[levels[begin:end] == level]
            parts += len(here) * crps(own if len(own) >= _LEAST_PER_LEVEL else past, here)
        pooled.append(score)
        known.append(parts / len(actual))
    base = float(np.mean(pooled))
    if base <= 0:
        return 0.0, 0.0
    differences = (np.asarray(pooled) - np.asarray(known)) / base
    return float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(_N_BLOCKS)
