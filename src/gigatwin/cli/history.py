"""``gigatwin history``: what a historian holds, and looking after it."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from collections.abc import Collection
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.failures import FAILED_RUN, OptionError
from gigatwin.cli.options import AsJson
from gigatwin.cli.outputs import pending_outputs

if TYPE_CHECKING:
    import polars as pl

_TAGS = (
    "SELECT tag, count(*) AS n_rows, min(time) AS first_time, max(time) AS last_time "
    "FROM readings GROUP BY tag ORDER BY tag"
)
_ENDINGS = (".parquet", ".csv")
_GIGABYTE = 1e9
_FOREVER = 1e18
StorePlace = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="DIR|URL",
        help="Folder of the historian, store of 'gigatwin sync', or postgresql://user@host/name "
        "(password: variable PGPASSWORD).",
    ),
]

history = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What a historian has kept: query, export, check; make room.",
)


def info(*, store: StorePlace, as_json: AsJson = False) -> None:
    """Show the tags of a historian: how many readings, from when to when, and their size."""
    from gigatwin.app.historians import open_existing

    with closing(open_existing(store)) as historian:
        tags = historian.query(_TAGS)
        size, where, last_row = historian.n_bytes(), historian.where, historian.last_row()
    if as_json:
        found = {
            "where": where,
            "n_bytes": size,
            "n_rows": int(tags["n_rows"].sum()),
            "last_row": last_row,
            "tags": tags.to_dicts(),
        }
        typer.echo(json.dumps(found, indent=2))
        return
    from gigatwin.cli.history_tables import print_info

    print_info(where, size, tags)


def query(
    sql: Annotated[
        str,
        typer.Argument(
            metavar="SQL",
            help="One SELECT over readings: row, tag, time (s since 1970), value, text, quality.",
        ),
    ],
    *,
    store: StorePlace,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
) -> None:
    """Ask a historian in SQL; the query reads, and can do nothing else."""
    if as_json and as_csv:
        message = "--json and --csv: two forms at once; give one of them."
        raise OptionError(message)
    from gigatwin.app.historians import open_existing

    with closing(open_existing(store)) as historian:
        found = historian.query(sql)
    from gigatwin.cli.history_tables import json_rows, print_rows

    if as_json:
        typer.echo(json.dumps(json_rows(found), indent=2))
    elif as_csv:
        typer.echo(found.write_csv(), nl=False)
    else:
        print_rows(found)


def export(
    *,
    store: StorePlace,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="File to write: .parquet or .csv."),
    ],
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Tag to write; repeatable; left out, all."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From this source time on: 2026-11-27T06:00 (UTC, or with its offset), or "
            "seconds since 1970; left out, from the first.",
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="Up to this source time, not included.")
    ] = None,
) -> None:
    """Write readings to a file, by tag and source time."""
    first = -_FOREVER if begin is None else _read_moment(begin, "--begin")
    last = _FOREVER if end is None else _read_moment(end, "--end")
    if first >= last:
        message = f"--begin {begin} --end {end}: no time between; the end must be later."
        raise OptionError(message)
    with pending_outputs({"--output": output}, [], {"--output": _ENDINGS}) as paths:
        from gigatwin.app.historians import open_existing

        with closing(open_existing(store)) as historian:
            _require_tags(historian.latest().keys(), tags)
            path = paths["--output"]
            n_rows = historian.use(tags, first, last, lambda found: _write(found, path))
    typer.echo(f"{n_rows} readings written to {output}")


def _require_tags(known: Collection[str], tags: list[str] | None) -> None:
    unknown = [tag for tag in tags or [] if tag not in known]
    if unknown:
        message = f"--tag {unknown[0]}: not in this historian; 'gigatwin history info' lists them."
        raise OptionError(message)


def _write(found: "pl.LazyFrame", path: Path) -> int:
    import polars as pl

    from gigatwin.telemetry.kept import SHOWN

    ordered = found.sort("tag", "time", "row").select(SHOWN)
    if path.suffix == ".csv":
        table = ordered.collect()
        table.write_csv(path)
        return table.height
    ordered.sink_parquet(path)
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def verify(*, store: StorePlace, as_json: AsJson = False) -> None:
    """Read a whole historian, and tell what is wrong: missing, repeated, damaged, unsorted.

    Exit code 1 when something is.
    """
    from gigatwin.app.historians import open_existing

    with closing(open_existing(store)) as historian:
        found, where = historian.check(), historian.where
    if as_json:
        told = {
            "where": where,
            "is_whole": not found.problems,
            "n_rows": found.n_rows,
            "n_parts": found.n_parts,
            "problems": found.problems,
            "notes": found.notes,
        }
        typer.echo(json.dumps(told, indent=2))
    else:
        typer.echo(f"{where}: {found.n_rows} readings, {found.n_parts} segments or partitions read")
        for note in found.notes:
            typer.echo(f"Note: {note}")
        for problem in found.problems:
            typer.echo(f"Wrong: {problem}")
        typer.echo("Something is wrong." if found.problems else "Every row is there, once.")
    if found.problems:
        raise typer.Exit(FAILED_RUN)


def compact(*, store: StorePlace) -> None:
    """Move all readings to segments and merge small ones, so that queries open few files."""
    from gigatwin.app.historians import is_database, open_existing

    if is_database(store):
        message = "--store: a database looks after itself; only a folder can be compacted."
        raise OptionError(message)
    from gigatwin.connectors.embedded import EmbeddedHistorian

    with closing(open_existing(store, is_writer=True)) as historian:
        if isinstance(historian, EmbeddedHistorian):
            done = historian.compact()
            typer.echo(f"{done.n_rows} readings moved to segments, {done.n_merged} segments merged")


def retain(
    *,
    store: StorePlace,
    days: Annotated[
        float | None,
        typer.Option(metavar="D", min=0.0, help="Give up readings older than this, in days."),
    ] = None,
    gigabytes: Annotated[
        float | None,
        typer.Option(
            metavar="GB", min=0.0, help="Give up the oldest until the others take this, in 1e9 B."
        ),
    ] = None,
) -> None:
    """Give up old readings for good: whole segments or days, by source time.

    The age counts from how far the source's clock was, not from today. What only the journal holds
    stays; 'gigatwin history compact' moves it to segments.
    """
    if days is None and gigabytes is None:
        message = "nothing to go by; give --days, --gigabytes, or both."
        raise OptionError(message)
    from gigatwin.app.historians import open_existing

    n_bytes = None if gigabytes is None else int(gigabytes * _GIGABYTE)
    with closing(open_existing(store, is_writer=True)) as historian:
        dropped = historian.retain(days, n_bytes)
    typer.echo(
        f"{dropped.n_rows} readings given up, {dropped.n_segments} segments or partitions, "
        f"{dropped.n_bytes / _GIGABYTE:.3g} GB"
    )


def _read_moment(text: str, option: str) -> float:
    """Return the seconds since 1970 that an option gives."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = (
            f"{option} {text}: must be a time such as 2026-11-27T06:00, or seconds since 1970."
        )
        raise OptionError(message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


HISTORY_EXAMPLES = {
    info: ("gigatwin history info --store twin", "gigatwin history info --store twin --json"),
    query: (
        'gigatwin history query "SELECT * FROM readings ORDER BY time DESC LIMIT 9" --store twin',
        'gigatwin history query "SELECT tag, avg(value) FROM readings GROUP BY tag" \\',
        "    --store postgresql://twin@localhost/plant --csv",
    ),
    export: (
        "gigatwin history export --store twin -o all.parquet",
        "gigatwin history export --store twin --tag winding_1/Status.CurMachSpeed \\",
        "    --begin 2026-11-27T06:00 --end 2026-11-27T14:00 -o shift.csv",
    ),
    verify: ("gigatwin history verify --store twin", "gigatwin history verify --store twin --json"),
    compact: ("gigatwin history compact --store twin",),
    retain: (
        "gigatwin history retain --store twin --days 90",
        "gigatwin history retain --store twin --gigabytes 20",
    ),
}
"""The commands, each with the examples that its help ends with."""
