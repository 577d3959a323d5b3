"""Measure everything and print the table beside the targets."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import against_peers, plant_day, replications, starts
from benchmarks.machine import describe_machine
from benchmarks.measuring import REPEATS
from benchmarks.table import Row, as_markdown, as_text, write_into

_MEASUREMENTS: dict[str, Callable[[float], list[Row]]] = {
    "peers": against_peers.plain_rows,
    "breakdowns": against_peers.breakdown_rows,
    "plant": plant_day.rows,
    "trace": replications.trace_rows,
    "threads": replications.thread_rows,
    "start": starts.start_rows,
    "help": starts.help_rows,
    "size": against_peers.size_rows,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="*", metavar="NAME", help=f"of {', '.join(_MEASUREMENTS)}; default: all"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table into a page")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="shorten the runs to this share, to try the command; the times mean nothing then",
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.only) - set(_MEASUREMENTS))
    if unknown:
        parser.error(f"NAME: {unknown[0]}; must be one of {', '.join(_MEASUREMENTS)}")
    if not 0.0 < arguments.scale <= 1.0:
        parser.error(f"--scale: {arguments.scale:g}; must be above 0 and at most 1")
    if arguments.markdown and (arguments.only or arguments.scale < 1.0):
        parser.error(
            "--markdown: a part or a shortened run is no table; leave out NAME and --scale"
        )
    return arguments


def main() -> int:
    """Return 1 when programs disagree or a measurement failed; a missed target is only shown."""
    arguments = _arguments()
    begin = time.perf_counter()
    notes = describe_machine()
    print(*notes, sep="\n", flush=True)
    if arguments.scale < 1.0:
        print(
            f"Shortened to {arguments.scale:g} of the full length: the times mean nothing.",
            flush=True,
        )
    rows: list[Row] = []
    failures: list[str] = []
    for name, measure in _MEASUREMENTS.items():
        if arguments.only and name not in arguments.only:
            continue
        print(f"measuring: {name} ...", file=sys.stderr, flush=True)
        try:
            rows += measure(arguments.scale)
        except Exception as error:  # noqa: BLE001 - the other measurements are still wanted
            failures.append(f"{name}: {type(error).__name__}: {error}")
            rows.append(Row(name, "failed"))
    notes.append(
        f"best of {REPEATS}, programs in turns; "
        f"the whole table took {time.perf_counter() - begin:.0f} s"
    )
    print("", as_text(rows), "", notes[-1], sep="\n")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    if arguments.markdown and not failures:
        write_into(arguments.markdown, as_markdown(rows, notes))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
