"""A change predicted from a steady state: what it does on average, and what a watch will see."""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.simulation.run import Run
from gigatwin.studies.comparison import Comparison, compare
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.prediction import Baseline, Effect, Prediction, predict_station
from gigatwin.twin.changes.proposal import Guard

_DAY = 86_400.0
_ENDLESS = 1_000_000_000
_LEAST_WINDOWS = 10

Counts = Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Station to its good and spoiled items up to each look; each shape (n_windows, looks)."""


@dataclass(frozen=True)
class SteadyState:
    """Predicts a change by comparing two steady states under the same luck.

    Effects are paired differences of whole replications. What a watch will see is taken from
    windows of its length within the replications, one after the other, so that stops that come by
    the clock fall into as many of them as into watches.

    Parameters
    ----------
    days, replications, seed, threads
        As of `gigatwin.studies.compare`.
    baselines : mapping, optional
        Station to what it was seen to do before the change.
    """

    days: float = 3.0
    replications: int = 10
    seed: int = 1
    threads: int | None = None
    baselines: Mapping[str, Baseline] = field(default_factory=dict)

    def __call__(
        self, factory: Factory, changed: Factory, product_format: str | None, guard: Guard
    ) -> Prediction:
        """Return what a change does; arguments as of `Predictor`."""
        if product_format is not None:
            changed = making(changed, product_format)
        comparison = compare(
            factory,
            {"change": changed},
            days=self.days,
            replications=self.replications,
            seed=self.seed,
            threads=self.threads,
        )
        warm_up = comparison.base.warm_up
        before = self._windows(factory, guard, warm_up)
        after = self._windows(changed, guard, warm_up)
        watched = tuple(
            predict_station(
                station,
                guard,
                *after[station],
                before_good=before[station][0],
                before_scrap=before[station][1],
                baseline=self.baselines.get(station),
            )
            for station in guard.stations
        )
        remarks = []
        if not comparison.base.is_warm_up_accepted:
            remarks.append("the runs were too short for a steady state")
        how = (
            f"steady state, {self.replications} replications of {self.days:g} d each before and "
            f"after, {len(next(iter(after.values()))[0])} windows of the watch"
        )
        seen = [station for station in guard.stations if station in self.baselines]
        if seen:
            remarks.append(f"put right by what the plant did before: {', '.join(seen)}")
        return Prediction(how, effects_of(comparison), watched, tuple(remarks))

    def _windows(self, factory: Factory, guard: Guard, warm_up: float) -> Counts:
        compiled = compile_factory(factory)
        places = [compiled.stations.index(station) for station in guard.stations]
        room = self.days * _DAY - warm_up
        n = max(int(room // guard.watch), math.ceil(_LEAST_WINDOWS / self.replications))
        looks = np.asarray(guard.times)

        def one(replication: int) -> NDArray[np.int64]:
            run = Run(compiled, seed=self.seed, replication=replication)
            return _counted(run, compiled, places, warm_up, guard.watch, looks, n)

        with ThreadPoolExecutor(self.threads) as pool:
            found = np.concatenate(list(pool.map(one, range(self.replications))))
        return {
            station: (found[:, :, k, 0].astype(np.float64), found[:, :, k, 1].astype(np.float64))
            for k, station in enumerate(guard.stations)
        }


def _counted(  # noqa: PLR0913, PLR0917 - what a run is asked for
    run: Run,
    compiled: CompiledModel,
    places: list[int],
    begin: float,
    watch: float,
    looks: NDArray[np.float64],
    n: int,
) -> NDArray[np.int64]:
    """Return good and spoiled items in n windows, shape (n, looks, stations, 2)."""
    found = np.zeros((n, len(looks), len(places), 2), dtype=np.int64)

    def totals() -> NDArray[np.int64]:
        flows = run.state.flows.reshape(len(compiled.stations), len(compiled.formats))
        both = np.stack([flows["left"].sum(axis=1), flows["scrapped"].sum(axis=1)], axis=-1)
        return np.asarray(both[places])

    run.advance(begin)
    for window in range(n):
        start = begin + window * watch
        run.advance(start)
        first = totals()
        for look, time in enumerate(looks):
            run.advance(start + time)
            found[window, look] = totals() - first
    return found


def making(factory: Factory, product_format: str) -> Factory:
    """Return a factory that makes one format only.

    Raises
    ------
    ChangeError
        If it does not know the format.
    """
    if product_format not in factory.formats:
        message = f"format {product_format}; must be one of {', '.join(factory.formats)}."
        raise ChangeError(message)
    values: dict[str, object] = {
        f"arrivals.{name}.formats": {product_format: 1} for name in factory.arrivals
    }
    values["orders"] = [{"format": product_format, "quantity": _ENDLESS}]
    return with_changes(factory, values, f"format {product_format}")


def effects_of(comparison: Comparison, scenario: str = "change") -> tuple[Effect, ...]:
    """Return what a comparison says of one scenario."""
    rows = comparison.table.to_dicts()
    return tuple(
        Effect(
            name=row["kpi"],
            unit=row["unit"],
            before=_number(row["base"]),
            after=_number(row["mean"]),
            low=_number(row["difference_low"]),
            high=_number(row["difference_high"]),
            verdict=row["verdict"],
        )
        for row in rows
        if row["scenario"] == scenario
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
