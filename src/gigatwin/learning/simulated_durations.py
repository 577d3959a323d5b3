"""Processing times that a learned factory shows when it is simulated."""

import numpy as np

from gigatwin.factory.durations import Empirical
from gigatwin.factory.factory import Factory
from gigatwin.learning.event_durations import Durations, durations_in
from gigatwin.simulation.simulate import simulate

_DAY = 86_400.0
N_CASES = 2000
"""Cases that come in a simulation, on average."""


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
    days = n_cases * _mean_interval(factory) / _DAY
    result = simulate(factory, days=days, replications=1, seed=seed, warm_up=0.0, trace=True)
    if result.events is None:
        return {}
    return durations_in(result.events, factory.stations)


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
