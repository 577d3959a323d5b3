"""The visits of a log that something can be learned from; what was left out is said.

Files are looked at when they are read; a log that comes as a frame has not been, and an event with
a time that is no number, or a copy of a visit, would go into every estimate.
"""

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.learning.flow.stations import slug

_MOST_BACKWARD = 0.05
"""Share of visits that may end before they start; more are no accident."""
_SLIP = 1.0
"""An end so little before its start is a slip of the clocks. [s]"""


def usable(visits: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the visits with a case, an activity and a time, each once, and what was put right.

    Parameters
    ----------
    visits : polars.DataFrame
        As in `CaseLog.visits`.

    Returns
    -------
    polars.DataFrame
        The same columns; times that are no numbers are null; the machine is known everywhere.
    tuple of str
        A sentence on each thing that was put right or left out.

    Raises
    ------
    TelemetryError
        If more than 5 % of the visits end before they start.
    """
    notes: list[str] = []
    found = _numbered(visits, notes)
    found = _named(found, notes)
    has_time = pl.col("start").is_not_null() | pl.col("end").is_not_null()
    kept = found.filter(has_time)
    if kept.height < found.height:
        notes.append(f"{_visits(found.height - kept.height)} without any time left out.")
    once = kept.unique(
        ["case", "activity", "machine", "start", "end"], keep="first", maintain_order=True
    )
    if once.height < kept.height:
        notes.append(f"{_visits(kept.height - once.height)} left out as copies of others.")
    return _with_plain_formats(_forward(once, notes), notes), tuple(notes)


def _numbered(visits: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    times = [pl.col(name).cast(pl.Float64) for name in ("start", "end")]
    found = visits.with_columns(*times)
    n_no_numbers = sum(
        int((~found[name].is_finite()).fill_null(value=False).sum()) for name in ("start", "end")
    )
    if not n_no_numbers:
        return found
    notes.append(f"{n_no_numbers} times are no numbers and taken as missing.")
    return found.with_columns(
        pl.when(pl.col(name).is_finite()).then(name) for name in ("start", "end")
    )


def _named(visits: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Return the visits with case and activity; activity and machine stand in for each other."""
    names = {
        name: pl.when(pl.col(name).str.strip_chars() != "").then(name)
        for name in ("case", "activity", "machine")
    }
    found = visits.with_columns(**names).with_columns(
        activity=pl.coalesce("activity", "machine"), machine=pl.coalesce("machine", "activity")
    )
    kept = found.filter(pl.col("case").is_not_null() & pl.col("activity").is_not_null())
    if kept.height < visits.height:
        notes.append(f"{_visits(visits.height - kept.height)} without case or activity left out.")
    return kept


def _forward(visits: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Return the visits with ends that are not before their starts."""
    back = (visits["start"] - visits["end"]).fill_null(0.0)
    is_slip, is_backward = (back > 0) & (back <= _SLIP), back > _SLIP
    n_slips, n_backward = int(is_slip.sum()), int(is_backward.sum())
    if n_backward > _MOST_BACKWARD * visits.height:
        first = visits.filter(is_backward).row(0, named=True)
        message = (
            f"{n_backward} of {visits.height} visits end before they start, the first that of case "
            f"'{first['case']}' at '{first['machine']}', by {first['start'] - first['end']:.6g} s; "
            "needs ends at or after the starts (are the columns of start and end the right way "
            "round?)"
        )
        raise TelemetryError(message)
    if n_slips:
        notes.append(
            f"{_visits(n_slips)} with the end up to {_SLIP:g} s before the start: taken as 0 s."
        )
    if n_backward:
        machines = visits.filter(is_backward)["machine"].unique().sort().to_list()
        listed = ", ".join(f"'{name}'" for name in machines[:5]) + (", ..." * (len(machines) > 5))  # noqa: PLR2004 - as many as a person reads
        notes.append(
            f"{_visits(n_backward)} at {listed} with the end before the start: the end is taken as "
            "missing. If a clock was set back there, all later times of that machine are wrong."
        )
    if not n_slips and not n_backward:
        return visits
    end = pl.when(is_slip).then("start").when(~is_backward).then("end")
    return visits.with_columns(end=end)


def _with_plain_formats(visits: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Return the visits with names of formats that a description can use."""
    if "format" not in visits.columns:
        return visits
    found = visits.with_columns(
        format=pl.when(pl.col("format").str.strip_chars() != "").then("format")
    )
    names: dict[str, str] = {}
    for name in sorted(
        found["format"].drop_nulls().unique(), key=lambda name: (slug(name) != name, name)
    ):
        wanted = plain = slug(name)
        number = 1
        while plain in names.values():
            number += 1
            plain = f"{wanted}-{number}"
        names[name] = plain
    renamed = {name: plain for name, plain in names.items() if plain != name}
    if not renamed:
        return found
    listed = ", ".join(f"'{name}' is '{plain}'" for name, plain in list(renamed.items())[:5])
    more = f" and {len(renamed) - 5} more" if len(renamed) > 5 else ""  # noqa: PLR2004 - as many as a person reads
    notes.append(f"Formats have names here without dots and blanks: {listed}{more}.")
    return found.with_columns(format=pl.col("format").replace(renamed))


def _visits(n: int) -> str:
    return f"{n} visit{'' if n == 1 else 's'}"
