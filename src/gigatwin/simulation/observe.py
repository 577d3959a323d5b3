"""One replication, watched: tallies and levels at regular moments."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import SimulationError
from gigatwin.kpi.tally import Tally
from gigatwin.simulation.run import Run
from gigatwin.simulation.tallies import check_conservation, tally

N_POINTS = 1000
"""Moments at which output and levels are read."""
N_TALLIES = 40
"""Moments at which everything is counted; a warm-up ends at one of them."""


@dataclass(frozen=True)
class Observation:
    """One replication: what was seen at regular moments of simulated time."""

    compiled: CompiledModel
    """The factory of this replication."""
    times: NDArray[np.float64]
    """Moments, shape (n,). [s]"""
    finished: NDArray[np.int64]
    """Products finished up to each moment, shape (n, F)."""
    in_process: NDArray[np.int64]
    """Items in the factory, shape (n,)."""
    levels: NDArray[np.int32]
    """Items in each buffer, shape (n, B)."""
    tallies: tuple[Tally, ...]
    """Everything counted, at 0 and at every (n / `N_TALLIES`)-th moment."""


def observe(
    run: Run,
    horizon: float,
    check: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Observation:
    """Run a replication to its horizon and watch it.

    Parameters
    ----------
    run : Run
        At simulated time 0.
    horizon : float
        Simulated time to reach. [s]
    check : callable, optional
        Called every fraction of a second; may raise to interrupt.
    progress : callable, optional
        Gets the share of the horizon that was done since the last call.

    Raises
    ------
    SimulationError
        If the run cannot go on, or what it counted does not add up.
    """
    compiled: CompiledModel = run.compiled
    times = np.linspace(0.0, horizon, N_POINTS + 1)[1:]
    finished = np.zeros((N_POINTS, len(compiled.formats)), dtype=np.int64)
    present = np.zeros(N_POINTS, dtype=np.int64)
    levels = np.zeros((N_POINTS, len(compiled.buffers)), dtype=np.int32)
    tallies = [tally(compiled, run.state)]
    every = N_POINTS // N_TALLIES
    for first in range(0, N_POINTS, every):
        part = slice(first, first + every)
        run.watch(times[part], finished[part], present[part], levels[part], check)
        tallies.append(tally(compiled, run.state))
        if progress is not None:
            progress(every / N_POINTS)
    run.check_stuck()
    wrong = check_conservation(compiled, run.state)
    if wrong:
        message = f"{compiled.factory.name}: the books of the run do not balance: {wrong}."
        raise SimulationError(message)
    return Observation(compiled, times, finished, present, levels, tuple(tallies))
