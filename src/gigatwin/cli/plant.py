"""``gigatwin plant``: a virtual plant behind real interfaces."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.failures import OptionError, say
from gigatwin.cli.options import Source, read_time

_ANY_SPEED = "max"


def plant(  # noqa: PLR0913 - one parameter for each option
    line: Source,
    *,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What the plant really does (YAML); left out, drawn by the seed."
        ),
    ] = None,
    truth_seed: Annotated[
        int, typer.Option(metavar="N", help="Chooses the truth and every random number.")
    ] = 1,
    speed: Annotated[
        str, typer.Option(metavar="X", help="1: real time; 10: ten times as fast; max.")
    ] = "1",
    opcua: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Serve OPC UA here: opc.tcp://127.0.0.1:4840"),
    ] = None,
    sparkplug: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Publish Sparkplug B to a broker: mqtt://127.0.0.1:1883/group/node"
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Publish JSON on the ISA-95 path to a broker: mqtt://127.0.0.1:1883"
        ),
    ] = None,
    values: Annotated[
        int, typer.Option(metavar="N", help="Measured values of each machine, with noise.")
    ] = 2,
    scan: Annotated[
        str, typer.Option(metavar="TIME", help="How often changes are shown, in plant time.")
    ] = "0.5 s",
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End after this plant time; left out, at Ctrl-C."),
    ] = None,
    misbehave: Annotated[
        str | None,
        typer.Option(
            metavar="FAULT=SHARE,...",
            help="Let messages go wrong: lost=1%,duplicated=1%,disordered=2%,late=1%.",
        ),
    ] = None,
) -> None:
    """Run a line as a plant of its own: machines to command, counters, alarms, a hidden truth.

    What it really does differs from the description: other laws, wear, settings that act on each
    other. A twin learns of it only what the interfaces show, as with hardware. It takes commands
    and settings of whoever may write: start, stop, hold, speed, format.
    """
    faces = {"--opcua": opcua, "--sparkplug": sparkplug, "--namespace": namespace}
    if not any(faces.values()):
        message = (
            "plant: no interface; must have at least one. Give --opcua opc.tcp://127.0.0.1:4840, "
            "or --sparkplug or --namespace with the URL of a broker."
        )
        raise OptionError(message)
    pace = _pace(speed)
    step = read_time(scan, "--scan") or 0.0
    end = read_time(until, "--until")
    from gigatwin.app.plants import PlantOptions, run_plant

    run_plant(
        PlantOptions(
            line=line,
            truth=truth,
            truth_seed=truth_seed,
            speed=pace,
            scan=step,
            until=end,
            values=values,
            misbehaviour=misbehave or "",
            opcua=opcua,
            sparkplug=sparkplug,
            namespace=namespace,
        ),
        say,
    )


def _pace(text: str) -> float:
    if text == _ANY_SPEED:
        return float("inf")
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not pace > 0:
        message = f"--speed {text}: must be a number above 0, or max."
        raise OptionError(message)
    return pace
