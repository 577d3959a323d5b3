"""Any factory against any log: where they differ by more than chance."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from gigatwin.compiler.build import compile_factory
from gigatwin.errors import StudyError, TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog
from gigatwin.factory.factory import Factory
from gigatwin.factory.uncertainty import drawn
from gigatwin.learning.check.compared_figures import (
    LEAST_REPLICATIONS,
    LEAST_VALUES,
    Figure,
    Sample,
    differences_of,
    figures_of,
    sample_of,
)
from gigatwin.learning.check.log_as_described import as_described
from gigatwin.learning.check.log_measures import LogMeasures, log_ends, measure, visits_of_frame
from gigatwin.learning.check.log_replications import (
    LogWindow,
    simulated_measures,
    window_of,
)
from gigatwin.learning.check.recorded_states import recorded_states, station_states
from gigatwin.learning.check.station_matching import StationOf, matched_visits
from gigatwin.learning.check.verification_words import verdict_of
from gigatwin.learning.threads import on_threads
from gigatwin.simulation.result import Parameters

NEGLIGIBLE = 0.005
"""Difference that is not called one, relative to the measured value; absolute for shares."""
_LEAST_CASES = 20
_TOO_WIDE = 0.25


@dataclass(frozen=True)
class Verification:
    """A factory compared with a log."""

    factory_name: str
    figures: tuple[Figure, ...]
    """All that was compared."""
    n_cases: int
    """Cases of the log that are measured."""
    n_finished: int
    """Those that left the line."""
    length: float
    """Length of the log that is measured. [s]"""
    warm_up: float
    """Simulated time before each simulated log; 0 for a log that begins with an empty line. [s]"""
    replications: int
    seed: int
    parameters: str
    """``estimated``: the numbers of the description; ``uncertain``: drawn from their intervals."""
    notes: tuple[str, ...]
    """What was left out or assumed."""

    @property
    def differences(self) -> tuple[Figure, ...]:
        """Figures that differ by more than chance, the surest first."""
        return differences_of(self.figures)

    @property
    def is_informative(self) -> bool:
        """Whether 20 cases left, and chance moves the throughput by a quarter at most."""
        output = next(figure for figure in self.figures if figure.quantity == "throughput")
        reach = (output.high - output.low) / 2
        return self.n_finished >= _LEAST_CASES and reach <= _TOO_WIDE * output.measured

    @property
    def is_accepted(self) -> bool:
        """Whether nothing differs by more than chance, in a log that would have shown it."""
        return not self.differences and self.is_informative

    @property
    def verdict(self) -> str:
        """What was found, in words."""
        return verdict_of(self.figures, self.n_finished, is_informative=self.is_informative)

    def table(self) -> pl.DataFrame:
        """Return one row for each figure: times in s, shares from 0 to 1."""
        rows = [
            asdict(figure)
            | {
                "difference": figure.difference,
                "relative_difference": figure.relative_difference,
            }
            for figure in self.figures
        ]
        return pl.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; NaN becomes None."""
        return {
            "factory": self.factory_name,
            "verdict": self.verdict,
            "is_accepted": self.is_accepted,
            "is_informative": self.is_informative,
            "n_cases": self.n_cases,
            "n_finished": self.n_finished,
            "length [s]": self.length,
            "warm_up [s]": self.warm_up,
            "replications": self.replications,
            "seed": self.seed,
            "parameters": self.parameters,
            "notes": list(self.notes),
            "figures": self.table().fill_nan(None).to_dicts(),
        }


def verify(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory,
    log: CaseLog,
    *,
    replications: int = 20,
    seed: int = 1,
    parameters: Parameters = "estimated",
    station_of: StationOf | None = None,
    states: StateLog | pl.DataFrame | None = None,
    warm_up: float | None = None,
    negligible: float = NEGLIGIBLE,
    threads: int | None = None,
    progress: Callable[[float, int], None] | None = None,
) -> Verification:
    """Compare a factory with a log: simulate logs of the same length, measure all in the same way.

    Parameters
    ----------
    factory : Factory
        The description, learned or typed in.
    log : CaseLog
        What really happened: the log it was learned from, a later one, held-out cases.
    replications : int
        Number of simulated logs, at least 5.
    seed : int
        Chooses the random streams.
    parameters : {"estimated", "uncertain"}
        Simulate with the numbers of the description, or in each simulated log with numbers drawn
        from the intervals of its estimates.
    station_of : callable, optional
        Gives the station of each visit; left out, stations are found by name, see
        `station_matching.matched_visits`.
    states : StateLog or polars.DataFrame, optional
        Recorded states, whose shares of time are compared too: of machines, which belong to the
        station that is ``recorded_as`` them or is named so; or of stations, with the columns
        station, state (names of `MachineState`), start, end (s since ``log.origin``).
    warm_up : float, optional
        Simulated time before each simulated log; left out, 0 where the log begins with an empty
        line, otherwise long enough to fill it. [s]
    negligible : float
        Difference that is not called one, however sure it is: relative to the measured value,
        absolute for shares.
    threads : int, optional
        Number of threads; the result does not depend on it.
    progress : callable, optional
        Called with the share of a replication just done and the number of replications wanted.

    Raises
    ------
    TelemetryError
        If the log has nothing to compare, or its stations have other names; if the states are of
        other machines or another time.
    StudyError
        If there are too few replications.
    SimulationError
        If a run cannot go on.

    Notes
    -----
    The real log is one draw, as each simulated log is, so a figure is compared with the interval
    in which one more simulated log would lie (Student's t for a new value), which allows for the
    chance of the real log. Over all figures the procedure of Holm keeps the chance of any false
    alarm at 5 %.
    """
    if replications < LEAST_REPLICATIONS:
        message = (
            f"verify replications: {replications}; must be {LEAST_REPLICATIONS} or more, to know "
            "what chance does."
        )
        raise StudyError(message)
    matched = matched_visits(factory, as_described(factory, log), station_of)
    visits = visits_of_frame(matched.visits)
    ends = log_ends(visits)
    recorded, state_notes = None, tuple[str, ...]()
    if states is not None:
        rows, state_notes = station_states(factory, log, states, matched)
        recorded = recorded_states(factory, rows, ends.begin, ends.end)
        state_notes += recorded.notes
    real = measure(visits, ends.begin, ends.end, recorded.shares if recorded else None)
    window = window_of(visits, ends, warm_up)
    _check_finished(real, factory)
    compiled = compile_factory(factory)

    def one(replication: int, check: Callable[[], None]) -> Sample:
        model = compiled
        if parameters == "uncertain":
            model = compile_factory(drawn(factory, seed, replication))
        found = simulated_measures(model, window, seed, replication, recorded=recorded, check=check)
        return sample_of(found, window.stations)

    def done() -> None:
        if progress is not None:
            progress(1.0, replications)

    samples = on_threads(one, range(replications), threads, done)
    figures = figures_of(sample_of(real, window.stations), samples, matched.stations, negligible)
    return Verification(
        factory_name=factory.name,
        figures=figures,
        n_cases=real.n_cases,
        n_finished=real.n_finished,
        length=window.length,
        warm_up=window.warm_up,
        replications=replications,
        seed=seed,
        parameters=parameters,
        notes=(*matched.notes, *state_notes, *_notes(window, real, drained=ends.is_drained)),
    )


def _check_finished(real: LogMeasures, factory: Factory) -> None:
    if real.n_finished == 0:
        message = (
            f"{factory.name}: none of the {real.n_cases} cases of the log leaves the line; needs "
            "a log longer than the lead time"
        )
        raise TelemetryError(message)


def _notes(window: LogWindow, real: LogMeasures, *, drained: bool) -> list[str]:
    notes = []
    if window.warm_up == 0:
        notes.append("The log begins with an empty line, and so does each simulated log.")
    if drained:
        notes.append("The log ends with an empty line; it is compared until the last case comes.")
    few = [name for name, item in real.stations.items() if len(item.durations) < LEAST_VALUES]
    if few:
        notes.append(
            f"Fewer than {LEAST_VALUES} complete visits, so their times are not compared: "
            f"{', '.join(few)}."
        )
    return notes
