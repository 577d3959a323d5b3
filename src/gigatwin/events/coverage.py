"""Stretches of time for which a log says nothing."""

import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.log_files import read_table

_DAY = 86_400_000_000
_MICROSECONDS = 1_000_000
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_PRESENT = re.compile(r"present|covered|available|exists|^in_", re.IGNORECASE)
_ABSENT_WORDS = {"", "0", "false", "no"}


def gap_starts(times: pl.Series, coverage: str | Path | float | None) -> list[int]:
    """Return the moments at which a log falls silent.

    Parameters
    ----------
    times : polars.Series
        Times of all rows, sorted, microseconds since 1970.
    coverage : str, Path or float, optional
        A table of the files that the log was made from, or the longest time without any row [s];
        left out, every day (UTC) without any row is a gap.

    Returns
    -------
    list of int
        Microseconds since 1970.

    Raises
    ------
    TelemetryError
        If the table cannot be understood.
    """
    if times.is_empty():
        return []
    if isinstance(coverage, int | float):
        late = times.diff() > coverage * _MICROSECONDS
        return times.filter(late.shift(-1, fill_value=False)).to_list()
    if coverage is None:
        days = (times // _DAY).unique().sort()
        stretches = [(int(day) * _DAY, (int(day) + 1) * _DAY) for day in days]
    else:
        stretches = _covered(Path(coverage))
    starts: list[int] = []
    reach = stretches[0][1]
    for begin, end in stretches[1:]:
        if begin > reach:
            starts.append(reach)
        reach = max(reach, end)
    last = int(times[-1])
    return [start for start in (*starts, reach) if start <= last]


def _covered(path: Path) -> list[tuple[int, int]]:
    """Return the days that the files of a table stand for, in order."""
    table = read_table(path).cast(pl.String)
    flags = [name for name in table.columns if _PRESENT.search(name)]
    dated = [name for name in table.columns if table[name].str.contains(_DATE.pattern).all()]
    if not flags or not dated:
        message = (
            f"{path}: needs a column with dates or names of daily files (20170203) and a column "
            f"'present' with 1 or 0; there are {', '.join(table.columns[1:])}"
        )
        raise TelemetryError(message)
    days = []
    for name, flag in table.select(dated[0], flags[0]).iter_rows():
        if str(flag or "").strip().lower() in _ABSENT_WORDS:
            continue
        try:
            dates = [
                datetime(int(year), int(month), int(day), tzinfo=UTC)
                for year, month, day in _DATE.findall(name)
            ]
        except ValueError as error:
            message = f"{path} column '{dated[0]}': {name!r} holds no date ({error}); needs one"
            raise TelemetryError(message) from error
        begin = int(dates[0].timestamp()) * _MICROSECONDS
        end = int(dates[-1].timestamp()) * _MICROSECONDS if len(dates) > 1 else begin + _DAY
        days.append((begin, max(end, begin + _DAY)))
    if not days:
        message = f"{path} column '{flags[0]}': no file is present; needs at least one"
        raise TelemetryError(message)
    return sorted(days)
