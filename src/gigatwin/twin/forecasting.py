"""Forecasts: many runs from the present state of a plant, each with luck of its own."""

import functools
import hashlib
import math
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_contents import LiveContents
from gigatwin.compiler.live_state import LiveStates
from gigatwin.errors import StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.factory.uncertainty import drawn, has_estimates
from gigatwin.kernel.layout import UNLIMITED
from gigatwin.simulation.result import Parameters
from gigatwin.simulation.run import Run
from gigatwin.standards.machine_states import MachineState
from gigatwin.twin.fitting import fitted
from gigatwin.twin.forecast import Floats, Forecast, Ints
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_contents import live_contents
from gigatwin.twin.particles import SilentStation
from gigatwin.twin.silence import filled_in

_HOUR = 3600.0
_MOMENTS = 96
_LOOK = 0.1
"""Time between two looks for Ctrl-C. [s]"""
_LEAST_RUNS = 2
_STANDS = 0.5
"""Share of an interval that the machines of a station wait, for it to count as standing."""
_SAME_SPEED = 1e-3


class DrawnModels:
    """Factories whose numbers are drawn from their estimates, compiled once.

    Parameters
    ----------
    factory : Factory
        With estimates.
    seed : int
        Chooses the draws.
    """

    def __init__(self, factory: Factory, seed: int = 1) -> None:
        self.factory = factory
        self.seed = seed
        self._known: dict[int, CompiledModel] = {}

    def model(self, k: int) -> CompiledModel:
        """Return the k-th draw."""
        found = self._known.get(k)
        if found is None:
            # Two threads may do it twice; both come to the same.
            found = compile_factory(drawn(self.factory, self.seed, k))
            self._known[k] = found
        return found


class _Stopped(Exception):  # noqa: N818 - not an error: another thread asked for the end
    """The run was asked to end."""


def forecast(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory | CompiledModel,
    mirror: Mirror | LiveContents,
    *,
    hours: float = 8.0,
    runs: int = 100,
    seed: int = 1,
    moments: int = _MOMENTS,
    parameters: Parameters | None = None,
    threads: int | None = None,
    now: float | None = None,
    silent: Mapping[str, SilentStation] | None = None,
    models: DrawnModels | None = None,
    check: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Forecast:
    """Return what the next hours bring.

    Parameters
    ----------
    factory : Factory or CompiledModel
        The model of the plant; it may differ from the mirror's in anything but names.
    mirror : Mirror or LiveContents
        What is in the plant now. Speeds that the mirror has seen replace those of the factory.
    hours : float
        How far to look ahead. [h]
    runs : int
        Number of runs, 2 or more; 100 are usual.
    seed : int
        Chooses the random numbers; two forecasts with the same seed share their luck.
    moments : int
        Number of moments at which is looked.
    parameters : str, optional
        ``uncertain``: each run draws the numbers that have an estimate; ``estimated``: none does.
        Left out, uncertain where the factory has estimates.
    threads : int, optional
        Number of threads; left out, one for each core. The result does not depend on it.
    now : float, optional
        Clock of the source; left out, the newest time that the mirror has seen. [s]
    silent : mapping, optional
        Particles of machines that have fallen silent (`SilentStations.estimate`), by name; each run
        begins with one of them. Only with a mirror.
    models : DrawnModels, optional
        Factories drawn from estimates, for those who forecast again and again; left out, each run
        draws its own where ``parameters`` says so.
    check : callable, optional
        Called every fraction of a second; may raise to end the forecast.
    progress : callable, optional
        Gets the share that was done since the last call.

    Raises
    ------
    StudyError
        If a number is out of range, or parameters are uncertain and no number has an estimate.
    CompileError
        If the contents cannot be in this factory.
    SimulationError
        If a run cannot go on.
    """
    vary: Callable[[int], LiveContents] | None = None
    if isinstance(mirror, Mirror):
        given = factory if isinstance(factory, Factory) else factory.factory
        seen = at_speeds(given, mirror.speeds())
        compiled = (
            factory
            if isinstance(factory, CompiledModel) and seen is given
            else compile_factory(seen)
        )
        known = live_contents(mirror, now)
        contents = fitted(known, mirror.compiled, compiled)
        if silent:
            vary = functools.partial(_varied, known, mirror, compiled, silent, seed)
        issued = mirror.now if now is None else max(now, mirror.now)
    else:
        compiled = factory if isinstance(factory, CompiledModel) else compile_factory(factory)
        contents, issued = mirror, mirror.now
    return forecast_of(
        compiled,
        contents,
        issued=issued,
        hours=hours,
        runs=runs,
        seed=seed,
        moments=moments,
        parameters=parameters,
        threads=threads,
        vary=vary,
        models=models,
        check=check,
        progress=progress,
    )


def _varied(  # noqa: PLR0913, PLR0917 - bound once, called with the last alone
    contents: LiveContents,
    mirror: Mirror,
    compiled: CompiledModel,
    silent: Mapping[str, SilentStation],
    seed: int,
    k: int,
) -> LiveContents:
    """Return the contents of one run, in which silent machines do what one particle does."""
    places = {}
    for name in silent:
        digest = hashlib.blake2b(f"{seed}/{k}/silent/{name}".encode(), digest_size=8).digest()
        places[name] = (int.from_bytes(digest, "little") >> 11) * 2.0**-53
    return fitted(filled_in(contents, mirror, silent, places), mirror.compiled, compiled)


def forecast_of(  # noqa: PLR0913 - keyword arguments as of `forecast`
    compiled: CompiledModel,
    contents: LiveContents,
    *,
    issued: float,
    hours: float = 8.0,
    runs: int = 100,
    seed: int = 1,
    moments: int = _MOMENTS,
    parameters: Parameters | None = None,
    threads: int | None = None,
    vary: Callable[[int], LiveContents] | None = None,
    models: DrawnModels | None = None,
    check: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Forecast:
    """Return what follows from contents; see `forecast`.

    ``issued`` is the source's clock now; ``vary`` gives the contents of a run by its number, where
    they are not the same in all.
    """
    _check_numbers(hours, runs, moments, threads)
    is_known = has_estimates(compiled.factory)
    if parameters == "uncertain" and not is_known:
        message = (
            f"forecast parameters: uncertain, but no number of {compiled.factory.name} has an "
            "estimate. Learn the factory from a log, or leave the parameters out."
        )
        raise StudyError(message)
    parameters = parameters or ("uncertain" if is_known else "estimated")
    if parameters == "uncertain" and (models is None or models.factory is not compiled.factory):
        models = DrawnModels(compiled.factory, seed)
    plan = _Plan(hours * _HOUR, runs, seed, moments, parameters)
    running = _Running(compiled, contents, plan, vary, models, check, progress)
    results = running.all(threads or os.cpu_count() or 1)
    return Forecast(
        factory_name=compiled.factory.name,
        issued=issued,
        hours=hours,
        seed=seed,
        parameters=parameters,
        formats=compiled.formats,
        stations=compiled.stations,
        buffers=compiled.buffers,
        times=np.linspace(0.0, hours * _HOUR, moments + 1)[1:],
        finished=np.stack([r.finished for r in results]),
        in_process=np.stack([r.in_process for r in results]),
        levels=np.stack([r.levels for r in results]),
        starves=np.stack([r.starves for r in results]),
        blocks=np.stack([r.blocks for r in results]),
        fills=np.stack([r.fills for r in results]),
    )


def _check_numbers(hours: float, runs: int, moments: int, threads: int | None) -> None:
    checks = [
        (hours > 0.0 and math.isfinite(hours), "hours", hours, "above 0"),
        (
            runs >= _LEAST_RUNS,
            "runs",
            runs,
            f"{_LEAST_RUNS} or more, as an interval needs a spread",
        ),
        (moments >= 1, "moments", moments, "1 or more"),
        (threads is None or threads >= 1, "threads", threads, "1 or more"),
    ]
    for holds, name, found, required in checks:
        if not holds:
            message = f"forecast {name}: {found}; must be {required}."
            raise StudyError(message)


def at_speeds(factory: Factory, speeds: dict[str, float]) -> Factory:
    """Return a factory whose stations run at the speeds that a plant shows.

    Parameters
    ----------
    factory : Factory
        The same is returned where no speed is another one.
    speeds : dict
        Speed by station; stations without a speed of their own are left out. [-]
    """
    changes: dict[str, object] = {}
    for name, speed in speeds.items():
        described = getattr(factory.stations.get(name), "speed", None)
        if isinstance(described, float) and abs(speed - described) > _SAME_SPEED * described:
            changes[f"{name}.speed"] = speed
    return with_changes(factory, changes, "speeds seen at the plant") if changes else factory


@dataclass(frozen=True)
class _Plan:
    seconds: float
    runs: int
    seed: int
    moments: int
    parameters: Parameters


@dataclass(frozen=True)
class _RunResult:
    finished: Ints
    in_process: Ints
    levels: NDArray[np.int32]
    starves: Floats
    blocks: Floats
    fills: Floats


class _Running:
    """The runs of one forecast on threads."""

    def __init__(  # noqa: PLR0913, PLR0917 - made in one place
        self,
        compiled: CompiledModel,
        contents: LiveContents,
        plan: _Plan,
        vary: Callable[[int], LiveContents] | None,
        models: DrawnModels | None,
        check: Callable[[], None] | None,
        progress: Callable[[float], None] | None,
    ) -> None:
        self.vary = vary
        self.models = models
        self.compiled = compiled
        self.contents = contents
        self.plan = plan
        self.progress = progress
        self.stop = threading.Event()
        self.states = LiveStates(compiled, contents)
        self.check = check

    def all(self, threads: int) -> list[_RunResult]:
        with ThreadPoolExecutor(threads) as pool:
            jobs: list[Future[_RunResult]] = [
                pool.submit(self.one, k) for k in range(self.plan.runs)
            ]
            results = []
            try:
                for job in jobs:
                    # Polars sets SIGINT so that a wait without an end goes on after it.
                    while not job.done():
                        wait([job], timeout=_LOOK)
                        if self.check is not None:
                            self.check()
                    results.append(job.result())
                    if self.progress is not None:
                        self.progress(1.0 / self.plan.runs)
            except BaseException:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return results

    def _look(self) -> None:
        if self.stop.is_set():
            raise _Stopped

    def one(self, k: int) -> _RunResult:
        """Run once, and look at regular moments."""
        plan = self.plan
        states = self.states
        contents = self.contents if self.vary is None else self.vary(k)
        if plan.parameters == "uncertain" and self.models is not None:
            compiled = self.models.model(k)
            states = LiveStates(compiled, fitted(contents, self.compiled, compiled))
        elif self.vary is not None:
            states = LiveStates(self.compiled, contents)
        return look_ahead(states, plan.seed, k, plan.seconds, plan.moments, self._look)


def look_ahead(  # noqa: PLR0913, PLR0917 - one call for each run
    states: LiveStates,
    seed: int,
    replication: int,
    seconds: float,
    moments: int,
    check: Callable[[], None] | None = None,
) -> _RunResult:
    """Run once from a live state, and look at regular moments."""
    compiled = states.compiled
    model = compiled.model
    run = Run(compiled, seed=seed, replication=replication)
    run.restore(states.state(seed, replication))
    start = states.contents.now
    step = seconds / moments
    stations = model.stations
    n_formats, n_buffers = len(compiled.formats), len(compiled.buffers)
    finished = np.zeros((moments, n_formats), dtype=np.int64)
    in_process = np.zeros(moments, dtype=np.int64)
    levels = np.zeros((moments, n_buffers), dtype=np.int32)
    starves = np.full(len(stations), np.inf)
    blocks = starves.copy()
    fills = np.full(n_buffers, np.inf)
    capacity = model.buffers["capacity"]
    can_fill = (capacity > 0) & (capacity < UNLIMITED)
    run.advance(start, check)
    before = _waiting(compiled, run, start)
    for k in range(moments):
        run.state.queues["peak"][:] = run.state.queues["count"]
        now = start + (k + 1) * step
        run.advance(now, check)
        state = run.state
        finished[k] = state.flows["finished"].reshape(-1, n_formats).sum(axis=0)
        in_process[k] = len(state.items) - int(state.control[0]["n_free"])
        levels[k] = state.queues["count"]
        after = _waiting(compiled, run, now)
        limit = _STANDS * step * stations["n_machines"]
        elapsed = (k + 1) * step
        for times, waited in ((starves, after[0] - before[0]), (blocks, after[1] - before[1])):
            times[np.isinf(times) & (waited > limit)] = elapsed
        is_full = can_fill & (state.queues["peak"] >= capacity)
        fills[np.isinf(fills) & is_full] = elapsed
        before = after
    return _RunResult(finished, in_process, levels, starves, blocks, fills)


def _waiting(compiled: CompiledModel, run: Run, now: float) -> tuple[Floats, Floats]:
    """Return the machine time that each station has starved and been blocked so far. [s]."""
    machines = run.state.machines
    seconds = run.state.durations.copy()
    seconds[np.arange(len(machines)), machines["state"]] += now - machines["since"]
    first = compiled.model.stations["first_machine"]
    by_station = np.add.reduceat(seconds, first, axis=0)
    return by_station[:, MachineState.STARVED], by_station[:, MachineState.BLOCKED]
