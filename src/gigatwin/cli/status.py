"""``gigatwin status``: what a twin says of the plant now."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from datetime import UTC, datetime
from typing import Any

import typer

from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import AsJson, StoreFolder

_OLD = 10.0
"""Age of a status from which on the twin is taken to stand still. [s]"""


def status(*, store: StoreFolder, as_json: AsJson = False) -> None:
    """Show the mirrored state: machines, buffers, output, what is doubtful, what has changed."""
    from gigatwin.twin.store import TwinStore

    found = TwinStore.existing(store).status()
    if found is None:
        message = f"--store {store}: no status yet; must be a store that 'gigatwin sync' works in."
        raise OptionError(message)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    from gigatwin.cli.tables import console, table, text

    out = console()
    age = datetime.now(UTC).timestamp() - found["written"]
    source = found["source"]
    connected = "connected" if source["is_connected"] else "NOT CONNECTED"
    alive = f"{age:.0f} s ago" + (": the twin is not running" if age > _OLD else "")
    out.print(text(f"{found['line']} at {source['where']}: {connected}; written {alive}"))
    out.print(text(f"plant time {_moment(found['plant_time'])}; {_counted(found['counts'])}"))
    if source["last_error"]:
        out.print(text(f"last error: {source['last_error']}"))
    rows = [
        (
            machine["name"],
            machine["state"] or "not seen",
            machine["stop"],
            _duration(machine["since"], found["plant_time"]),
            machine["format"],
            str(machine["processed"]),
            str(machine["defective"]),
            machine["doubt"],
        )
        for machine in found["machines"]
    ]
    headers = ("machine", "state", "stop", "for", "format", "items", "defective", "doubt")
    out.print(table("Machines", headers, rows, n_names=3))
    levels = [
        (b["name"], str(b["level"]), "" if b["capacity"] is None else str(b["capacity"]))
        for b in found["buffers"]
    ]
    out.print(table("Buffers", ("in front of", "items", "places"), levels))
    made = ", ".join(f"{n} of {name}" for name, n in found["output"].items() if n) or "nothing"
    out.print(text(f"Left the line since the twin began: {made}."))
    tags = found["tags"]
    if tags["n_doubtful"]:
        out.print(
            text(
                f"{tags['n_doubtful']} of {tags['n']} tags are doubtful: "
                f"{', '.join(tags['doubtful'][:5])} ..."
            )
        )
    for finding in found["findings"]:
        out.print(text(f"Finding {finding['number']} ({finding['stage']}): {finding['text']}"))


def _counted(counts: dict[str, int]) -> str:
    wrong = {name: n for name, n in counts.items() if n and name != "readings"}
    said = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in wrong.items())
    return f"{counts['readings']} readings" + (f", of these {said}" if said else "")


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _duration(since: float | None, now: float | None) -> str:
    if since is None or now is None:
        return ""
    seconds = int(max(now - since, 0))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
