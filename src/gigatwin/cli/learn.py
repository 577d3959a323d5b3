"""``gigatwin learn``: a description from a log, and how far it is to be trusted."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gigatwin.cli.learn_states import check_states_mapping, read_states
from gigatwin.cli.options import REPORT_ENDINGS, AsJson, LogMapping, Report, StatesMapping
from gigatwin.cli.outputs import pending_outputs
from gigatwin.cli.progress import note_compilation, progress_bar
from gigatwin.errors import GigatwinError, TelemetryError

if TYPE_CHECKING:
    from gigatwin.events.case_log import CaseLog
    from gigatwin.events.state_log import StateLog
    from gigatwin.learning.calibration.calibration import Calibration
    from gigatwin.learning.check.holdout import Holdout
    from gigatwin.learning.check.verification import Verification
    from gigatwin.learning.learned import Learned

_LONG_LOG = 500_000
"""Visits from which a log is not learned a second time unless this is asked for."""


def learn(  # noqa: PLR0913 - one parameter for each option
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            help="Who was where and when: CSV, Parquet, XES, OCEL 2.0 JSON, a gigatwin trace; or "
            "the states of machines: intervals (CSV), MTConnect SHDR text.",
        ),
    ],
    *,
    mapping: LogMapping = None,
    states: Annotated[
        Path | None,
        typer.Option(
            metavar="STATES",
            help="States of the machines beside the log: tells breakdowns from slow work.",
        ),
    ] = None,
    states_mapping: StatesMapping = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="LINE.yaml", help="Write the description here."),
    ] = None,
    report: Report = None,
    is_holdout: Annotated[
        bool | None,
        typer.Option(
            "--holdout/--no-holdout",
            help="Learn from the first 70 % of the cases as well, and hold the result against the "
            f"others. Left out: yes, for logs of up to {_LONG_LOG} visits.",
            show_default=False,
        ),
    ] = None,
    is_calibrated: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Fit by simulation what cannot be seen directly, so that output, contents and "
            "lead times of the line agree with the log (about a minute).",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Learn a line from its own records, with an interval for every number.

    The description that comes out runs: gigatwin run LINE.yaml, and with --parameters uncertain it
    says how much is not known. gigatwin verify LINE.yaml LOG holds it against any other log.
    """
    inputs = [path for path in (log, mapping, states, states_mapping) if path is not None]
    check_states_mapping(states, states_mapping)
    endings = {"--output": (".yaml", ".yml"), "--report": REPORT_ENDINGS}
    with pending_outputs({"--output": output, "--report": report}, inputs, endings) as paths:
        from gigatwin.events.state_guesses import sniff

        if states is None and sniff(log) in {"states", "shdr"}:
            from gigatwin.cli.learn_states import learn_from_states

            show = learn_from_states(log, mapping, output, paths, as_json=as_json)
        else:
            cases = _cases(log, mapping)
            recorded = read_states(states, states_mapping)
            learned = _learned(cases, recorded, (output or log).stem)
            found = _proven(
                _Found(cases, recorded, learned),
                is_holdout=is_holdout,
                is_calibrated=is_calibrated,
            )
            _write(found, paths)
            show = functools.partial(_show, found, output, report, as_json=as_json)
    show()


@dataclass(frozen=True)
class _Found:
    """What was learned from a log of items, and how it proved."""

    cases: "CaseLog"
    states: "StateLog | None"
    learned: "Learned"
    scores: "Holdout | None" = None
    verification: "Verification | None" = None
    calibration: "Calibration | None" = None


def _proven(found: _Found, *, is_holdout: bool | None, is_calibrated: bool) -> _Found:
    """Return what was found with its calibration and its scores on held-out cases."""
    cases, learned = found.cases, found.learned
    calibration = _calibration(learned, cases) if is_calibrated else None
    if calibration is not None:
        learned = replace(learned, factory=calibration.factory)
    scores = verification = None
    if is_holdout or (is_holdout is None and cases.visits.height <= _LONG_LOG):
        scores, verification = _held_out(cases)
    elif is_holdout is None:
        typer.echo("A long log: held-out cases are compared only with --holdout.", err=True)
    return replace(
        found,
        learned=learned,
        scores=scores,
        verification=verification,
        calibration=calibration,
    )


def _write(found: _Found, paths: Mapping[str, Path]) -> None:
    if "--output" in paths:
        from gigatwin.factory.writing import write

        write(found.learned.factory, paths["--output"])
    if "--report" in paths:
        from gigatwin.app.learned.report import write_learned_report

        write_learned_report(
            paths["--report"],
            found.learned,
            verification=found.verification,
            holdout=found.scores,
            calibration=found.calibration,
            guesses=found.cases.guesses,
            log=found.cases,
        )


def _show(found: _Found, output: Path | None, report: Path | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_data(found), indent=2))
        return
    from gigatwin.cli.learn_tables import print_learned

    print_learned(
        found.cases,
        found.learned,
        states=found.states,
        scores=found.scores,
        verification=found.verification,
        calibration=found.calibration,
    )
    if output is not None:
        typer.echo(f"Description written to {output}. Next: gigatwin run {output}")
    else:
        typer.echo("No description was written; --output line.yaml writes it.")
    if report is not None:
        typer.echo(f"Report written to {report}.")


def _cases(log: Path, mapping: Path | None) -> "CaseLog":
    from gigatwin.events.case_log import read_case_log
    from gigatwin.events.log_mapping import read_case_mapping

    return read_case_log(log, read_case_mapping(mapping) if mapping else None)


def _learned(cases: "CaseLog", states: "StateLog | None", name: str) -> "Learned":
    from gigatwin.learning.flow.stations import slug
    from gigatwin.learning.learn import learn as learn_factory

    return learn_factory(cases, slug(name), states=states)


def _calibration(learned: "Learned", cases: "CaseLog") -> "Calibration":
    note_compilation()
    from gigatwin.learning.calibration.calibration import calibrate

    with progress_bar("calibrating") as progress:
        return calibrate(learned.factory, cases, progress=progress)


def _held_out(cases: "CaseLog") -> "tuple[Holdout | None, Verification | None]":
    """Return how what the early cases teach foretells the later ones."""
    note_compilation()
    from gigatwin.learning.check.holdout import holdout, split_by_time
    from gigatwin.learning.check.verification import verify
    from gigatwin.learning.learn import learn as learn_factory

    scores = verification = None
    # What was learned from the whole log is worth keeping when these fail.
    try:
        scores = holdout(cases)
    except TelemetryError as error:
        typer.echo(f"No held-out scores of processing times: {error}", err=True)
    try:
        early, late = split_by_time(cases, 0.7)
        factory = learn_factory(early, "learned-from-the-early-cases").factory
        with progress_bar("holding against later cases") as progress:
            # What the early cases leave unknown is no fault of the line.
            verification = verify(factory, late, parameters="uncertain", progress=progress)
    except GigatwinError as error:
        typer.echo(f"No held-out comparison of the line: {error}", err=True)
    return scores, verification


def _data(found: _Found) -> dict[str, Any]:
    """Return the tables as plain data; times in s."""
    cases, learned, scores = found.cases, found.learned, found.scores
    columns = cases.mapping.model_dump(exclude_defaults=True) if cases.mapping else {}
    data: dict[str, Any] = {
        "factory": learned.factory.name,
        "n_cases": cases.n_cases,
        "n_visits": cases.visits.height,
        "columns": columns,
        "guesses": list(cases.guesses),
        "states_guesses": list(found.states.guesses) if found.states else [],
        "notes": list(dict.fromkeys(learned.notes)),
        "identified_ratio": learned.identified_ratio,
        "stations": learned.table().fill_nan(None).to_dicts(),
        "changes": _changes(learned),
        "unknowns": [vars(unknown) for unknown in learned.unknowns],
    }
    if scores is not None:
        data["holdout"] = {
            "mean_error": scores.mean_error,
            "wasserstein": scores.wasserstein,
            "kolmogorov_smirnov": scores.kolmogorov_smirnov,
            "n_left_out": scores.n_left_out,
            "medians": scores.medians().to_dicts(),
            "stations": scores.table().fill_nan(None).to_dicts(),
        }
    if found.verification is not None:
        data["verification"] = found.verification.to_dict()
        data["verification"]["note"] = (
            "Learned from the first 70 % of the cases, without states, before any calibration, and "
            "compared with the others."
        )
    calibration = found.calibration
    if calibration is not None:
        data["calibration"] = {
            "factors": [factor.name for factor in calibration.factors],
            "mismatch": list(calibration.mismatch),
            "notes": list(calibration.notes),
        }
    return data


def _changes(learned: "Learned") -> list[dict[str, Any]]:
    """Return the dated changes: moments as the log names them, and in working time [s]."""
    axis = learned.axis
    return [
        {
            "station": station.name,
            "signal": station.drift.signal,
            "moment": axis.moment(change.time),
            "moment_low": axis.moment(change.low),
            "moment_high": axis.moment(change.high),
            "working_time": change.time,
            "before": change.before.model_dump(),
            "after": change.after.model_dump(),
        }
        for station in learned.stations.values()
        if station.drift is not None
        for change in station.drift.changes
    ]
