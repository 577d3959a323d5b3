"""The top of a learning report: what was learned from what, and whether it can be trusted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

import polars as pl

from gigatwin.app.headline import card
from gigatwin.app.learned.numbers import share_text
from gigatwin.app.numbers import count, shown_unit
from gigatwin.events.case_log import CaseLog
from gigatwin.learning.check.compared_figures import Figure
from gigatwin.learning.check.holdout import Holdout
from gigatwin.learning.check.verification import Verification
from gigatwin.learning.learned import Learned


@dataclass(frozen=True)
class Evidence:
    """What a learned line was compared with."""

    verification: Verification | None = None
    """Simulated logs beside the real one."""
    holdout: Holdout | None = None
    """Later cases, foretold."""
    log: CaseLog | None = None
    """The log."""


def machines(learned: Learned) -> set[str]:
    """Return the machines that the log names."""
    return {machine for item in learned.stations.values() for machine in item.machines}


def source(learned: Learned, log: CaseLog | None) -> str:
    """Return what was learned from, as HTML."""
    parts = [learned.factory.description.rstrip(".")]
    if log is not None:
        parts = [f"learned from {count(log.visits.height)} visits of {count(log.n_cases)} cases"]
        times = [log.visits[name].drop_nulls() for name in ("start", "end")]
        known = [part for part in times if len(part)]
        if known:
            parts.append(_span(log, known))
    parts.append(f"{len(machines(learned))} machines")
    parts.append(f"written {datetime.now().astimezone():%Y-%m-%d %H:%M}")
    return " \u00b7 ".join(escape(part) for part in parts)


def _span(log: CaseLog, times: list[pl.Series]) -> str:
    first = min(float(part.to_numpy().min()) for part in times)
    last = max(float(part.to_numpy().max()) for part in times)
    text = shown_unit("s", last - first).sentence(last - first)
    if isinstance(log.origin, datetime):
        begin, end = (log.origin + timedelta(seconds=moment) for moment in (first, last))
        return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({text})"
    return f"{text} long"


def verdict(verification: Verification | None) -> str:
    """Return the verdict of the comparison with the log, as HTML."""
    if verification is None:
        return (
            '<p class="finding">The learned line was not compared with the log: nothing here says '
            "yet whether it behaves like the real one.</p>"
        )
    style = "finding" if verification.is_accepted else "caution"
    word = "<b>Agrees with the log.</b> "
    if verification.differences:
        n = len(verification.differences)
        word = f"<b>Differs from the log in {n} of {len(verification.figures)} figures.</b> "
    elif not verification.is_informative:
        word = ""
    return f'<p class="{style}">{word}{escape(verification.verdict)}</p>'


def cards(learned: Learned, evidence: Evidence) -> str:
    """Return the headline numbers as HTML."""
    n_machines = len(machines(learned))
    known = sum(item.times.is_identified for item in learned.stations.values())
    found = [
        card("Stations", [_plain(count(len(learned.stations)))], f"{n_machines} machines"),
        card(
            "Times known to 10 %",
            [_plain(share_text(learned.identified_ratio))],
            f"of visits; {known} of {len(learned.stations)} stations",
        ),
    ]
    if evidence.verification is not None:
        figures = {
            figure.quantity: figure
            for figure in evidence.verification.figures
            if not figure.station
        }
        for title, quantity in (
            ("Throughput", "throughput"),
            ("Mean lead time", "lead time mean"),
            ("Items in process", "items in process"),
        ):
            if quantity in figures:
                found.append(_both(title, figures[quantity]))
    if evidence.holdout is not None and evidence.holdout.scores:
        medians = evidence.holdout.medians()
        shares = dict(medians.select("foretold_by", "wasserstein").iter_rows())
        note = "distance of foretold and later times, median of the stations"
        if "plain" in shares:
            note += f"; repeating the past: {share_text(shares['plain'])}"
        found.append(card("Held-out error", [_plain(share_text(shares["learned"]))], note))
    found.append(
        card(
            "What the log cannot tell",
            [f'<a href="#unknown">{_plain(count(len(learned.unknowns)))}</a>'],
            "points, and the signal that would settle each",
        )
    )
    return f'<div class="cards">{"".join(found)}</div>'


def _plain(text: str) -> str:
    return f'<span class="value">{escape(text)}</span>'


def _both(title: str, figure: Figure) -> str:
    """Return a card with a figure of the log and of the simulated logs."""
    factor = 3600.0 if figure.unit == "1/s" else 1.0
    table = {"1/s": "1/h", "s": "s"}.get(figure.unit, "items")
    unit = shown_unit(table, figure.measured * factor)
    half = (figure.high - figure.low) / 2 * factor
    measured = unit.text(figure.measured * factor, half)[0]
    simulated, interval = unit.text(figure.simulated * factor, half)
    lines = "".join(
        f'<div><dt>{word}</dt><dd><span class="value">{value}</span></dd></div>'
        for word, value in (
            ("log", measured),
            ("simulated", f'{simulated} <span class="pm">{interval}</span>'),
        )
    )
    note = "differs by more than chance" if figure.is_larger_than_chance else "agrees within chance"
    return card(f"{title} [{unit.name}]", [f"<dl>{lines}</dl>"], note)
