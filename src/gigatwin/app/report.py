"""The report: one HTML file with everything in it."""

import os
from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from gigatwin.app.headline import bottleneck, cards, cautions
from gigatwin.app.numbers import count, shown_unit
from gigatwin.app.sections import Section, sections
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
    return page_html(
        "simulation report",
        result.factory_name,
        _run(result),
        top="".join(
            (
                *(f'<p class="caution">{text}</p>' for text in cautions(result)),
                cards(result),
                bottleneck(result),
            )
        ),
        parts=sections(result, comparison),
        reading="report_reading.html",
    )


def page_html(  # noqa: PLR0913 - the parts of a page
    kind: str, name: str, run: str, *, top: str, parts: Sequence[Section], reading: str
) -> str:
    """Return the text of a page that needs nothing else.

    Parameters
    ----------
    kind : str
        What kind of report it is, in words.
    name : str
        Name of the factory.
    run : str
        What it was made from, as HTML.
    top : str
        What stands before the sections, as HTML.
    parts : sequence of Section
        The sections.
    reading : str
        File of this package with the words that the report uses.
    """
    folder = files(__package__)
    links = "".join(f'<a href="#{part.anchor}">{escape(part.link)}</a>' for part in parts)
    page = Template(folder.joinpath("report.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(f"{name} \u2013 gigatwin {kind}"),
        product=escape(f"gigatwin {kind}"),
        name=escape(name),
        run=run,
        top=top,
        links=f'{links}<a href="#reading">How to read this</a>',
        sections="\n".join(part.html() for part in parts),
        reading=folder.joinpath(reading).read_text(encoding="utf-8"),
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
    write_page(path, report_html(result, comparison))


def write_page(path: str | Path, text: str) -> None:
    """Write a page; the file appears when it is complete.

    Parameters
    ----------
    path : str or path
        File to write.
    text : str
        The page.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
