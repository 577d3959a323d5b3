"""What formats change: processing times by format, and the time to change from one to the next.

A changeover is what passes between two items of different formats beyond what passes between two of
the same, counted only where the next item was already there: a machine that starves is not being
changed over. Some logs let an item enter before its machine is set up; then the changeover is
inside its visit, and is found there.
"""

import math
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Duration
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stops import Changeover, ChangeoverTime
from gigatwin.learning.times.durations import empirical_law

Floats = NDArray[np.float64]
Pair = tuple[str, str]

SIGNIFICANCE = 0.001
"""Probability of a difference by chance above which one law is used for all formats."""
_ALIKE = 0.005
_CONSTANT_CV = 0.02
_OUTLIER_DEVIATIONS = 6.0
_SAME_MOMENT = 1e-3
_FEW = 2


@dataclass(frozen=True)
class FormatTimes:
    """Processing times of a station by format."""

    differ: bool
    """Whether the means of the formats differ: significantly, and by more than 0.5 %."""
    p_value: float
    """Probability of such differences by chance; 1 with a single format."""
    time: Duration | ByFormat[Duration]
    """One law, or one for each format."""
    means: dict[str, Estimate]
    """Mean of each format, without outliers. [s]"""


@dataclass(frozen=True)
class Changeovers:
    """The changeovers of a station."""

    changeover: Changeover | None
    """For a description; None where no time is needed, or none could be seen."""
    means: dict[Pair, Estimate]
    """Mean of each pair seen: format before and after. [s]"""
    not_seen: tuple[Pair, ...]
    """Pairs that never happened, or only while the machine starved."""
    place: Literal["between", "inside"]
    """Whether the time passes between two visits, or inside the visit of the new format."""
    n_left_out: int
    """Changes after which the machine had to wait for the next item anyway."""
    is_identified: bool
    """Whether the log tells changeovers from starving."""
    note: str
    """The finding in words."""


def format_times(
    times: Floats, formats: NDArray[np.str_], rows: NDArray[np.integer] | None = None
) -> FormatTimes:
    """Return the processing times by format, or one law where formats do not differ.

    Parameters
    ----------
    times : ndarray
        Processing times. Shape (n,), n at least 1. [s]
    formats : ndarray
        Format of each item. Shape (n,).
    rows : ndarray, optional
        Rows of the log. Shape (n,).
    """
    times, formats = np.asarray(times, np.float64), np.asarray(formats)
    names = [str(name) for name in np.unique(formats)]
    chosen = {name: formats == name for name in names}
    groups = {name: _without_outliers(times[mask]) for name, mask in chosen.items()}
    p_value = _chance_of_equal_means(list(groups.values()))
    centres = [float(values.mean()) for values in groups.values()]
    apart = max(centres) - min(centres) > _ALIKE * max(*centres, 0.0, 1e-300)
    differ = bool(p_value < SIGNIFICANCE and apart)
    means = {
        name: _mean(groups[name], None if rows is None else rows[chosen[name]]) for name in names
    }
    if not differ:
        return FormatTimes(differ, p_value, empirical_law(times), means)
    laws = {name: empirical_law(times[chosen[name]]) for name in names}
    return FormatTimes(differ, p_value, ByFormat[Duration](by_format=laws), means)


def find_changeovers(visits: pl.DataFrame) -> Changeovers:
    """Return the changeovers of a station.

    Parameters
    ----------
    visits : polars.DataFrame
        Visits of one station: columns machine, start, end and format; ``row`` where known; and
        ``ready``, the moment from which the item could have been taken in (when it left the
        station before, plus the transfer). Without it, waiting for items counts as changeover.

    Returns
    -------
    Changeovers
        ``changeover`` is None where a change of format takes no extra time.
    """
    has_ready = "ready" in visits.columns and visits["ready"].null_count() < visits.height
    steps = _steps(visits, has_ready=has_ready)
    formats = sorted(str(name) for name in visits["format"].drop_nulls().unique())
    pairs = list(permutations(formats, 2))
    changed, same = steps.filter("is_change"), steps.filter(~pl.col("is_change"))
    n_changes = changed.height
    changed, same = changed.filter("is_waiting"), same.filter("is_waiting")
    n_left_out = n_changes - changed.height
    place: Literal["between", "inside"] = "between"
    if changed.height == 0 or same.height == 0:
        why = (
            "one format only"
            if len(formats) < _FEW
            else f"{n_changes} changes of format, {changed.height} of them with the next item "
            f"waiting, and {same.height} items that waited and were of the same format; needs both"
        )
        note = f"Changeover times not identified: {why}."
        return Changeovers(None, {}, tuple(pairs), place, n_left_out, len(formats) < _FEW, note)
    excess = {part: _excess(changed, same, part) for part in ("gap", "stay")}
    part = max(excess, key=lambda name: float(np.median(excess[name][0])))
    place = "between" if part == "gap" else "inside"
    values, usual = excess[part]
    keys = np.array(changed.select(pl.concat_str("before", "format", separator="\0")).to_series())
    by_pair = {pair: np.flatnonzero(keys == "\0".join(pair)) for pair in pairs}
    by_pair = {pair: places for pair, places in by_pair.items() if len(places)}
    rows = changed["row"].cast(pl.Int64).to_numpy() if "row" in changed.columns else None
    means = {
        pair: _mean(np.maximum(values[places], 0.0), None if rows is None else rows[places])
        for pair, places in by_pair.items()
    }
    not_seen = tuple(pair for pair in pairs if pair not in means)
    if not _is_longer(values, usual):
        note = (
            f"No changeover time: {len(values)} items of a new format took no longer to begin than "
            "others."
        )
        return Changeovers(None, means, not_seen, place, n_left_out, has_ready, note)
    groups = {pair: np.maximum(values[places], 0.0) for pair, places in by_pair.items()}
    return Changeovers(
        _changeover(groups, means, rows),
        means,
        not_seen,
        place,
        n_left_out,
        has_ready,
        _note(means, not_seen, n_left_out, has_ready=has_ready),
    )


def formats_before(visits: pl.DataFrame) -> pl.Series:
    """Return the format before each visit at its machine, in the order of the visits.

    Null for the first of a machine, and for visits without a format or a time.
    """
    places = visits.with_row_index("_place")
    known = _ordered(places).select("_place", "before")
    return places.join(known, on="_place", how="left", maintain_order="left")["before"]


def _ordered(visits: pl.DataFrame) -> pl.DataFrame:
    ordered = visits.drop_nulls(["start", "end", "format"]).sort("machine", "start", "end")
    return ordered.with_columns(before=pl.col("format").shift(1).over("machine"))


def _steps(visits: pl.DataFrame, *, has_ready: bool) -> pl.DataFrame:
    steps = (
        _ordered(visits)
        .with_columns(left=pl.col("end").shift(1).over("machine"))
        .drop_nulls(["before", "left"])
    )
    waiting = (
        (pl.col("ready") <= pl.col("left") + _SAME_MOMENT).fill_null(value=False)
        if has_ready
        else pl.lit(value=True)
    )
    return steps.with_columns(
        is_change=pl.col("before") != pl.col("format"),
        is_waiting=waiting,
        gap=pl.col("start") - pl.col("left"),
        stay=pl.col("end") - pl.col("start"),
    )


def _excess(changed: pl.DataFrame, same: pl.DataFrame, part: str) -> tuple[Floats, Floats]:
    """Return by how much a part is longer than usual: after a change, and otherwise."""
    if part == "gap":
        # The median, because stops between items are no part of the usual gap.
        usual = float(np.median(same[part].to_numpy()))
        return changed[part].to_numpy() - usual, same[part].to_numpy() - usual
    centres = same.group_by("format").agg(usual=pl.col(part).median())
    found = []
    for frame in (changed, same):
        joined = frame.join(centres, on="format", how="left", maintain_order="left")
        fallback = float(np.median(same[part].to_numpy()))
        found.append((joined[part] - joined["usual"].fill_null(fallback)).to_numpy())
    return found[0], found[1]


def _is_longer(values: Floats, usual: Floats) -> bool:
    if np.ptp(np.concatenate((values, usual))) == 0:
        return False
    test = stats.mannwhitneyu(values, usual, alternative="greater")
    # A single change among few items can be no rarer than one in their number.
    least = max(SIGNIFICANCE, 1.5 / (len(values) + len(usual)))
    return bool(test.pvalue < least and np.median(values) > np.median(usual))


def _changeover(
    groups: dict[Pair, Floats], means: dict[Pair, Estimate], rows: NDArray[np.integer] | None
) -> Changeover:
    pooled = np.concatenate(list(groups.values()))
    overall = _mean(pooled, rows)
    several = [values for values in groups.values() if len(values) >= _FEW]
    differ = len(several) > 1 and _chance_of_equal_means(several) < SIGNIFICANCE
    times = (
        tuple(
            ChangeoverTime(
                from_format=pair[0],
                to_format=pair[1],
                time=_law(groups[pair]),
                estimates={"time": means[pair]},
            )
            for pair in groups
        )
        if differ
        else ()
    )
    return Changeover(time=_law(pooled), times=times, estimates={"time": overall})


def _law(values: Floats) -> Duration:
    mean = float(values.mean())
    return mean if values.std() <= _CONSTANT_CV * mean else empirical_law(values)


def _note(
    means: dict[Pair, Estimate], not_seen: tuple[Pair, ...], n_left_out: int, *, has_ready: bool
) -> str:
    seen = ", ".join(
        f"{before}->{after} {mean.value:.4g} s (n {mean.n})"
        for (before, after), mean in means.items()
    )
    note = f"Changeovers: {seen}."
    if not_seen:
        missing = ", ".join(f"{before}->{after}" for before, after in not_seen)
        note += f" Not identified, because never seen with an item waiting: {missing}."
    if n_left_out:
        note += f" {n_left_out} changes were left out, because no item was waiting."
    if not has_ready:
        note += " It is not known when items were ready, so waiting for them may be included."
    return note


def _without_outliers(values: Floats) -> Floats:
    distances = np.abs(values - np.median(values))
    reach = _OUTLIER_DEVIATIONS * float(np.median(distances))
    return values[distances <= reach] if reach > 0 else values


def _mean(values: Floats, rows: NDArray[np.integer] | None) -> Estimate:
    n, mean = len(values), float(values.mean())
    half = 0.0
    if n > 1:
        half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return Estimate(
        value=mean,
        low=max(mean - half, 0.0) if n > 1 else 0.0,
        high=mean + half if n > 1 else None,
        unit="s",
        n=n,
        method="mean, Student's t",
        rows="" if rows is None else f"{rows.min()}-{rows.max()} ({len(rows)} rows)",
        is_identified=n > 1,
    )


def _chance_of_equal_means(groups: list[Floats]) -> float:
    """Return the p-value of Welch's F-test, which lets every group have a spread of its own."""
    groups = [values for values in groups if len(values) >= _FEW]
    if len(groups) < _FEW:
        return 1.0
    sizes = np.array([len(values) for values in groups], dtype=np.float64)
    means = np.array([values.mean() for values in groups])
    variances = np.array([values.var(ddof=1) for values in groups])
    # Equal values have no spread; then any difference of the means is one.
    variances = np.maximum(variances, (1e-9 * max(float(np.abs(means).max()), 1e-9)) ** 2)
    weights = sizes / variances
    shares = weights / weights.sum()
    centre = float(np.sum(shares * means))
    k = len(groups)
    unequal = float(np.sum((1 - shares) ** 2 / (sizes - 1)))
    between = float(np.sum(weights * (means - centre) ** 2)) / (k - 1)
    statistic = between / (1 + 2 * (k - 2) / (k * k - 1) * unequal)
    return float(stats.f.sf(statistic, k - 1, (k * k - 1) / (3 * unequal)))
