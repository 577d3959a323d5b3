"""``gigatwin learn`` with nothing but the states of machines."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gigatwin.cli.failures import OptionError

if TYPE_CHECKING:
    from gigatwin.events.state_log import StateLog
    from gigatwin.factory.estimates import Estimate
    from gigatwin.learning.states.learned_machines import LearnedMachine, LearnedMachines


def check_states_mapping(states: Path | None, mapping: Path | None) -> None:
    """Refuse a mapping of states without states."""
    if mapping is not None and states is None:
        message = (
            f"--states-mapping: {mapping} is on the columns of --states, which is not given; give "
            "--states STATES, or --mapping for the columns of the log itself"
        )
        raise OptionError(message)


def read_states(states: Path | None, mapping: Path | None) -> "StateLog | None":
    """Return the states of a file, or None without one."""
    if states is None:
        return None
    from gigatwin.events.log_mapping import read_mapping
    from gigatwin.events.state_log import read_state_log
    from gigatwin.events.state_mapping import StateMapping

    return read_state_log(states, read_mapping(mapping, StateMapping) if mapping else None)


def learn_from_states(
    log: Path,
    mapping: Path | None,
    output: Path | None,
    pending: Mapping[str, Path],
    *,
    as_json: bool,
) -> Callable[[], None]:
    """Learn what states alone tell: work, stops, energy; write it, and return what prints it."""
    if "--report" in pending:
        message = (
            f"--report: {log} holds states of machines without items, and the report is on lines; "
            "leave it out, or give a log of items with --states"
        )
        raise OptionError(message)
    from gigatwin.factory.writing import write
    from gigatwin.learning.flow.stations import slug
    from gigatwin.learning.states.learn_states import learn_states

    states = read_states(log, mapping)
    assert states is not None  # noqa: S101 - for the type checker
    learned = learn_states(states, slug((output or log).stem))
    if output is not None:
        write(learned.factory, pending["--output"])

    def show() -> None:
        if as_json:
            typer.echo(json.dumps(_data(states, learned), indent=2))
            return
        _print(states, learned)
        if output is not None:
            typer.echo(f"Description written to {output}. Next: gigatwin run {output}")
        else:
            typer.echo("No description was written; --output line.yaml writes it.")

    return show


def _print(states: "StateLog", learned: "LearnedMachines") -> None:
    from gigatwin.cli.tables import console, table, text

    out = console()
    out.print(
        text(
            f"{learned.factory.name}: states of {len(learned.machines)} machines, "
            f"{states.intervals.height} intervals, no items; ± half a 95 % interval."
        )
    )
    if states.guesses:
        out.print("This was guessed; if it is wrong, give a --mapping:")
        for guess in states.guesses:
            out.print(text(f"  {guess}"))
    out.print()
    headers = ("machine", "station", "work [s]", "stop", "between [min]", "length [s]", "up [%]")
    rows = [row for machine in learned.machines.values() for row in _rows(machine)]
    out.print(table("Learned machines", headers, rows, n_names=2))
    shares = [
        (machine.name, state, _text(share, 100.0))
        for machine in learned.machines.values()
        for state, share in machine.shares.items()
    ]
    out.print(table("Share of the recorded time", ("machine", "state", "[%]"), shares, n_names=2))
    for note in dict.fromkeys(learned.notes):
        out.print(text(f"Note: {note}"))
    out.print()
    out.print("What the log does not tell, and what would:")
    for unknown in learned.unknowns:
        out.print(text(f"  {unknown.element}: {unknown.what} Would settle it: {unknown.signal}"))


def _rows(machine: "LearnedMachine") -> list[tuple[str, ...]]:
    first = (machine.name, machine.station, _text(machine.time.mean))
    stops: list[tuple[str, ...]] = [
        (
            stop.kind,
            _text(stop.between, 1.0 / 60.0),
            _text(stop.repair.mean),
            _text(stop.availability, 100.0),
        )
        for stop in machine.stops
    ] or [("none", "", "", "")]
    return [(*(first if k == 0 else ("", "", "")), *stop) for k, stop in enumerate(stops)]


def _text(estimate: "Estimate", scale: float = 1.0) -> str:
    from gigatwin.cli.numbers import estimate as shown

    return shown(estimate.value, estimate.low, estimate.high, scale)


def _data(states: "StateLog", learned: "LearnedMachines") -> dict[str, Any]:
    return {
        "factory": learned.factory.name,
        "n_intervals": states.intervals.height,
        "guesses": list(states.guesses),
        "notes": list(dict.fromkeys(learned.notes)),
        "machines": {
            name: {
                "station": machine.station,
                "work": machine.time.mean.model_dump(),
                "stops": [
                    {
                        "kind": stop.kind,
                        "between": stop.between.model_dump(),
                        "length": stop.repair.mean.model_dump(),
                        "availability": stop.availability.model_dump(),
                    }
                    for stop in machine.stops
                ],
                "shares": {state: share.model_dump() for state, share in machine.shares.items()},
            }
            for name, machine in learned.machines.items()
        },
        "unknowns": [vars(unknown) for unknown in learned.unknowns],
    }
