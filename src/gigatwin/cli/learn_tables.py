"""What ``gigatwin learn`` prints."""

from collections.abc import Mapping
from typing import Any

from gigatwin.cli.numbers import estimate, number
from gigatwin.cli.tables import console, table, text
from gigatwin.events.case_log import CaseLog
from gigatwin.learning.holdout import Holdout
from gigatwin.learning.learn import Learned


def print_learned(cases: CaseLog, learned: Learned, scores: Holdout | None) -> None:
    """Print what was guessed, what was learned, and how well it foretells."""
    out = console()
    out.print(
        text(
            f"{learned.factory.name}: {cases.activities.height} activities of {cases.n_cases} "
            "cases; ± half a 95 % interval."
        )
    )
    if cases.guesses:
        out.print("The columns were guessed; if this is wrong, give a --mapping:")
        for guess in cases.guesses:
            out.print(text(f"  {guess}"))
    out.print()
    rows = [
        (
            row["station"],
            row["machine"],
            row["activity"],
            str(row["n_observations"]),
            estimate(row["mean"], row["mean_low"], row["mean_high"]),
            f"{row['cv']:.2f}",
            str(row["n_servers"]),
            _failures(row),
            "yes" if row["is_identified"] else "no",
        )
        for row in learned.table().iter_rows(named=True)
    ]
    headers = (
        "station",
        "machine",
        "activity",
        "observations",
        "mean time [s]",
        "cv [-]",
        "at once",
        "failures [%]",
        "known to 10 %",
    )
    out.print(table("Learned stations", headers, rows, n_names=3))
    out.print(
        text(
            f"{100 * learned.identified_ratio:.0f} % of the activities are at stations whose "
            "mean time is known to within 10 %."
        )
    )
    for note in learned.notes:
        out.print(text(f"Note: {note}"))
    if scores is not None:
        _print_scores(scores)


def _failures(row: Mapping[str, Any]) -> str:
    """Return a share with its interval, which is not symmetric: few failures may be chance."""
    if row["failure_ratio"] is None:
        return number(None)
    ratio, low, high = (100 * row[f"failure_{end}"] for end in ("ratio", "low", "high"))
    return f"{ratio:.1f} ({low:.1f} to {high:.1f})"


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
        "had too few activities. Each station is one activity on one machine of the log."
    )
