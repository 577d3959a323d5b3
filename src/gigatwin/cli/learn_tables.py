"""What ``gigatwin learn`` prints."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from gigatwin.cli.numbers import estimate, number
from gigatwin.cli.tables import console, table, text
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog
from gigatwin.learning.calibration.calibration import Calibration
from gigatwin.learning.check.holdout import Holdout
from gigatwin.learning.check.verification import Verification
from gigatwin.learning.learned import Learned
from gigatwin.learning.provenance import Unknown

_MOST_ELEMENTS = 6


def print_learned(  # noqa: PLR0913 - what was learned, and each way in which it was proven
    cases: CaseLog,
    learned: Learned,
    *,
    states: StateLog | None = None,
    scores: Holdout | None = None,
    verification: Verification | None = None,
    calibration: Calibration | None = None,
) -> None:
    """Print what was guessed, what was learned, what is not known, and how well it foretells."""
    out = console()
    out.print(
        text(
            f"{learned.factory.name}: {cases.visits.height} visits of {cases.n_cases} cases; "
            "± half a 95 % interval."
        )
    )
    print_guesses(out, cases, states)
    out.print()
    _print_stations(out, learned)
    # Several parts of learning may find the same.
    for note in dict.fromkeys((*learned.notes, *(calibration.notes if calibration else ()))):
        out.print(text(f"Note: {note}"))
    _print_changes(out, learned)
    _print_unknowns(out, learned)
    if scores is not None:
        _print_scores(scores)
    if verification is not None:
        out.print()
        # The line of the early cases is neither calibrated nor told the states.
        given = (states, "without the states"), (calibration, "before calibration")
        lacks = ", ".join(words for what, words in given if what is not None)
        how = f" ({lacks})" if lacks else ""
        out.print(f"Learned from the first 70 % of the cases{how} and held against the others:")
        out.print(text(verification.verdict))


def print_guesses(out: Console, cases: CaseLog, states: StateLog | None) -> None:
    """Print what was guessed of the columns of a log, and of those of the states beside it."""
    for what, option, guesses in (
        ("columns", "--mapping", cases.guesses),
        ("columns and words of the states", "--states-mapping", states.guesses if states else ()),
    ):
        if guesses:
            out.print(f"The {what} were guessed; if this is wrong, give a {option}:")
        for guess in guesses:
            out.print(text(f"  {guess}"))


def _print_stations(out: Console, learned: Learned) -> None:
    rows = [
        (
            row["station"],
            str(row["n_observations"]),
            estimate(row["mean"], row["mean_low"], row["mean_high"]),
            f"{row['cv']:.2f}",
            row["law"],
            str(row["n_servers"]),
            _places(row),
            number(row["blocked_ratio"], 100.0),
            _of(row, "mean_between_failures", 60.0),
            _of(row, "mean_repair"),
            _failures(row),
        )
        for row in learned.table().iter_rows(named=True)
    ]
    headers = (
        "station",
        "visits",
        "mean time [s]",
        "cv [-]",
        "law",
        "at once",
        "places before",
        "held up [%]",
        "between stops [min]",
        "stop [s]",
        "failures [%]",
    )
    out.print(table("Learned stations", headers, rows))
    out.print(
        text(
            f"{100 * learned.identified_ratio:.0f} % of the visits are to stations whose mean "
            "time is known to within 10 %."
        )
    )


def _places(row: Mapping[str, Any]) -> str:
    if row["capacity"] is None:
        return number(None)
    return f"{row['capacity']}" if row["is_capacity_identified"] else f"at least {row['capacity']}"


def _of(row: Mapping[str, Any], name: str, unit: float = 1.0) -> str:
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], 1.0 / unit)


def _failures(row: Mapping[str, Any]) -> str:
    """Return a share with its interval, which is not symmetric: few failures may be chance."""
    if row["failure_ratio"] is None:
        return number(None)
    ratio, low, high = (100 * row[f"failure_{end}"] for end in ("ratio", "low", "high"))
    return f"{ratio:.1f} ({low:.1f} to {high:.1f})"


def _print_changes(out: Console, learned: Learned) -> None:
    moment = learned.axis.moment
    drifts = [item.drift for item in learned.stations.values() if item.drift is not None]
    for drift in drifts:
        for change in drift.changes:
            before, after = change.before, change.after
            size = "" if change.size is None else f" ({100 * change.size.value:+.3g} %)"
            unit = f" {after.unit}" if after.unit else ""
            out.print(
                text(
                    f"Changed: {drift.signal}, {moment(change.time)} (95 % interval: "
                    f"{moment(change.low)} to {moment(change.high)}), from "
                    f"{number(before.value)} to {number(after.value)}{unit}{size}."
                )
            )


def _print_unknowns(out: Console, learned: Learned) -> None:
    if not learned.unknowns:
        return
    out.print()
    out.print("What the log does not tell, and what would:")
    # What one signal would settle is said once.
    groups: dict[str, list[Unknown]] = {}
    for unknown in learned.unknowns:
        groups.setdefault(unknown.signal, []).append(unknown)
    for signal, alike in groups.items():
        elements = ", ".join(unknown.element for unknown in alike[:_MOST_ELEMENTS])
        more = len(alike) - _MOST_ELEMENTS
        elements += f" and {more} more" if more > 0 else ""
        same = all(unknown.what == alike[0].what for unknown in alike)
        what = alike[0].what if same else f"{alike[0].what} The others are alike."
        out.print(text(f"  {elements}: {what} Would settle it: {signal}"))
    out.print("  --report and --json list each of them.")


def _print_scores(scores: Holdout) -> None:
    rows = [
        (
            score.station,
            str(score.n_learned),
            str(score.n_held_out),
            number(score.foretold_mean),
            number(score.held_out_mean),
            number(score.mean_error, 100.0),
            number(score.wasserstein, 100.0),
            number(score.kolmogorov_smirnov),
        )
        for score in scores.scores
    ]
    headers = (
        "station",
        "learned from",
        "held out",
        "foretold mean [s]",
        "held-out mean [s]",
        "error of mean [%]",
        "Wasserstein [%]",
        "KS distance [-]",
    )
    out = console()
    out.print()
    out.print(table("Held-out cases", headers, rows))
    out.print(
        f"Median over {len(scores.scores)} stations: error of the mean "
        f"{100 * scores.mean_error:.1f} %, Wasserstein distance {100 * scores.wasserstein:.1f} % "
        f"of the mean, KS distance {scores.kolmogorov_smirnov:.3f}. {scores.n_left_out} stations "
        "had too few visits."
    )
    if scores.plain:
        plain = scores.medians().filter(foretold_by="plain").row(0, named=True)
        out.print(
            f"The plain sample of the early cases: {100 * plain['mean_error']:.1f} %, "
            f"{100 * plain['wasserstein']:.1f} %, {plain['kolmogorov_smirnov']:.3f}."
        )
