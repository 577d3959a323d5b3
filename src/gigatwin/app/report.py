"""The report: one HTML file with everything in it."""

import os
from datetime import datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from gigatwin.app.headline import bottleneck, cards, cautions
from gigatwin.app.numbers import count, shown_unit
from gigatwin.app.sections import sections
from gigatwin.simulation.result import Result
from gigatwin.studies.comparison import Comparison


def report_html(result: Result, comparison: Comparison | None = None) -> str:
    """Return the report as the text of an HTML page that needs nothing else.

    Parameters
    ----------
    result : Result
        What was simulated; with a comparison its base.
    comparison : Comparison, optional
        Scenarios to show beside it.
    """
    parts = sections(result, comparison)
    links = "".join(f'<a href="#{part.anchor}">{escape(part.link)}</a>' for part in parts)
    page = Template(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(f"{result.factory_name} \u2013 gigatwin report"),
        name=escape(result.factory_name),
        run=_run(result),
        cautions="".join(f'<p class="caution">{text}</p>' for text in cautions(result)),
        cards=cards(result),
        bottleneck=bottleneck(result),
        links=f'{links}<a href="#reading">How to read this</a>',
        sections="\n".join(part.html() for part in parts),
        plotly=get_plotlyjs(),
    )


def _run(result: Result) -> str:
    warm_up = shown_unit("s", result.warm_up).sentence(result.warm_up)
    days = "day" if result.days == 1 else "days"
    replications = "replication" if result.replications == 1 else "replications"
    parts = [
        f"{count(result.days)} {days} \u00d7 {result.replications} {replications}",
        f"warm-up {warm_up}" if result.warm_up else "no warm-up",
        f"seed {result.seed}",
        f"written {datetime.now().astimezone():%Y-%m-%d %H:%M}",
    ]
    return " \u00b7 ".join(escape(part) for part in parts)


def write_report(path: str | Path, result: Result, comparison: Comparison | None = None) -> None:
    """Write the report as one HTML file that opens without a network.

    The file appears when it is complete; a failure leaves what was there before.

    Parameters
    ----------
    path : str or path
        File to write, about 5 MB.
    result : Result
        What was simulated; with a comparison its base.
    comparison : Comparison, optional
        Scenarios to show beside it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    text = report_html(result, comparison)
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
