"""Replications of a factory, and how many of them, and from when on they count."""

import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import SimulationError, StudyError
from gigatwin.events.log import EventLogWriter, EventTable
from gigatwin.factory.factory import Factory
from gigatwin.factory.uncertainty import drawn, has_estimates
from gigatwin.kpi.statistics import has_relative_precision, mean_interval, mser5
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.observe import N_TALLIES, Observation, observe
from gigatwin.simulation.result import Parameters, Result
from gigatwin.simulation.result_tables import build_result
from gigatwin.simulation.run import Run
from gigatwin.units import format_quantity

_DAY = 86_400.0
_LOOK = 0.1
"""Time between two looks for Ctrl-C. [s]"""


class _Stopped(Exception):  # noqa: N818 - not an error: another thread asked for the end
    """The replication was asked to end."""


@dataclass(frozen=True)
class Settings:
    """How a factory is simulated."""

    days: float = 7.0
    """Length of each replication. [d]"""
    replications: int = 10
    """Number of replications; the least number when a precision is asked for."""
    seed: int = 1
    """Chooses the random streams; two factories with the same seed share their luck."""
    warm_up: float | None = None
    """Time from the start that is not counted; None: found by MSER-5. [s]"""
    precision: float | None = None
    """Relative half-width of the throughput at which to stop adding replications."""
    most_replications: int = 200
    """Replications at which to stop in any case."""
    threads: int | None = None
    """Threads; None: one for each core."""
    parameters: Parameters = "estimated"
    """Whether each replication draws the numbers of its factory from their estimates."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        checks = [
            (self.days > 0 and math.isfinite(self.days), "days", self.days, "above 0"),
            (self.replications >= 1, "replications", self.replications, "1 or more"),
            (
                self.warm_up is None or 0 <= self.warm_up < self.days * _DAY,
                "warm-up",
                format_quantity(self.warm_up or 0.0, "s"),
                f"0 s or more and shorter than the run of {self.days:g} d",
            ),
            (
                self.precision is None or 0 < self.precision < 1,
                "precision",
                self.precision,
                "between 0 and 1",
            ),
            (self.threads is None or self.threads >= 1, "threads", self.threads, "1 or more"),
            (
                self.parameters in get_args(Parameters),
                "parameters",
                self.parameters,
                " or ".join(get_args(Parameters)),
            ),
        ]
        for holds, name, found, required in checks:
            if not holds:
                message = f"simulation {name}: {found}; must be {required}."
                raise StudyError(message)
        if self.parameters == "uncertain" and self.precision is not None:
            message = (
                f"simulation precision: {self.precision:g} with uncertain parameters; their "
                "interval does not shrink with replications. Leave the precision out, or learn "
                "from more data."
            )
            raise StudyError(message)


def warm_up_of(observations: list[Observation]) -> tuple[float, bool]:
    """Return the warm-up by MSER-5 on the mean output and contents of the replications.

    Parameters
    ----------
    observations : list of Observation
        Replications of the same length.

    Returns
    -------
    float
        End of the warm-up, rounded up to a moment at which everything was counted. [s]
    bool
        Whether it lies in the first half, as it must for the rest to be trusted.
    """
    times = observations[0].times
    output = np.mean([np.diff(o.finished.sum(axis=1), prepend=0) for o in observations], axis=0)
    contents = np.mean([o.in_process for o in observations], axis=0)
    found = [mser5(output), mser5(contents)]
    cut = max(f.cut for f in found)
    step = len(times) // N_TALLIES
    moment = math.ceil(cut / step) * step
    accepted = all(f.is_accepted for f in found) and moment <= len(times) // 2
    moment = min(moment, len(times) // 2)
    return (float(times[moment - 1]) if moment else 0.0), accepted


def _result_of(job: Future[Observation]) -> Observation:
    """Return the result of a replication, waiting for it in a way that Ctrl-C ends."""
    # Polars sets SIGINT so that a wait without an end goes on after it (SA_RESTART).
    while not job.done():
        wait([job], timeout=_LOOK)
    return job.result()


class _Replications:
    """Replications on threads, with one way to end all of them."""

    def __init__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        progress: Callable[[float, int], None] | None,
    ) -> None:
        self.compiled = compiled
        self.settings = settings
        self.progress = progress
        self.stop = threading.Event()
        self.wanted = settings.replications

    def _check(self) -> None:
        if self.stop.is_set():
            raise _Stopped

    def model(self, replication: int) -> CompiledModel:
        """Return the factory of one replication."""
        if self.settings.parameters == "estimated":
            return self.compiled
        factory = drawn(self.compiled.factory, self.settings.seed, replication)
        compiled = compile_factory(factory)
        for names in ("stations", "buffers", "formats", "resources", "defects", "stops"):
            # A draw that changes the structure would be a fault of the draw.
            if getattr(compiled, names) != getattr(self.compiled, names):  # pragma: no cover
                message = f"{factory.name}: drawn numbers changed the {names} of the factory."
                raise SimulationError(message)
        return compiled

    def one(self, replication: int, log: EventLogWriter | None) -> Observation:
        """Run one replication."""
        run = Run(
            self.model(replication),
            seed=self.settings.seed,
            replication=replication,
            trace=log is not None,
            on_records=log.write if log else None,
        )

        def report(share: float) -> None:
            if self.progress is not None:
                self.progress(share, self.wanted)

        observation = observe(run, self.settings.days * _DAY, self._check, report)
        if log is not None:
            run.flush()
        return observation

    def all(self, log: EventLogWriter | None) -> list[Observation]:
        """Run as many replications as are wanted."""
        threads = self.settings.threads or os.cpu_count() or 1
        done: list[Observation] = []
        with ThreadPoolExecutor(threads) as pool:
            try:
                while len(done) < self.wanted:
                    jobs: list[Future[Observation]] = [
                        pool.submit(self.one, k, log if k == 0 else None)
                        for k in range(len(done), self.wanted)
                    ]
                    done += [_result_of(job) for job in jobs]
                    if self._needs_more(done):
                        self.wanted = min(
                            self.settings.most_replications, self.wanted + max(2, threads)
                        )
            except BaseException:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return done

    def _needs_more(self, done: list[Observation]) -> bool:
        if self.settings.precision is None or self.wanted >= self.settings.most_replications:
            return False
        warm_up = self.settings.warm_up
        start = warm_up_of(done)[0] if warm_up is None else warm_up
        totals = [
            float(o.finished[-1].sum() - o.finished[o.times <= start].sum(axis=1).max(initial=0))
            for o in done
        ]
        interval = mean_interval(np.array(totals))
        return not has_relative_precision(interval, self.settings.precision)


def simulate(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory | CompiledModel,
    *,
    days: float = 7.0,
    replications: int = 10,
    seed: int = 1,
    warm_up: float | None = None,
    precision: float | None = None,
    threads: int | None = None,
    trace: bool | str | Path = False,
    progress: Callable[[float, int], None] | None = None,
    parameters: Parameters = "estimated",
) -> Result:
    """Simulate a factory and return its KPIs with 95 % intervals.

    Parameters
    ----------
    factory : Factory or CompiledModel
        What to simulate.
    days : float
        Length of each replication. [d]
    replications : int
        Number of independent replications; with ``precision`` the least number.
    seed : int
        Chooses the random streams. Factories simulated with the same seed share their luck.
    warm_up : float, optional
        Time from the start that is not counted; left out, it is found by MSER-5, and 0 for a
        factory with orders. [s]
    precision : float, optional
        Add replications until the half-width of the throughput's 95 % interval is below this share
        of it.
    threads : int, optional
        Number of threads; left out, one for each core. The result does not depend on it.
    trace : bool or path
        True: keep the event records of the first replication in ``Result.events``. A path: write
        them to this Parquet file instead.
    progress : callable, optional
        Called with the share of a replication just done and the number of replications wanted.
    parameters : str
        ``estimated``: all replications simulate the numbers of the description. ``uncertain``: each
        replication draws every number that has an estimate from its uncertainty, so that intervals
        hold what is not known about the plant as well as chance; 20 replications or more.

    Returns
    -------
    Result
        Tables of KPIs, series, bottleneck.

    Raises
    ------
    DeadlockError
        If items wait for each other in a circle.
    SimulationError
        If a run cannot go on.
    StudyError
        If a setting is out of range, or parameters are uncertain and no number has an estimate.

    Examples
    --------
    >>> from gigatwin import load, simulate
    >>> result = simulate(load("two-machine"), days=0.5, replications=4)
    >>> result.factory_name
    'two-machine'
    """
    settings = Settings(
        days=days,
        replications=replications,
        seed=seed,
        warm_up=warm_up,
        precision=precision,
        threads=threads,
        parameters=parameters,
    )
    compiled = factory if isinstance(factory, CompiledModel) else compile_factory(factory)
    check_parameters(compiled.factory, parameters)
    replicating = _Replications(compiled, settings, progress)
    log: EventLogWriter | None = None
    if trace:
        names = event_names(replicating.model(0))
        log = EventLogWriter(names, None if trace is True else Path(trace))
    events: EventTable | None = None
    try:
        observations = replicating.all(log)
        if log is not None:
            events = log.close()
    except BaseException:
        if log is not None:
            log.discard()
        raise
    if not any(o.finished[-1].sum() for o in observations) and all(
        o.in_process[-1] == 0 for o in observations
    ):
        message = (
            f"{compiled.factory.name}: nothing was made in {days:g} d. "
            "Give the factory arrivals, orders, or a station that nothing leads to."
        )
        raise SimulationError(message)
    # A finite order book has an end instead of a steady state: all of it counts.
    given = 0.0 if warm_up is None and compiled.factory.orders else warm_up
    start, accepted = (
        _nearest(observations[0], given) if given is not None else warm_up_of(observations)
    )
    return build_result(
        compiled,
        days,
        seed,
        observations,
        start,
        events,
        is_warm_up_accepted=accepted,
        parameters=parameters,
    )


def check_parameters(factory: Factory, parameters: Parameters) -> None:
    """Raise if the numbers of a factory are to be drawn and none has an estimate.

    Raises
    ------
    StudyError
        With what to do.
    """
    if parameters == "uncertain" and not has_estimates(factory):
        message = (
            f"{factory.name}: no number has an estimate to be drawn from, as uncertain parameters "
            "need. Learn the factory from a log, write estimates beside its numbers, or leave the "
            "parameters as estimated."
        )
        raise StudyError(message)


def _nearest(observation: Observation, warm_up: float) -> tuple[float, bool]:
    """Return the first counted moment at or after a given warm-up."""
    moments = [t.time for t in observation.tallies[:-1]]
    later = [t for t in moments if t >= warm_up * (1 - 1e-12)]
    return (later[0] if later else moments[-1]), True
