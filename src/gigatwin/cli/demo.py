"""``gigatwin demo``: one question answered on an example line."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.options import REPORT_ENDINGS
from gigatwin.cli.outputs import pending_outputs
from gigatwin.cli.progress import note_compilation, progress_bar

_LINE = "assembly-46"
_REPLICATIONS = 10
_SCENARIOS: dict[str, dict[str, object]] = {
    "welder recovers faster": {"terminal_weld.stops.micro_stop.duration.mean": "1.5 min"},
    "more places before welder": {"terminal_weld.buffer.capacity": 40},
    "winders 5 % faster": {"winding.speed": 1.05},
}


def demo(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.html", help="Report to write.")
    ] = Path("gigatwin-demo.html"),
    days: Annotated[
        float, typer.Option(metavar="D", help="Length of each of ten replications, in days.")
    ] = 2.0,
    is_live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Show a twin in step with a plant instead: a drift is found, a change is "
            "proposed, approved, written and watched. About two minutes; needs gigatwin[live].",
        ),
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With --live: keep what the twin stored here."),
    ] = None,
) -> None:
    """Simulate a line for 46-series battery cells, compare three changes, write a report."""
    if is_live:
        _show_live(store)
        return
    with pending_outputs({"--output": output}, (), {"--output": REPORT_ENDINGS}) as paths:
        from gigatwin.factory.reading import load

        factory = load(_LINE)
        typer.echo(f"{factory.description} ('{_LINE}' of the library, as its vendor set it)")
        typer.echo(
            f"Now: {_REPLICATIONS} replications of {days:g} d, then the same ones with each of "
            f"{len(_SCENARIOS)} changes.\n"
        )
        note_compilation()
        from gigatwin.app.report import write_report
        from gigatwin.cli.demo_tables import print_demo
        from gigatwin.studies.comparison import compare

        with progress_bar("simulating") as progress:
            comparison = compare(
                factory, _SCENARIOS, days=days, replications=_REPLICATIONS, progress=progress
            )
        write_report(paths["--output"], comparison.base, comparison)
    print_demo(comparison, _SCENARIOS)
    typer.echo(f"\nReport: {output.resolve()}")
    typer.echo(
        "\nTry next:\n"
        f"  gigatwin run {_LINE} --days 2                       all tables of one line\n"
        f"  gigatwin compare {_LINE} --days 2 --scenario mine:filling.machines=3\n"
        f"  gigatwin new my-line --template {_LINE}             a description of your own"
    )


def _show_live(store: Path | None) -> None:
    from gigatwin.app.live_demo import run_live_demo

    typer.echo(
        "A virtual plant, a broker and a twin on this machine. After ten plant minutes the\n"
        "terminal welder becomes 6 % slower, which nobody tells the twin.\n"
    )
    note_compilation()
    shown = run_live_demo(store, typer.echo)
    agree = (
        "every machine's count in the twin is the plant's"
        if shown.differences == 0
        else f"the counts of {shown.differences} machines are not the plant's"
    )
    typer.echo(
        f"\nThe drift was found {shown.found_after:.0f} s of plant time after it began. "
        f"The change was proposed, approved, written, watched and {shown.status}.\n"
        f"{shown.readings} readings in {shown.wall_time:.0f} s; {agree}.\n"
        "\nTry next, in two terminals:\n"
        f"  gigatwin plant {_LINE} --opcua opc.tcp://127.0.0.1:4840\n"
        f"  gigatwin connect browse opc.tcp://127.0.0.1:4840 --line {_LINE} -o map.yaml"
    )
