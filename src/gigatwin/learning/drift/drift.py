"""Whether a plant still is what it was: when a signal changed, by how much, and at which station.

Three looks at each signal. A CUSUM over normal scores calls with a stated rate of false alarms;
PELT dates the changes afterwards, with an interval; ADWIN is a second opinion. Whoever learns a
station uses its records from `since` on.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.drift.adaptive_window import drops, unit_values
from gigatwin.learning.drift.change_points import ChangePoint, change_points, long_run_deviation
from gigatwin.learning.drift.cusum import first_call, normal_scores, threshold

Floats = NDArray[np.float64]

DAY = 86400.0
"""Seconds of a day."""
WANTED_INTERVAL = 30 * DAY
"""Default time between two false alarms over all signals. [s]"""
FEWEST = 20
"""Fewer values are not looked at."""
_FEWEST_REFERENCE, _MOST_REFERENCE = 50, 1000
# With a short reference a small allowance would need a limit that nothing reaches.
_ALLOWANCES = ((1000, 0.25), (100, 0.5), (0, 1.0))
_SHORTEST_PIECE = 10
_LEAST_SPREAD = 0.25
_OUTLIER_DEVIATIONS = 6.0
_LEAST_ARL0, _MOST_ARL0 = 100.0, 1e8


@dataclass(frozen=True)
class Alarm:
    """A call of the CUSUM: what someone who watched would have heard, and when."""

    index: int
    """Value at which it called."""
    time: float
    """Time of this value. [s]"""
    direction: int
    """1: values went up; -1: down."""
    begin: int
    """First value of the sum that called."""


@dataclass(frozen=True)
class Change:
    """A change of the mean, dated afterwards."""

    point: ChangePoint
    """The first value after it, with its interval."""
    time: float
    """Time of that value. [s]"""
    low: float
    """Earliest end of the 95 % interval of the date: the last value that was surely before. [s]"""
    high: float
    """Latest end. [s]"""
    before: Estimate
    """Mean between the change before and this one."""
    after: Estimate
    """Mean from this change to the next."""

    @property
    def size(self) -> Estimate | None:
        """Relative change of the mean; None when the mean before it is not above 0."""
        old, new = self.before, self.after
        if old.value <= 0 or old.high is None or new.high is None:
            return None
        ratio = new.value / old.value
        reach = math.hypot(
            (new.high - new.value) / old.value, ratio * (old.high - old.value) / old.value
        )
        return Estimate(
            value=ratio - 1,
            low=ratio - 1 - reach,
            high=ratio - 1 + reach,
            n=old.n + new.n,
            method="ratio of the means after and before, by propagation of their errors",
            rows=f"{old.rows}; {new.rows}" if old.rows else "",
        )


@dataclass(frozen=True)
class Drift:
    """What is known of changes of one signal."""

    signal: str
    """Name of the signal: ``press: processing time``."""
    n: int
    """Number of values."""
    changes: tuple[Change, ...]
    """Changes of the mean, dated afterwards, in order of time."""
    alarms: tuple[Alarm, ...]
    """Calls of the CUSUM; after each it starts anew."""
    second_opinion: tuple[float, ...]
    """Times at which ADWIN dropped older values. [s]"""
    arl0: float
    """Mean number of values between false alarms that the limit was set for."""
    n_reference: int
    """Values at the begin that the CUSUM was set by; 0: there were too few, and it did not run."""
    text: str
    """The finding in words, with the rate of false alarms."""
    station: str | None = None
    """Station it belongs to."""

    @property
    def is_changed(self) -> bool:
        """Whether a change was found and dated."""
        return bool(self.changes)

    @property
    def since(self) -> float | None:
        """Time [s] from which values belong to the present state; None: all of them."""
        return self.changes[-1].high if self.changes else None


def find_drift(  # noqa: PLR0913  the signal, its name, and the wanted rate
    times: Floats,
    values: Floats,
    *,
    name: str = "values",
    unit: str = "s",
    wanted_interval: float = WANTED_INTERVAL,
    signals: int = 1,
    has_outliers: bool = True,
    rows: NDArray[np.integer] | None = None,
) -> Drift:
    """Return when a signal changed.

    Parameters
    ----------
    times : ndarray
        When each value was seen; put in order if they are not. Shape (n,). [s]
    values : ndarray
        Processing times, times between stops, items between two pieces of scrap; values that are
        not finite are left out. Shape (n,).
    name, unit : str
        What the values are, for the texts.
    wanted_interval : float
        Wanted mean time between two false alarms over all signals that are watched. [s]
    signals : int
        Number of signals that are watched; each then has that many times fewer false alarms.
    has_outliers : bool
        Whether values far from the median are something else, such as repairs in processing
        times, and left out of the means before and after.
    rows : ndarray, optional
        Rows of the log. Shape (n,).

    Returns
    -------
    Drift
        Alarms, dated changes and sizes; ``n_reference`` 0 where there are too few values.
    """
    times, values = np.asarray(times, np.float64), np.asarray(values, np.float64)
    kept = np.isfinite(times) & np.isfinite(values)
    order = np.flatnonzero(kept)[np.argsort(times[kept], kind="stable")]
    times, values = times[order], values[order]
    rows = None if rows is None else np.asarray(rows)[order]
    n = len(values)
    drift = Drift(name, n, (), (), (), 0.0, 0, "")
    if n < FEWEST or times[-1] <= times[0]:
        text = f"{name}: {n} values; not looked at for changes, which takes at least {FEWEST}."
        return replace(drift, text=text)
    arl0 = wanted_interval * signals * (n - 1) / (times[-1] - times[0])
    arl0 = float(np.clip(arl0, _LEAST_ARL0, _MOST_ARL0))
    points = _points(values)
    alarms, n_reference = _alarms(times, values, arl0, points)
    unit_scaled = unit_values(values, max(n_reference, min(n, _FEWEST_REFERENCE)))
    drift = replace(
        drift,
        changes=_changes(times, values, points, unit, rows, has_outliers=has_outliers),
        alarms=alarms,
        second_opinion=tuple(float(times[index]) for index in drops(unit_scaled)),
        arl0=arl0,
        n_reference=n_reference,
    )
    return replace(drift, text=_text(drift, unit, wanted_interval, signals))


def watch(
    visits: pl.DataFrame, *, wanted_interval: float = WANTED_INTERVAL, normal: str | None = None
) -> list[Drift]:
    """Return the findings for processing times and failures of every station.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns station, start and end; success, format and row where the log has them. Visits
        with several formats are looked at format by format, so that a change of the mix is none.
    wanted_interval : float
        Wanted mean time between two false alarms over all stations. [s]
    normal : str, optional
        Column that is true for cycles that were neither blocked nor interrupted; others are left
        out of the processing times.

    Returns
    -------
    list of Drift
        One for each station, kind of signal and format with at least 20 values.
    """
    by_format = "format" in visits.columns and visits["format"].n_unique() > 1
    keys = ["station", "format"] if by_format else ["station"]
    signals: list[tuple[str, str, str, Floats, Floats, NDArray[np.int64]]] = []
    for key, group in visits.group_by(keys, maintain_order=True):
        station = str(key[0])
        label = station if len(key) == 1 else f"{station}, format {key[1]}"
        frame = group.filter(pl.col("end").is_not_null()).sort("end")
        timed = frame.filter(pl.col("start").is_not_null())
        if normal is not None:
            timed = timed.filter(pl.col(normal))
        ends = timed["end"].to_numpy()
        durations = ends - timed["start"].to_numpy()
        signals.append((station, f"{label}: processing time", "s", ends, durations, _rows(timed)))
        if "success" in frame.columns:
            known = frame.filter(pl.col("success").is_not_null())
            failed = np.flatnonzero(~known["success"].to_numpy().astype(bool))
            gaps = np.diff(failed).astype(np.float64)
            ends = known["end"].to_numpy()[failed[1:]]
            title = f"{label}: items between failures"
            signals.append((station, title, "items", ends, gaps, _rows(known)[failed[1:]]))
    signals = [signal for signal in signals if len(signal[4]) >= FEWEST]
    has_rows = "row" in visits.columns
    found = []
    for station, title, unit, times, values, rows in signals:
        drift = find_drift(
            times,
            values,
            name=title,
            unit=unit,
            wanted_interval=wanted_interval,
            signals=len(signals),
            has_outliers=unit == "s",
            rows=rows if has_rows else None,
        )
        found.append(replace(drift, station=station))
    return found


def changed_stations(drifts: Iterable[Drift]) -> dict[str, float]:
    """Return the stations that changed, and from when on their records hold.

    Only these are to be learned again; all others keep what is known of them.

    Parameters
    ----------
    drifts : iterable of Drift
        As from `watch`.

    Returns
    -------
    dict
        Station to the time from which its records should be used. [s]
    """
    found: dict[str, float] = {}
    for drift in drifts:
        if drift.station is not None and drift.since is not None:
            found[drift.station] = max(drift.since, found.get(drift.station, -math.inf))
    return found


def since(visits: pl.DataFrame, moments: Mapping[str, float]) -> pl.DataFrame:
    """Return the visits that show each station as it is now.

    Parameters
    ----------
    visits : polars.DataFrame
        With columns station and start.
    moments : mapping
        Station to the time from which its visits count, as from `changed_stations`. [s]
    """
    if not moments:
        return visits
    begins = pl.col("station").replace_strict(
        list(moments), list(moments.values()), default=-math.inf, return_dtype=pl.Float64
    )
    return visits.filter(pl.coalesce("start", "end") >= begins)


def _rows(frame: pl.DataFrame) -> NDArray[np.int64]:
    if "row" not in frame.columns:
        return np.zeros(frame.height, dtype=np.int64)
    return frame["row"].cast(pl.Int64).to_numpy()


def _alarms(
    times: Floats, values: Floats, arl0: float, points: tuple[ChangePoint, ...]
) -> tuple[tuple[Alarm, ...], int]:
    n = len(values)
    found: list[Alarm] = []
    begin, first_reference = 0, 0
    while (n_reference := _reference(n, begin, points)) >= _FEWEST_REFERENCE:
        chart = _chart(arl0, n_reference)
        if chart is None:
            break
        first_reference = first_reference or n_reference
        reference = values[begin : begin + n_reference]
        # Where neighbours are alike, sums wander more than the limit allows for.
        spread = max(1.0, long_run_deviation(normal_scores(reference, reference)))
        following = begin + n_reference
        call = first_call(normal_scores(values[following:], reference) / spread, *chart)
        if call is None:
            break
        index = following + call.index
        found.append(Alarm(index, float(times[index]), call.direction, following + call.begin))
        begin = following + call.begin
    return tuple(found), first_reference


def _reference(n: int, begin: int, points: tuple[ChangePoint, ...]) -> int:
    """Return how many values the chart is set by: a third, but none from after a change."""
    lengths = (point.low - begin for point in points)
    until_change = next((length for length in lengths if length >= _FEWEST_REFERENCE), n)
    return min(_MOST_REFERENCE, (n - begin) // 3, until_change)


def _chart(arl0: float, n_reference: int) -> tuple[float, float] | None:
    """Return the limit and the allowance, or None when the reference is too short for any."""
    # Two digits are enough, and let signals share the solution.
    rounded = float(f"{arl0 * 1.05:.1e}")
    for least, allowance in _ALLOWANCES:
        if n_reference >= least:
            try:
                return threshold(rounded, allowance, n_reference=n_reference), allowance
            except ValueError:
                continue
    return None


def _points(values: Floats) -> tuple[ChangePoint, ...]:
    scores = normal_scores(values, values)
    return change_points(scores, minimum=_SHORTEST_PIECE, least_deviation=_LEAST_SPREAD)


def _changes(  # noqa: PLR0913  the signal, its cuts, and how its means are taken
    times: Floats,
    values: Floats,
    points: tuple[ChangePoint, ...],
    unit: str,
    rows: NDArray[np.integer] | None,
    *,
    has_outliers: bool,
) -> tuple[Change, ...]:
    edges = [0, *(point.index for point in points), len(values)]
    means = [
        _mean(
            values[begin:end],
            unit,
            None if rows is None else rows[begin:end],
            has_outliers=has_outliers,
        )
        for begin, end in pairwise(edges)
    ]
    return tuple(
        Change(
            point,
            float(times[point.index]),
            float(times[max(point.low - 1, 0)]),
            float(times[point.high]),
            means[place],
            means[place + 1],
        )
        for place, point in enumerate(points)
    )


def _mean(
    values: Floats, unit: str, rows: NDArray[np.integer] | None, *, has_outliers: bool
) -> Estimate:
    distances = np.abs(values - np.median(values))
    reach = _OUTLIER_DEVIATIONS * float(np.median(distances))
    normal = values[distances <= reach] if has_outliers and reach > 0 else values
    n, mean = len(normal), float(np.mean(normal))
    error = float(np.std(normal, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    half = float(stats.t.ppf(0.975, n - 1)) * error if n > 1 else 0.0
    return Estimate(
        value=mean,
        low=mean - half,
        high=mean + half,
        unit=unit if unit == "s" else "",
        n=n,
        method="mean"
        + (" within 6 median absolute deviations" if has_outliers else "")
        + ", interval by Student's t",
        rows="" if rows is None else f"{rows.min()}-{rows.max()} ({len(rows)} rows)",
        is_identified=n > 1,
    )


def _text(drift: Drift, unit: str, wanted_interval: float, signals: int) -> str:
    parts = []
    for change in drift.changes:
        size = change.size
        by = "" if size is None else f" ({100 * size.value:+.3g} %)"
        parts.append(
            f"changed at {change.time:.6g} s (95 % interval {change.low:.6g}-{change.high:.6g} s) "
            f"from {change.before.value:.4g} to {change.after.value:.4g} {unit}{by}"
        )
    if not parts:
        parts.append("no change found")
    if drift.n_reference == 0:
        parts.append(
            "no alarms are given, because the CUSUM needs more values than there are "
            f"({drift.n}) to be set for the wanted rate of false alarms"
        )
    else:
        over = "over all stations" if signals > 1 else "for this signal"
        parts.append(
            f"{len(drift.alarms)} alarms, set for one false alarm in "
            f"{wanted_interval / DAY:.3g} days {over}, that is in {drift.arl0:.3g} values here"
        )
        if drift.alarms and not drift.changes:
            parts.append("no change could be dated, so the alarm may be false or the change slow")
    parts.append(f"ADWIN saw {len(drift.second_opinion)} changes")
    return f"{drift.signal}: {'; '.join(parts)}."


def delay_table(
    n_trials: int = 60, arl0: float = 1e5, n_before: int = 3000, seed: int = 1
) -> pl.DataFrame:
    """Return how many parts pass until each detector notices a longer processing time.

    Parameters
    ----------
    n_trials : int
        Histories for each case.
    arl0 : float
        Mean number of parts between false alarms that the CUSUM is set for.
    n_before : int
        Parts before the change.
    seed : int
        Chooses the histories.

    Returns
    -------
    polars.DataFrame
        Columns detector, cv, shift, delay (median, in parts; null: more than half of the histories
        had no alarm after the change), n_detected, n_trials, false_alarms (per history of
        ``n_before`` parts), dating_error (median of the distance of the date by PELT, in parts).
    """
    rng = np.random.default_rng(seed)
    n_after = n_before
    rows = []
    for cv in (0.03, 0.10):
        for shift in (0.02, 0.05, 0.10):
            found: dict[str, list[list[int]]] = {"CUSUM": [], "ADWIN": []}
            errors: list[int] = []
            for _ in range(n_trials):
                # Processing times with a gamma law, as machines have, with the mean 1.
                values = rng.gamma(cv**-2, cv**2, n_before + n_after)
                values[n_before:] *= 1.0 + shift
                times = np.arange(len(values), dtype=np.float64)
                points = _points(values)
                alarms, n_reference = _alarms(times, values, arl0, points)
                found["CUSUM"].append([alarm.index for alarm in alarms])
                found["ADWIN"].append(drops(unit_values(values, n_reference)).tolist())
                errors.extend(min(abs(p.index - n_before) for p in points) for _ in points[:1])
            for detector, histories in found.items():
                delays = [
                    min((i - n_before + 1 for i in alarms if i >= n_before), default=math.inf)
                    for alarms in histories
                ]
                middle = float(np.median(delays))
                rows.append(
                    {
                        "detector": detector,
                        "cv": cv,
                        "shift": shift,
                        "delay": middle if math.isfinite(middle) else None,
                        "n_detected": sum(map(math.isfinite, delays)),
                        "n_trials": n_trials,
                        "false_alarms": sum(i < n_before for a in histories for i in a) / n_trials,
                        "dating_error": float(np.median(errors)) if errors else None,
                    }
                )
    return pl.DataFrame(rows)
