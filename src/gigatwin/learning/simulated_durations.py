"""Processing times that a learned factory shows when it is simulated."""

import numpy as np
import polars as pl

from gigatwin.compiler.build import compile_factory
from gigatwin.factory.durations import Empirical
from gigatwin.factory.factory import Factory
from gigatwin.kernel.layout import Kind
from gigatwin.learning.event_durations import Durations, durations_in
from gigatwin.simulation.run import Run

N_CASES = 10_000
"""Cases that come in a simulation, on average; with 2000 the scores of a real log still
varied by a third from seed to seed."""


def simulated_durations(factory: Factory, n_cases: int = N_CASES, seed: int = 1) -> Durations:
    """Return the processing times at each station of a learned factory in one simulated history.

    Parameters
    ----------
    factory : Factory
        With arrivals whose interval was learned.
    n_cases : int
        Cases that come during the simulation, on average.
    seed : int
        Chooses the random streams.
    """
    compiled = compile_factory(factory)
    run = Run(compiled, seed=seed, trace=True)
    run.advance(n_cases * _mean_interval(factory))
    records = run.records()
    kinds = np.array([kind.name for kind in Kind])
    events = pl.DataFrame(
        {
            "time": records["time"],
            "machine": np.array(compiled.machines)[records["machine"]],
            "kind": kinds[records["kind"]],
            "item": records["item"],
        }
    )
    return durations_in(events, factory.stations)


def _mean_interval(factory: Factory) -> float:
    """Return the mean time between cases over all streams of arrivals."""
    rate = 0.0
    for stream in factory.arrivals.values():
        law = stream.interval
        if isinstance(law, Empirical) and law.samples is not None:
            rate += 1.0 / float(np.mean(law.samples))
        elif isinstance(law, int | float):
            rate += 1.0 / law
    return 1.0 / rate
