"""Tables of estimates: for each quantity a mean and its interval over replications."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

from gigatwin.kpi.statistics import IntervalKind

CONFIDENCE = 0.95
"""Level of the intervals."""


def half_widths(
    values: NDArray[np.float64], confidence: float = CONFIDENCE, kind: IntervalKind = "mean"
) -> NDArray[np.float64]:
    """Return the half-width of the interval of each column.

    Parameters
    ----------
    values : numpy.ndarray
        One row for each replication. float64, shape (n_replications, n_elements)
    confidence : float
        Level of the interval.
    kind : str
        Whether it is the interval of the mean or of one more value, as in `mean_interval`.

    Returns
    -------
    numpy.ndarray
        Student's t half-widths, NaN with fewer than two values. shape (n_elements,)
    """
    known = np.isfinite(values)
    n = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=0) / n
        squares = np.where(known, (values - mean) ** 2, 0.0).sum(axis=0)
        error = np.sqrt(squares / (n - 1) * (1.0 / n + (kind == "prediction")))
        width = scipy.special.stdtrit(np.maximum(n - 1, 1), 0.5 + confidence / 2) * error
    return np.asarray(np.where(n > 1, width, np.nan))


def estimates(
    names: Mapping[str, Sequence[str] | Sequence[int | None]],
    quantities: Mapping[str, NDArray[np.float64]],
    confidence: float = CONFIDENCE,
    kind: IntervalKind = "mean",
) -> pl.DataFrame:
    """Return a table with three columns for each quantity: its mean, ``_low`` and ``_high``.

    Parameters
    ----------
    names : mapping
        Columns that say what each row is.
    quantities : mapping
        Name with unit, such as ``"throughput_rate [1/h]"``, to values by replication. float64,
        shape (n_replications, n_rows)
    confidence : float
        Level of the intervals.
    kind : str
        Whether they are intervals of the mean or of one more value, as in `mean_interval`.
    """
    columns: dict[str, Sequence[object] | NDArray[np.float64]] = dict(names)
    for name, values in quantities.items():
        known = np.isfinite(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
        width = half_widths(values, confidence, kind)
        plain, _, unit = name.partition(" ")
        suffix = f" {unit}" if unit else ""
        columns[name] = mean
        columns[f"{plain}_low{suffix}"] = mean - width
        columns[f"{plain}_high{suffix}"] = mean + width
    return pl.DataFrame(columns)
