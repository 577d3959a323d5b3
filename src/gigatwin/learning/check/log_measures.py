"""What a log of visits shows of a line: output, contents, lead times, and each station's figures.

Real and simulated logs are measured by the same code, so that whatever the ends of a log hide is
hidden in both.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.errors import TelemetryError
from gigatwin.kpi.statistics import Interval, mean_interval

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
N_WINDOWS = 20
"""Windows of equal length in which output and contents are measured."""
_ALMOST_ALL = 0.999
_USUAL = 0.5
_FEW = 0.1


@dataclass(frozen=True)
class Visits:
    """Visits as arrays, shape (n,); a missing start or end is NaN."""

    case: Integers
    """Number of the case."""
    station: Integers
    """Place in ``stations``."""
    start: Floats
    """Moment at which the item enters. [s]"""
    end: Floats
    """Moment at which it leaves. [s]"""
    stations: tuple[str, ...]
    """Names."""


@dataclass(frozen=True)
class StationMeasures:
    """What the visits to one station show."""

    visits: int
    """Visits begun in the log."""
    durations: Floats
    """Times from start to end, ascending. [s]"""
    occupied: float
    """Mean number of items in the station."""
    idle_share: float
    """Share of time without an item."""
    gaps: Floats
    """Times in which it was empty between two visits, ascending; 0 where they touch. [s]"""
    departures: Floats
    """Times between departures, ascending. [s]"""
    wait: float
    """Mean time between the end of the visit before, elsewhere, and the start here; NaN where
    cases begin. [s]"""

    @property
    def mean(self) -> float:
        """Mean time from start to end; NaN without a complete visit [s]."""
        return float(self.durations.mean()) if len(self.durations) else np.nan

    def quantiles(self, *probabilities: float) -> tuple[float, ...]:
        """Return quantiles of the time from start to end [s]."""
        return quantiles(self.durations, *probabilities)


@dataclass(frozen=True)
class LogMeasures:
    """Measures of a log between two moments."""

    begin: float
    """Begin of what is measured. [s]"""
    end: float
    """End. [s]"""
    n_cases: int
    """Cases seen."""
    n_finished: int
    """Cases that left."""
    throughput: Interval
    """Cases that leave. [1/s]"""
    in_process: Interval
    """Cases in the line."""
    lead_times: Floats
    """From the first start to the last end of each complete case, ascending. [s]"""
    stations: dict[str, StationMeasures]
    """Each station's measures."""
    moves: Integers
    """Moves from station to station; the last column is ``out``. Shape (n, n + 1)."""
    state_shares: dict[tuple[str, str], float]
    """Share of time of each (station, state); empty when the log has no states."""

    def lead_time_quantiles(self, *probabilities: float) -> tuple[float, ...]:
        """Return quantiles of the lead time [s]."""
        return quantiles(self.lead_times, *probabilities)


def quantiles(ordered: Floats, *probabilities: float) -> tuple[float, ...]:
    """Return quantiles of values, NaN when there are none."""
    if len(ordered) == 0:
        return (np.nan,) * len(probabilities)
    return tuple(float(value) for value in np.quantile(ordered, probabilities))


def visits_of_frame(visits: pl.DataFrame, station: str = "station") -> Visits:
    """Return the visits of a frame as arrays.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, start, end [s] and that of the station. Rows without a station are left out.
    station : str
        Name of the column with the stations.
    """
    rows = visits.select("case", "start", "end", name=pl.col(station).cast(pl.String))
    rows = rows.drop_nulls("name").sort("name")
    names = tuple(rows["name"].unique(maintain_order=True).to_list())
    return Visits(
        case=rows["case"].rank("dense").to_numpy().astype(np.int64),
        station=rows["name"].rank("dense").to_numpy().astype(np.int64) - 1,
        start=_floats(rows["start"]),
        end=_floats(rows["end"]),
        stations=names,
    )


def measures(
    visits: pl.DataFrame,
    station: str = "station",
    *,
    begin: float | None = None,
    end: float | None = None,
    states: pl.DataFrame | None = None,
) -> LogMeasures:
    """Measure a log of visits.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, start, end [s] and that of the station.
    station : str
        Name of the column with the stations.
    begin, end : float, optional
        What is measured; left out, from the first to the last time of the log. [s]
    states : polars.DataFrame, optional
        Times of machines in states: columns station, state, start, end [s].

    Raises
    ------
    TelemetryError
        If there is no visit with a time, or no time passes.
    """
    arrays = visits_of_frame(visits, station)
    shares = None if states is None else state_shares(states, begin, end)
    return measure(arrays, begin, end, shares)


def measure(
    visits: Visits,
    begin: float | None = None,
    end: float | None = None,
    shares: dict[tuple[str, str], float] | None = None,
) -> LogMeasures:
    """Measure visits given as arrays; parameters and errors as of `measures`.

    Parameters
    ----------
    visits : Visits
        The visits.
    begin, end : float, optional
        What is measured. [s]
    shares : dict, optional
        Share of time of each (station, state).
    """
    begin, end = span(visits, begin, end)
    seen = _seen(visits, begin, end)
    cases = _cases(seen, begin, end)
    edges = np.linspace(begin, end, N_WINDOWS + 1)
    width = (end - begin) / N_WINDOWS
    left = cases.exit[cases.is_finished]
    out = np.histogram(left, edges)[0] / width
    inside = np.diff(_area(cases.entry, edges) - _area(cases.exit, edges)) / width
    complete = cases.is_begun & cases.is_finished & cases.is_certain
    return LogMeasures(
        begin=begin,
        end=end,
        n_cases=len(cases.entry),
        n_finished=len(left),
        throughput=mean_interval(out),
        in_process=mean_interval(inside),
        lead_times=np.sort((cases.exit - cases.entry)[complete]),
        stations=_stations(seen, begin, end),
        moves=_moves(seen, cases),
        state_shares=shares or {},
    )


def span(
    visits: Visits, begin: float | None = None, end: float | None = None
) -> tuple[float, float]:
    """Return the first and the last moment of visits, unless they are given [s].

    Raises
    ------
    TelemetryError
        If there is no visit with a time, or no time passes.
    """
    if begin is None or end is None:
        times = np.concatenate((visits.start, visits.end))
        times = times[np.isfinite(times)]
        if len(times) == 0:
            message = (
                "visits: none with a time; needs at least one start and one end to measure a log"
            )
            raise TelemetryError(message)
        begin = float(times.min()) if begin is None else begin
        end = float(times.max()) if end is None else end
    if not begin < end:
        message = (
            f"visits: from {begin:g} s to {end:g} s; the end must be after the begin, so that "
            "output per time can be measured"
        )
        raise TelemetryError(message)
    return begin, end


@dataclass(frozen=True)
class LogEnds:
    """What of a log can be measured, and whether the line was empty at its begin."""

    begin: float
    """First moment. [s]"""
    end: float
    """Last moment; for a log that goes on until the line is empty, when the last case came. [s]"""
    begins_empty: bool
    """Whether hardly any case was in the line when the log began."""
    is_drained: bool
    """Whether hardly any case was in the line when it ended."""


def log_ends(visits: Visits) -> LogEnds:
    """Return what of a log can be compared with a simulation.

    The log of a whole campaign begins and ends with an empty line, and one cut out of a running
    line does not. A tenth of the mean contents counts as empty.
    """
    begin, end = span(visits)
    seen = _seen(visits, begin, end)
    cases = _cases(seen, begin, end)
    contents = float((cases.exit - cases.entry).sum()) / (end - begin)
    begins_empty = int((~cases.is_begun).sum()) <= _FEW * contents
    last = float(cases.entry.max())
    is_drained = int((~cases.is_finished).sum()) <= _FEW * contents and last > begin
    return LogEnds(begin, last if is_drained else end, begins_empty, is_drained)


def state_shares(
    states: pl.DataFrame, begin: float | None = None, end: float | None = None
) -> dict[tuple[str, str], float]:
    """Return the share of time that each station spends in each state.

    Parameters
    ----------
    states : polars.DataFrame
        Columns station, state, start, end [s].
    begin, end : float, optional
        What is measured. [s]
    """
    clipped = states.drop_nulls(["start", "end"]).select(
        "station",
        "state",
        seconds=(
            pl.col("end").clip(upper_bound=end) - pl.col("start").clip(lower_bound=begin)
        ).clip(lower_bound=0.0),
    )
    # The order of a sum decides its last digit.
    sums = clipped.group_by("station", "state", maintain_order=True).agg(pl.col("seconds").sum())
    total = pl.col("seconds").sum().over("station")
    rows = sums.with_columns(share=pl.col("seconds") / total, total=total).filter(
        pl.col("total") > 0
    )
    return {
        (str(name), str(state)): float(share)
        for name, state, share in rows.select("station", "state", "share")
        .sort("station", "state")
        .iter_rows()
    }


@dataclass(frozen=True)
class _Seen:
    """Visits within the measured time, by case and time."""

    visits: Visits
    """As seen: NaN where it lies outside."""
    start: Floats
    """Start, with a guess where it was lost."""
    end: Floats
    """End, with a guess where it was lost."""
    is_first: NDArray[np.bool_]
    """Whether the visit is the first one seen of its case."""


@dataclass(frozen=True)
class _Cases:
    entry: Floats
    exit: Floats
    is_begun: NDArray[np.bool_]
    is_finished: NDArray[np.bool_]
    is_certain: NDArray[np.bool_]


def _seen(visits: Visits, begin: float, end: float) -> _Seen:
    start = np.where((visits.start < begin) | (visits.start > end), np.nan, visits.start)
    stop = np.where((visits.end < begin) | (visits.end > end), np.nan, visits.end)
    time = np.where(np.isnan(start), stop, start)
    kept = np.flatnonzero(np.isfinite(time))
    order = kept[np.lexsort((stop[kept], time[kept], visits.case[kept]))]
    case, station, start, stop = (
        visits.case[order],
        visits.station[order],
        start[order],
        stop[order],
    )
    typical, longest = _typical(station, stop - start, len(visits.stations))
    # An end that is missing long before the end of the log was lost; the item is not still inside.
    is_lost = np.isnan(stop) & (start + longest < end)
    was_lost = np.isnan(start) & (stop - longest > begin)
    return _Seen(
        Visits(case, station, start, stop, visits.stations),
        np.where(was_lost, stop - typical[station], start),
        np.where(is_lost, start + typical[station], stop),
        np.diff(case, prepend=-1) != 0,
    )


def _typical(station: Integers, durations: Floats, n: int) -> tuple[Floats, float]:
    """Return the mean duration of each station, and a duration that few exceed."""
    known = np.isfinite(durations)
    if not known.any():
        return np.zeros(n), 0.0
    counts = np.bincount(station[known], minlength=n)
    sums = np.bincount(station[known], durations[known], minlength=n)
    return sums / np.maximum(counts, 1), float(np.quantile(durations[known], _ALMOST_ALL))


def _cases(seen: _Seen, begin: float, end: float) -> _Cases:
    """Return when each case came and went, and whether that was seen.

    A case is still inside at the end of the log, or was inside at its begin, unless the station is
    one where cases usually end (or begin), or no pause between visits is usually as long.
    """
    visits = seen.visits
    first = np.flatnonzero(seen.is_first)
    last = np.append(first, len(visits.case))[1:] - 1
    pauses = (seen.start[1:] - seen.end[:-1])[~seen.is_first[1:]]
    pauses = pauses[np.isfinite(pauses)]
    longest = max(float(np.quantile(pauses, _ALMOST_ALL)), 0.0) if len(pauses) else 0.0
    n = len(visits.stations)
    counts = np.maximum(np.bincount(visits.station, minlength=n), 1)
    usually_first = np.bincount(visits.station[first], minlength=n) / counts >= _USUAL
    usually_last = np.bincount(visits.station[last], minlength=n) / counts >= _USUAL
    entry, out = seen.start[first], seen.end[last]
    with np.errstate(invalid="ignore"):
        is_begun = usually_first[visits.station[first]] | (entry > begin + longest)
        is_finished = usually_last[visits.station[last]] | (out < end - longest)
    is_begun &= np.isfinite(entry)
    is_finished &= np.isfinite(out)
    entry = np.where(is_begun, entry, begin)
    return _Cases(
        entry=entry,
        exit=np.maximum(np.where(is_finished, out, end), entry),
        is_begun=is_begun,
        is_finished=is_finished,
        is_certain=np.isfinite(visits.start[first]) & np.isfinite(visits.end[last]),
    )


def _area(moments: Floats, edges: Floats) -> Floats:
    """Return for each edge the sum of the times since the moments before it."""
    ordered = np.sort(moments)
    sums = np.concatenate(([0.0], np.cumsum(ordered - edges[0])))
    n = np.searchsorted(ordered, edges)
    return np.asarray(n * (edges - edges[0]) - sums[n])


def _stations(seen: _Seen, begin: float, end: float) -> dict[str, StationMeasures]:
    visits = seen.visits
    waits = seen.start - np.append(np.nan, seen.end)[:-1]
    waits[seen.is_first] = np.nan
    order = np.lexsort((np.where(np.isnan(seen.start), begin, seen.start), visits.station))
    bounds = np.searchsorted(visits.station[order], np.arange(len(visits.stations) + 1))
    return {
        name: _station(seen, order[bounds[number] : bounds[number + 1]], waits, begin, end)
        for number, name in enumerate(visits.stations)
    }


def _station(
    seen: _Seen, rows: Integers, waits: Floats, begin: float, end: float
) -> StationMeasures:
    """Return the measures of one station from its visits in the order of their starts."""
    durations = seen.visits.end[rows] - seen.visits.start[rows]
    start = np.where(np.isnan(seen.start[rows]), begin, seen.start[rows])
    stop = np.where(np.isnan(seen.end[rows]), end, seen.end[rows])
    start, stop = np.clip(start, begin, end), np.clip(stop, begin, end)
    free = np.concatenate(([begin], np.maximum.accumulate(np.append(begin, stop))[1:]))
    gaps = np.maximum(np.append(start, end) - free, 0.0)
    ends = seen.visits.end[rows]
    known = waits[rows][np.isfinite(waits[rows])]
    return StationMeasures(
        visits=int(np.isfinite(seen.start[rows]).sum()),
        durations=np.sort(durations[np.isfinite(durations)]),
        occupied=float(np.maximum(stop - start, 0.0).sum() / (end - begin)),
        idle_share=float(gaps.sum() / (end - begin)),
        gaps=np.sort(gaps[1:-1]),
        departures=np.sort(np.diff(np.sort(ends[np.isfinite(ends)]))),
        wait=float(known.mean()) if len(known) else np.nan,
    )


def _moves(seen: _Seen, cases: _Cases) -> Integers:
    n = len(seen.visits.stations)
    station = seen.visits.station
    target = np.append(station, n)[1:]
    last = np.append(seen.is_first, True)[1:]
    target = np.where(last, n, target)
    counted = ~last
    counted[last] = cases.is_finished
    pairs = station[counted] * (n + 1) + target[counted]
    return np.bincount(pairs, minlength=n * (n + 1)).reshape(n, n + 1)


def _floats(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)
