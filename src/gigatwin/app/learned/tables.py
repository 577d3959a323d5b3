"""Tables of a learning report: stations, ways, what was compared."""

import math
from html import escape

from gigatwin.app.learned.numbers import estimate_column, share_text
from gigatwin.app.learned.ways import ways
from gigatwin.app.numbers import MISSING, ShownUnit, count, shown_unit
from gigatwin.app.tables import Column, counts, html_table, names
from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.routing import OUT
from gigatwin.learning.calibration.calibration import Calibration
from gigatwin.learning.check.compared_figures import Figure
from gigatwin.learning.check.holdout import Holdout
from gigatwin.learning.check.verification import Verification
from gigatwin.learning.flow.topology import IN
from gigatwin.learning.learned import Learned, LearnedStation

_KINDS = {"breakdown": "breakdown", "micro_stop": "micro-stop", "planned": "planned stop"}
_FROM_VISITS = "from long visits"


def stations(learned: Learned) -> str:
    """Return the table of stations."""
    items = list(learned.stations.values())
    breakdowns = [_breakdown(item) for item in items]
    columns = [
        names("Station", [item.name for item in items]),
        counts("Machines", [len(item.machines) for item in items]),
        _unless(
            all(item.n_servers == len(item.machines) for item in items),
            counts("Items at once", [item.n_servers for item in items]),
        ),
        estimate_column("Processing time", "s", [item.times.mean for item in items]),
        _shares("CV [%]", [item.times.cv for item in items]),
        names("Law", [item.times.kind for item in items]),
        estimate_column("MTBF", "s", [found[0] for found in breakdowns]),
        estimate_column("MTTR", "s", [found[1] for found in breakdowns]),
        _buffers(learned),
        _shares("Blocked [%]", [_blocked(item) for item in items]),
        _shares(
            "Failed [%]",
            [item.failures.ratio if item.failures.n_known else math.nan for item in items],
        ),
        counts("Visits", [item.times.mean.n for item in items]),
        names("Source rows", [item.times.mean.rows or MISSING for item in items]),
        _known([item.times.is_identified for item in items]),
    ]
    return html_table(_used(columns), "Learned stations")


def laws(learned: Learned) -> str:
    """Return the table of why each law was chosen."""
    items = list(learned.stations.values())
    columns = [
        names("Station", [item.name for item in items]),
        names("Law", [item.times.kind for item in items]),
        _long("Why this law", [_sentence(item.times.reason) for item in items]),
        _long("How the mean was found", [_sentence(item.times.mean.method) for item in items]),
        _long("What to know", [" ".join(item.times.notes) or MISSING for item in items]),
        _unless(
            all(item.activities == item.machines == (item.name,) for item in items),
            _long("Activities on machines", [_origin(item) for item in items]),
        ),
    ]
    return html_table(_used(columns), "Laws and their reasons")


def stops(learned: Learned) -> str:
    """Return the table of stops; empty where the table of stations says all of them."""
    rows: list[tuple[str, str, Estimate, Estimate | None, float, str]] = []
    for item in learned.stations.values():
        rows += [
            (
                item.name,
                _KINDS.get(stop.kind, stop.kind),
                stop.between,
                stop.repair.mean,
                stop.n_stops,
                f"recorded by {stop.machine}",
            )
            for stop in item.recorded_stops
        ]
        if not item.recorded_stops:
            rows += [
                (
                    item.name,
                    _KINDS[stop.kind],
                    stop.mean_between,
                    _length(stop.duration),
                    stop.n_visible,
                    _FROM_VISITS,
                )
                for stop in item.times.stops
            ]
    if all(row[1] == "breakdown" and row[5] == _FROM_VISITS for row in rows):
        return ""
    return html_table(
        [
            names("Station", [row[0] for row in rows]),
            names("Stop", [row[1] for row in rows]),
            estimate_column("Running time between two", "s", [row[2] for row in rows]),
            estimate_column("Length", "s", [row[3] for row in rows]),
            counts("Stops seen", [row[4] for row in rows]),
            names("Basis", [row[5] for row in rows]),
        ],
        "Learned stops",
    )


def moves(learned: Learned) -> str:
    """Return the table of all ways."""
    shown = ways(learned)
    kinds = {"on": MISSING, "back": "back", "self": "again", "join": "join"}
    columns = [
        names("From", [{IN: "begin"}.get(way.source, way.source) for way in shown]),
        names("To", [way.target for way in shown]),
        _shares("Share of the moves from there [%]", [way.share for way in shown]),
        counts("Moves", [way.n for way in shown]),
        names(
            "Kind",
            [
                "scrap"
                if way.target == OUT and way.source in learned.flow.scrap
                else kinds[way.kind]
                for way in shown
            ],
        ),
    ]
    return html_table(columns, "Ways between stations")


def compared(figures: tuple[Figure, ...], name: str) -> str:
    """Return the table of figures of the log beside those of simulated logs."""
    cells: list[tuple[str, str, str, str]] = []
    for figure in figures:
        unit, factor = _unit(figure)
        half = (figure.high - figure.low) / 2 * factor
        measured, _ = unit.text(figure.measured * factor, half)
        simulated, interval = unit.text(figure.simulated * factor, half)
        suffix = f" {escape(unit.name)}" if unit.name else ""
        if figure.is_distance:
            interval = f"up to {unit.text(figure.high * factor)[0]}"
        cells.append(
            (
                f"{measured}{suffix}",
                f'{simulated} <span class="pm">{interval}</span>{suffix}',
                _difference(figure),
                _yes_or_no(not figure.is_larger_than_chance, "no", "yes"),
            )
        )
    larger = ["yes" if figure.is_larger_than_chance else "no" for figure in figures]
    columns = [
        names("Where", [figure.station or "line" for figure in figures]),
        names("Figure", [figure.quantity for figure in figures]),
        Column("Log", [row[0] for row in cells], [figure.measured for figure in figures]),
        Column("Simulated", [row[1] for row in cells], [figure.simulated for figure in figures]),
        Column(
            "Difference",
            [row[2] for row in cells],
            [figure.relative_difference for figure in figures],
        ),
        Column("Larger than chance?", [row[3] for row in cells], larger, is_number=False),
    ]
    return html_table(columns, name)


def shown_figures(verification: Verification) -> tuple[Figure, ...]:
    """Return the figures of the line, and those of stations that differ by more than chance."""
    of_line = [figure for figure in verification.figures if not figure.station]
    others = [figure for figure in verification.differences if figure.station]
    return (*of_line, *others)


def held_out(found: Holdout) -> str:
    """Return the table of held-out scores, learned beside plain."""
    rows = [(score.station, score, None) for score in found.scores]
    plain = {score.station: score for score in found.plain}
    medians = found.medians().to_dicts()
    by = {row["foretold_by"]: row for row in medians}
    keys = ("mean_error", "wasserstein", "kolmogorov_smirnov", "crps")
    titles = ("Error of the mean", "Wasserstein distance", "KS distance", "CRPS")
    summary = [names("Foretold by", [_foretold(row["foretold_by"]) for row in medians])]
    summary += [
        _shares(f"{title} [%]", [row[key] for row in medians])
        for title, key in zip(titles, keys, strict=True)
    ]
    each = [
        names("Station", [name for name, _, _ in rows]),
        counts("Visits learned from", [score.n_learned for _, score, _ in rows]),
        counts("Visits held out", [score.n_held_out for _, score, _ in rows]),
        _shares("Error of the mean [%]", [score.mean_error for _, score, _ in rows]),
        _shares("Wasserstein, learned [%]", [score.wasserstein for _, score, _ in rows]),
    ]
    if "plain" in by:
        each.append(
            _shares(
                "Wasserstein, repeating the past [%]",
                [plain[name].wasserstein if name in plain else math.nan for name, _, _ in rows],
            )
        )
    each.append(_shares("KS, learned [%]", [s.kolmogorov_smirnov for _, s, _ in rows]))
    return html_table(summary, "Held-out scores") + folded(
        html_table(each, "Held-out scores of stations"), f"All {len(rows)} compared stations"
    )


def calibrated(found: Calibration) -> str:
    """Return the tables of what was fitted to the log as a whole."""
    table = found.table()
    ends = [_factor(row["low"], row["mean"], row["high"]) for row in table.iter_rows(named=True)]
    before = [
        _factor(row["prior_low"], 1.0, row["prior_high"]) for row in table.iter_rows(named=True)
    ]
    factors = html_table(
        [
            names("Factor on", table["factor"].to_list()),
            Column("Before [\u00d7]", before, [1.0] * table.height),
            Column("After [\u00d7]", ends, table["mean"].to_list()),
        ],
        "Calibrated factors",
    )
    rows = found.summary_table()
    figures = html_table(
        [
            names("Figure", rows["summary"].to_list()),
            *(
                Column(
                    title,
                    [
                        _summary(name, value)
                        for name, value in zip(rows["summary"], rows[column], strict=True)
                    ],
                    rows[column].to_list(),
                )
                for title, column in (("Log", "observed"), ("Before", "before"), ("After", "after"))
            ),
            _shares("Spread by chance [%]", rows["relative_error"].to_list()),
        ],
        "Figures before and after calibration",
    )
    return factors + "<h3>Figures of the line</h3>" + figures


def folded(table: str, title: str) -> str:
    """Return a table that a reader opens."""
    return f"<details><summary>{escape(title)}</summary>{table}</details>"


def _foretold(name: str) -> str:
    return {"learned": "the learned line", "plain": "repeating the past"}.get(name, name)


def _factor(low: float, mean: float, high: float) -> str:
    value, interval = ShownUnit("", 1.0).text(mean, (high - low) / 2)
    return f'{value} <span class="pm">{interval}</span>'


def _summary(name: str, value: float) -> str:
    if name == "throughput":
        return escape(shown_unit("1/h", value * 3600).sentence(value * 3600))
    if "time" in name:
        return escape(shown_unit("s", value).sentence(value))
    return ShownUnit("", 1.0).text(value)[0]


def _unit(figure: Figure) -> tuple[ShownUnit, float]:
    """Return the unit that a figure is shown in, and what makes its number one of that table."""
    if figure.unit == "1/s":
        return shown_unit("1/h", figure.measured * 3600), 3600.0
    if figure.unit == "s":
        return shown_unit("s", figure.measured or figure.simulated), 1.0
    if figure.is_share or figure.is_distance:
        return shown_unit("", figure.measured), 1.0
    return ShownUnit("items" if figure.quantity == "items in process" else "", 1.0), 1.0


def _difference(figure: Figure) -> str:
    if figure.is_distance:
        return MISSING
    if figure.is_share:
        return f"{100 * figure.difference:+.2g} points".replace("-", "\u2212")
    if not math.isfinite(figure.relative_difference):
        return MISSING
    percent = 100 * figure.relative_difference
    text = f"{percent:+.0f} %" if abs(percent) >= 100 else f"{percent:+.2g} %"  # noqa: PLR2004 - from 100 % on none is shown
    return text.replace("-", "\u2212")


def _breakdown(item: LearnedStation) -> tuple[Estimate | None, Estimate | None]:
    """Return the time between breakdowns and their length."""
    for recorded in item.recorded_stops:
        if recorded.kind == "breakdown":
            return recorded.between, recorded.repair.mean
    if not item.recorded_stops:
        for stop in item.times.stops:
            if stop.kind == "breakdown":
                return stop.mean_between, _length(stop.duration)
    return None, None


def _length(law: object) -> Estimate | None:
    return law.estimates.get("mean") if isinstance(law, Distribution | Empirical) else None


def _buffers(learned: Learned) -> Column:
    cells, keys = [], []
    for item in learned.stations.values():
        if item.buffer is None:
            cells.append(MISSING)
            keys.append(math.nan)
            continue
        is_known = item.buffer.is_identified
        places = count(item.buffer.capacity)
        cells.append(places if is_known else f'<span class="quiet">\u2265 {places}</span>')
        keys.append(float(item.buffer.capacity))
    return Column("Buffer [places]", cells, keys)


def _blocked(item: LearnedStation) -> float:
    return float(item.is_blocked.mean()) if len(item.is_blocked) else math.nan


def _shares(title: str, values: list[float]) -> Column:
    cells = [
        share_text(value).removesuffix(" %") if math.isfinite(value) else MISSING
        for value in values
    ]
    return Column(title, cells, values)


def _known(values: list[bool]) -> Column:
    cells = [_yes_or_no(value, "yes", "no", "better") for value in values]
    return Column(
        "Known to 10 %", cells, ["yes" if value else "no" for value in values], is_number=False
    )


def _yes_or_no(is_good: bool, good: str, bad: str, style: str = "quiet") -> str:  # noqa: FBT001 - the subject of the sentence
    return f'<span class="{style if is_good else "worse"}">{good if is_good else bad}</span>'


def _long(title: str, values: list[str]) -> Column:
    cells = [
        f'<div class="long">{escape(value)}</div>' if len(value) > 1 else value for value in values
    ]
    return Column(title, cells, values, is_number=False)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _origin(item: LearnedStation) -> str:
    return f"{', '.join(item.activities)} on {', '.join(item.machines)}"


def _unless(is_plain: bool, column: Column) -> Column | None:  # noqa: FBT001 - read as a sentence
    return None if is_plain else column


def _used(columns: list[Column | None]) -> list[Column]:
    """Return the columns in which there is something to read."""
    return [
        column
        for column in columns
        if column is not None and any(cell != MISSING for cell in column.cells)
    ]
