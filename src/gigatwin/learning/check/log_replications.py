"""Simulated logs of the same length as a real one, measured like it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.factory.factory import Factory
from gigatwin.learning.check.log_measures import (
    LogEnds,
    LogMeasures,
    Visits,
    log_ends,
    measure,
)
from gigatwin.learning.check.recorded_states import RecordedStates, compared_shares
from gigatwin.learning.check.simulated_visits import simulated_visits
from gigatwin.simulation.run import Run
from gigatwin.simulation.tallies import tally
from gigatwin.standards.machine_states import MachineState

_LEAD_TIMES = 20
_LEAST_SHARE = 0.1
_STATES = tuple(state.name for state in MachineState)


@dataclass(frozen=True)
class LogWindow:
    """How a simulation becomes a log like the real one."""

    stations: tuple[str, ...]
    """Stations whose visits are seen."""
    warm_up: float
    """Simulated time before the log begins. [s]"""
    length: float
    """Length of the log. [s]"""
    keeps_unfinished: bool
    """Whether visits that are under way when the log ends are in it."""
    keeps_unbegun: bool
    """Whether visits that were under way when it began are in it."""
    instant: tuple[str, ...] = ()
    """Stations at which the visits of the log take no time."""


def window_of(visits: Visits, ends: LogEnds, warm_up: float | None = None) -> LogWindow:
    """Return the window in which a simulation looks like a log.

    Parameters
    ----------
    visits : Visits
        The real log.
    ends : LogEnds
        What of it is measured.
    warm_up : float, optional
        Simulated time before the log begins; left out, 0 for a log that begins with an empty line,
        otherwise 20 lead times, from a tenth of the length of the log up to its length. [s]
    """
    length = ends.end - ends.begin
    if warm_up is None and ends.begins_empty:
        warm_up = 0.0
    if warm_up is None:
        leads = measure(visits, ends.begin, ends.end).lead_times
        long = _LEAD_TIMES * float(np.quantile(leads, 0.9)) if len(leads) else length
        warm_up = min(max(long, _LEAST_SHARE * length), length)
    return LogWindow(
        stations=visits.stations,
        warm_up=warm_up,
        length=length,
        keeps_unfinished=ends.is_drained or bool(np.isnan(visits.end).any()),
        keeps_unbegun=bool(np.isnan(visits.start).any()),
        instant=tuple(
            name
            for number, name in enumerate(visits.stations)
            if not (visits.end > visits.start)[visits.station == number].any()
        ),
    )


def real_measures(
    visits: Visits, shares: dict[tuple[str, str], float] | None = None
) -> tuple[LogMeasures, LogEnds]:
    """Return the measures of a real log, and what of it was measured."""
    ends = log_ends(visits)
    return measure(visits, ends.begin, ends.end, shares), ends


def simulated_measures(  # noqa: PLR0913 - what chooses a run, and how it is looked at
    factory: Factory | CompiledModel,
    window: LogWindow,
    seed: int,
    replication: int = 0,
    *,
    recorded: RecordedStates | None = None,
    check: Callable[[], None] | None = None,
) -> LogMeasures:
    """Simulate a log and measure it.

    Parameters
    ----------
    factory : Factory or CompiledModel
        What to simulate.
    window : LogWindow
        What of the simulation is the log.
    seed, replication : int
        Choose the random streams.
    recorded : RecordedStates, optional
        The states of the real log, where their shares are wanted of the simulated one too.
    check : callable, optional
        Called every fraction of a second; may raise to interrupt.
    """
    compiled = factory if isinstance(factory, CompiledModel) else compile_factory(factory)
    run = Run(compiled, seed=seed, replication=replication, trace=True)
    if window.warm_up > 0:
        run.advance(window.warm_up, check)
        run.records()
    before = tally(compiled, run.state) if recorded is not None else None
    end = window.warm_up + window.length
    run.advance(end, check)
    run.check_stuck()
    visits = simulated_visits(compiled, run.records(), window.stations, window.instant)
    kept = np.ones(len(visits.case), dtype=bool)
    if not window.keeps_unfinished:
        kept &= ~np.isnan(visits.end)
    if not window.keeps_unbegun:
        kept &= ~np.isnan(visits.start)
    visits = Visits(
        visits.case[kept],
        visits.station[kept],
        visits.start[kept],
        visits.end[kept],
        visits.stations,
    )
    shares = {}
    if recorded is not None and before is not None:
        seconds = tally(compiled, run.state).state_seconds - before.state_seconds
        for name, row in zip(compiled.stations, seconds, strict=True):
            total = float(row.sum()) or 1.0
            shares.update({(name, state): float(row[k]) / total for k, state in enumerate(_STATES)})
        shares = compared_shares(recorded, shares)
    return measure(visits, window.warm_up, end, shares)
