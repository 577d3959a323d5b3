"""How long items stay at each station of a learned factory when it is simulated."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gigatwin.events.visits import visits_of
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import mean_of
from gigatwin.factory.factory import Factory
from gigatwin.simulation.sampling import trace_of

Durations = Mapping[str, NDArray[np.float64]]
"""Station to times. [s]"""

N_CASES = 20_000
"""Cases that are enough to compare distributions."""


def simulated_durations(factory: Factory, n_cases: int = N_CASES, seed: int = 1) -> Durations:
    """Return how long items stayed at each station, from start to departure, in one history.

    Parameters
    ----------
    factory : Factory
        A learned factory.
    n_cases : int
        Cases that come during the simulation, on average.
    seed : int
        Chooses the random streams.
    """
    visits = visits_of(trace_of(factory, n_cases * _mean_interval(factory), seed))
    known = visits.drop_nulls(["start", "end"])
    found = {
        str(station): (group["end"] - group["start"]).to_numpy()
        for (station,), group in known.group_by("activity")
    }
    return {name: found.get(name, np.empty(0)) for name in factory.stations}


def _mean_interval(factory: Factory) -> float:
    """Return the mean time between two cases: arrivals, or what the slowest station takes."""
    rate = sum(1.0 / mean_of(stream.interval) for stream in factory.arrivals.values())
    if rate > 0:
        return 1.0 / rate
    intervals = []
    for station in factory.stations.values():
        time = getattr(station, "time", None)
        law = next(iter(time.by_format.values())) if isinstance(time, ByFormat) else time
        if law is not None:
            intervals.append(mean_of(law) / getattr(station, "machines", 1))
    return max(intervals)
