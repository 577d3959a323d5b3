"""What ``gigatwin verify`` prints."""

from gigatwin.cli.learn_tables import print_guesses
from gigatwin.cli.numbers import number
from gigatwin.cli.tables import console, table, text
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog
from gigatwin.learning.check.compared_figures import Figure
from gigatwin.learning.check.verification import Verification
from gigatwin.units import format_quantity

_HEADERS = (
    "quantity",
    "unit",
    "log",
    "simulated",
    "95 % of simulated logs",
    "difference [%]",
    "larger than chance",
)
_HOUR = 3600.0


def print_verification(found: Verification, cases: CaseLog, states: StateLog | None = None) -> None:
    """Print the line, its stations where they differ, and the verdict."""
    out = console()
    out.print(
        text(
            f"{found.factory_name}: {found.n_cases} cases in {format_quantity(found.length, 's')} "
            f"of the log, {found.replications} simulated logs of the same length."
        )
    )
    print_guesses(out, cases, states)
    out.print()
    line = [figure for figure in found.figures if not figure.station]
    out.print(table("The line", _HEADERS, [_row(figure) for figure in line], n_names=2))
    stations = [figure for figure in found.differences if figure.station]
    n_agreeing = sum(bool(figure.station) for figure in found.figures) - len(stations)
    if stations:
        rows = [(figure.station, *_row(figure)) for figure in stations]
        title = "Stations, where they differ by more than chance"
        out.print(table(title, ("station", *_HEADERS), rows, n_names=3))
    out.print(f"{n_agreeing} figures of stations agree; --json lists all of them.")
    for note in dict.fromkeys((*found.notes, *cases.warnings)):
        out.print(text(f"Note: {note}"))
    out.print()
    out.print(text(found.verdict))
    if found.is_accepted:
        out.print("The line is verified against this log.")
    else:
        out.print("The line is not verified against this log.")


def _row(figure: Figure) -> tuple[str, ...]:
    scale, unit = 1.0, figure.unit
    if figure.unit == "1/s":
        scale, unit = _HOUR, "1/h"
    elif figure.is_share:
        scale, unit = 100.0, "%"
    return (
        figure.quantity,
        unit,
        number(figure.measured, scale),
        number(figure.simulated, scale),
        f"{number(figure.low, scale)} to {number(figure.high, scale)}",
        "\u2013" if figure.is_distance else f"{100 * figure.relative_difference:+.2f}",
        "yes" if figure.is_larger_than_chance else "no",
    )
