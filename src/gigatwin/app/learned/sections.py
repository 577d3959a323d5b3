"""The sections of a learning report: the line, what is not known, stations, changes, comparison."""

from collections.abc import Iterable
from html import escape

import numpy as np
import polars as pl

from gigatwin.app.figures import as_html
from gigatwin.app.learned import figures, graph, tables, ways
from gigatwin.app.learned.headline import Evidence
from gigatwin.app.learned.numbers import estimate_column, estimate_text, share_text
from gigatwin.app.numbers import shown_unit
from gigatwin.app.sections import Section
from gigatwin.app.tables import Column, html_table, names
from gigatwin.events.case_log import CaseLog
from gigatwin.learning.calibration.calibration import Calibration
from gigatwin.learning.drift.drift import DAY, WANTED_INTERVAL, Change, Drift
from gigatwin.learning.learned import Learned
from gigatwin.learning.provenance import Unknown

_TOPICS = {
    "buffer.capacity": "Places in a buffer",
    "time": "Processing time",
    "stops": "Breakdowns or slow work",
    "stops.breakdown": "How often a station breaks down",
    "stops.micro_stop": "How often a station has micro-stops",
    "kind": "How a station keeps its items",
    "inputs": "Which parts went into which item",
}
_MOST_LISTED = 8
_MOST_CHANGED = 20


def learned_sections(
    learned: Learned,
    evidence: Evidence,
    calibration: Calibration | None,
    guesses: Iterable[str],
) -> list[Section]:
    """Return the sections of a report for which there is something to show."""
    found = [
        line(learned),
        unknown(learned),
        stations(learned),
        distributions(learned),
        changes(learned, evidence.log),
        compared(evidence),
        None if calibration is None else calibrated(calibration),
        reading(learned, evidence.log, guesses),
    ]
    return [section for section in found if section is not None]


def line(learned: Learned) -> Section:
    """Return the line as it was discovered."""
    n_ways, n_drawn = len(ways.ways(learned)), len(ways.drawn_ways(learned))
    rare = (
        f" {n_ways - n_drawn} rare ways (below 5 % of what leaves a station) are not drawn; the "
        "table has them."
        if n_drawn < n_ways
        else ""
    )
    body = (
        "<p>Stations from left to right as items pass them, each with its mean processing time "
        "and, on its left, the places of the buffer before it. A share stands at a way that not "
        f"all items take. Point at anything to read more.{rare}</p>"
        f'<div class="figure scroll" tabindex="0" role="region" aria-label="The line">'
        f"{graph.line_graph(learned)}</div>"
        + ways.legend(learned)
        + tables.folded(tables.moves(learned), f"All {n_ways} ways")
    )
    return Section("line", "The discovered line", body, "Line")


def unknown(learned: Learned) -> Section:
    """Return what the log does not tell, with equal points taken together."""
    if not learned.unknowns:
        body = "<p>Every number of the description is determined by the log.</p>"
        return Section("unknown", "What the log cannot tell", body, "Not known")
    groups: dict[tuple[str, str], list[tuple[str, Unknown]]] = {}
    for item in learned.unknowns:
        station, topic = _topic(learned, item.element)
        groups.setdefault((topic, item.signal), []).append((station, item))
    body = (
        "<p>The description runs with an assumption in these places. If one of them matters for "
        "your question, get the signal named beside it.</p>"
        + "".join(_open(topic, signal, found) for (topic, signal), found in groups.items())
    )
    return Section("unknown", "What the log cannot tell", body, "Not known")


def _topic(learned: Learned, element: str) -> tuple[str, str]:
    """Return the station of an element and what of it is meant."""
    for name in sorted(learned.stations, key=len, reverse=True):
        if element.startswith(f"{name}."):
            rest = element[len(name) + 1 :]
            return name, _TOPICS.get(rest, rest)
    if element.startswith("clock of "):
        return element.removeprefix("clock of "), "How far a clock is off"
    return "", element[:1].upper() + element[1:]


def _open(topic: str, signal: str, found: list[tuple[str, Unknown]]) -> str:
    texts = list(dict.fromkeys(item.what for _, item in found))
    places = [station for station, _ in found if station]
    more = f" and {len(places) - _MOST_LISTED} more" if len(places) > _MOST_LISTED else ""
    where = (
        f' <span class="quiet">\u2013 {escape(", ".join(places[:_MOST_LISTED]))}{more}</span>'
        if places
        else ""
    )
    if len(texts) == 1:
        what = f"<p>{escape(texts[0])}</p>"
    else:
        listed = [
            f"<li><b>{escape(station)}</b>: {escape(item.what)}</li>" for station, item in found
        ]
        what = f'<ul class="plain">{"".join(listed)}</ul>'
        if len(listed) > _MOST_LISTED:
            what = tables.folded(what, f"What stands there instead, at {len(listed)} stations")
    return (
        f'<div class="open"><h3>{escape(topic)}{where}</h3>{what}'
        f"<p><b>Would settle it:</b> {escape(signal)}</p></div>"
    )


def stations(learned: Learned) -> Section:
    """Return what is known of each station."""
    body = (
        "<p>Stations in the order of the flow. The processing time is that of the work alone, "
        "without stops and waits. Select a heading to sort.</p>"
        + tables.stations(learned)
        + _with_heading("Stops", tables.stops(learned))
        + _with_heading("Why these laws", tables.laws(learned))
    )
    return Section("stations", "Stations", body, "Stations")


def _with_heading(title: str, table: str) -> str:
    return f"<h3>{escape(title)}</h3>{table}" if table else ""


def distributions(learned: Learned) -> Section | None:
    """Return measured times beside learned ones."""
    items = sorted(learned.stations.values(), key=lambda item: -len(item.durations))
    chosen = {item.name for item in items[: figures.MOST_PANELS]}
    known = [figures.times_of(item) for item in learned.stations.values() if item.name in chosen]
    shown = [times for times in known if times is not None]
    if not shown:
        return None
    far = [
        f"{escape(times.station)} ({100 * times.distance:.1f} %, by chance up to "
        f"{100 * times.chance:.1f} %)"
        for times in shown
        if times.distance > times.chance
    ]
    left_out = len(items) - len(shown)
    body = (
        "<p>Share of visits that take at most so long, stops included. Visits that a full buffer "
        "held up are shown apart: they tell only the most that the work can have taken, and "
        "<i>measured</i> allows for them. KS is the largest distance between measured and "
        "learned.</p>"
        + as_html(figures.distributions(shown), "figure-distributions")
        + (
            f"<p><b>Farther apart than chance explains:</b> {', '.join(far)}.</p>"
            if far
            else "<p>At no station are they farther apart than chance explains.</p>"
        )
        + (f"<p>{left_out} stations with the fewest visits are not shown.</p>" if left_out else "")
    )
    return Section("times", "Measured and learned times", body, "Times")


def changes(learned: Learned, log: CaseLog | None) -> Section:
    """Return what changed with time."""
    drifts = [item.drift for item in learned.stations.values() if item.drift is not None]
    changed = [drift for drift in drifts if drift.is_changed]
    rate = f"one false alarm in {WANTED_INTERVAL / DAY:.0f} days over all stations"
    too_few = [drift.station or drift.signal for drift in drifts if drift.n_reference == 0]
    missing = [name for name, item in learned.stations.items() if item.drift is None]
    only_alarms = [
        f"{drift.station} ({len(drift.alarms)})"
        for drift in drifts
        if drift.alarms and not drift.is_changed
    ]
    notes = []
    if only_alarms:
        notes.append(
            f"Alarms without a change that could be dated, false ones or slow changes: "
            f"{', '.join(only_alarms)}."
        )
    if too_few or missing:
        notes.append(
            "Too few visits that were not held up, so that no alarms are given: "
            f"{', '.join([*too_few, *missing])}."
        )
    text = "".join(f"<p>{escape(note)}</p>" for note in notes)
    if not changed:
        body = f"<p>No station changed while the log was written. Alarms are set for {rate}.</p>"
        return Section("changes", "What changed with time", body + text, "Changes")
    points = " Points show all visits, held-up ones too; the means leave those out." if log else ""
    body = (
        f"<p>{len(changed)} of {len(drifts)} signals changed; the description holds for the time "
        f"after the last change of each station. Alarms are set for {rate}. The grey band is the "
        f"95 % interval of the date.{points}</p>"
        + as_html(
            figures.changes_over_time(
                changed[:_MOST_CHANGED], _length(learned), _series(learned, log, changed)
            ),
            "figure-changes",
        )
        + _change_table(learned, changed)
    )
    return Section("changes", "What changed with time", body + text, "Changes")


def _length(learned: Learned) -> float:
    """Return about how long the log is, in working time. [s]."""
    return max((float(np.sum(s.intervals)) for s in learned.supplies.values()), default=0.0)


def _series(
    learned: Learned, log: CaseLog | None, drifts: Iterable[Drift]
) -> dict[str, pl.DataFrame]:
    """Return the times of visits at stations that changed, those held up by a full buffer too."""
    if log is None:
        return {}
    wanted = [drift.station for drift in drifts]
    visits = learned.flow.station_of(learned.axis.to_working(log.visits))
    rows = visits.drop_nulls(["station", "start", "end"]).filter(pl.col("station").is_in(wanted))
    parts = rows.select("station", "end", duration=pl.col("end") - pl.col("start"))
    return {str(name): part for (name,), part in parts.group_by("station")}


def _change_table(learned: Learned, drifts: Iterable[Drift]) -> str:
    rows = [(drift, change) for drift in drifts for change in drift.changes]
    moments = [learned.axis.moment(change.time) for _, change in rows]
    ends = [
        f"{learned.axis.moment(change.low)} to {learned.axis.moment(change.high)}"
        for _, change in rows
    ]
    values = [change.time for _, change in rows]
    columns = [
        names("Signal", [drift.signal for drift, _ in rows]),
        Column("Changed at", [escape(text) for text in moments], values),
        names("95 % interval of the date", ends),
        *(
            Column(title, [escape(estimate_text(end)) for end in found], [e.value for e in found])
            for title, found in (
                ("Mean before", [change.before for _, change in rows]),
                ("Mean after", [change.after for _, change in rows]),
            )
        ),
        _sizes([change for _, change in rows]),
    ]
    return html_table(columns, "Changes with time")


def _sizes(found: list[Change]) -> Column:
    return estimate_column("Change", "", [change.size for change in found])


def compared(evidence: Evidence) -> Section | None:
    """Return the comparison with the log, and with later cases."""
    body = ""
    verification = evidence.verification
    if verification is not None:
        length = shown_unit("s", verification.length).sentence(verification.length)
        figures = verification.figures
        body += (
            f"<p>{verification.replications} logs of {escape(length)} were simulated with the "
            "learned line and measured as the real one was. After \u00b1 stands the 95 % interval "
            "for one more simulated log. Shown are the line as a whole, and what differs by more "
            "than chance.</p>"
            + tables.compared(tables.shown_figures(verification), "Comparison")
            + tables.folded(
                tables.compared(figures, "All compared figures"),
                f"All {len(figures)} figures",
            )
            + _listed(verification.notes)
        )
    if evidence.holdout is not None and evidence.holdout.scores:
        body += (
            "<h3>Cases that were held out</h3><p>Learned from the first cases, compared with the "
            "later ones; medians over the stations, relative to the mean time. A learned line "
            "that foretells no better than repeating the past is still the one that can answer "
            "what-if questions, but should not be worse.</p>" + tables.held_out(evidence.holdout)
        )
        if evidence.holdout.n_left_out:
            body += f"<p>{evidence.holdout.n_left_out} with too few visits are left out.</p>"
    if not body:
        return None
    return Section("verification", "Does it behave like the real line?", body, "Comparison")


def calibrated(calibration: Calibration) -> Section:
    """Return what was fitted to the log as a whole."""
    before, after = calibration.mismatch
    body = (
        "<p>What the log does not show directly was fitted so that the simulated line gives the "
        f"log\u2019s figures. They were {before:.2g} standard errors apart before, {after:.2g} "
        "after.</p>" + tables.calibrated(calibration) + _listed(calibration.notes)
    )
    return Section("calibration", "Calibration", body, "Calibration")


def reading(learned: Learned, log: CaseLog | None, guesses: Iterable[str]) -> Section:
    """Return how the log was read."""
    guessed = tuple(guesses) or (() if log is None else log.guesses)
    warnings = () if log is None else log.warnings
    in_notes = " ".join(learned.notes)
    parts = [
        ("Columns, as guessed", guessed),
        ("Warnings", tuple(text for text in warnings if text not in in_notes)),
        ("Assumed, put right or left out", learned.notes),
        ("Working hours", (learned.axis.calendar.note,)),
        ("Clocks", tuple(_clocks(learned))),
    ]
    body = "".join(
        f"<h3>{escape(title)}</h3>{_listed(texts)}" for title, texts in parts if any(texts)
    )
    return Section("log", "How the log was read", body, "The log")


def _clocks(learned: Learned) -> list[str]:
    clocks = learned.clocks
    step = (
        f"Times are multiples of {shown_unit('s', clocks.resolution).sentence(clocks.resolution)}."
        if clocks.resolution
        else "Times have no step."
    )
    sigma = estimate_text(clocks.sigma) if clocks.sigma.value else "none that shows"
    found = [step, f"Random error of a time (standard deviation): {sigma}."]
    known = {name: e for name, e in clocks.offsets.items() if e.value and e.is_identified}
    found += [f"{name}: ahead of the others by {estimate_text(e)}." for name, e in known.items()]
    unknown = [name for name, e in clocks.offsets.items() if not e.is_identified]
    if unknown:
        part = share_text(len(unknown) / max(len(clocks.offsets), 1))
        found.append(
            f"Taken to agree with the others, without proof: {len(unknown)} machines ({part})."
        )
    return found


def _listed(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts if text)
    return f'<ul class="plain">{items}</ul>' if items else ""
