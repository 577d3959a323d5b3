"""What changes of a factory do, measured under common random numbers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.factory.uncertainty import has_estimates
from gigatwin.kpi.statistics import IntervalKind, paired_difference
from gigatwin.simulation.result import Parameters, Result
from gigatwin.simulation.simulate import check_parameters, simulate
from gigatwin.studies.verdicts import verdict

_LEAST_REPLICATIONS = 2
_SCHEMA = {
    "scenario": pl.String,
    "kpi": pl.String,
    "unit": pl.String,
    "base": pl.Float64,
    "mean": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "relative_difference": pl.Float64,
    "verdict": pl.String,
}


@dataclass(frozen=True)
class Comparison:
    """Scenarios against a base, each replication of one paired with the same one of the other."""

    base: Result
    """What the others are compared with."""
    results: dict[str, Result]
    """Result of each scenario, in the order given."""
    table: pl.DataFrame
    """A row for each scenario and total: scenario, kpi, unit, base and mean (of the scenario),
    difference with its 95 % interval (difference_low, difference_high), relative_difference, and
    verdict."""

    def row(self, scenario: str, kpi: str) -> dict[str, Any]:
        """Return one row of the table.

        Raises
        ------
        StudyError
            If there is no such scenario or total.
        """
        found = self.table.filter((pl.col("scenario") == scenario) & (pl.col("kpi") == kpi))
        if found.is_empty():
            message = (
                f"comparison: scenario '{scenario}', total '{kpi}'; must be one of the scenarios "
                f"{', '.join(self.results)} and of the totals "
                f"{', '.join(self.table['kpi'].unique(maintain_order=True))}."
            )
            raise StudyError(message)
        return found.row(0, named=True)

    def to_dict(self) -> dict[str, Any]:
        """Return base, scenarios and differences as plain data; NaN becomes None."""
        return {
            "base": self.base.to_dict(),
            "scenarios": {name: result.to_dict() for name, result in self.results.items()},
            "comparison": self.table.fill_nan(None).to_dicts(),
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2)


def compare(  # noqa: PLR0913 - keyword arguments of the public call
    base: Factory,
    scenarios: Mapping[str, Factory | Mapping[str, object]],
    *,
    days: float = 7.0,
    replications: int = 10,
    seed: int = 1,
    warm_up: float | None = None,
    threads: int | None = None,
    progress: Callable[[float, int], None] | None = None,
    parameters: Parameters = "estimated",
) -> Comparison:
    """Simulate a factory and its scenarios under the same luck and return the differences.

    Replication n of every scenario draws the random numbers of replication n of the base wherever
    both have the same elements, and all use the same warm-up, so that a difference shows after few
    replications.

    Parameters
    ----------
    base : Factory
        What the scenarios are compared with.
    scenarios : mapping
        Name to a factory, or to changes of the base as `with_changes` takes them:
        ``{"faster": {"winding.speed": 1.05}}``.
    days : float
        Length of each replication. [d]
    replications : int
        Number of replications of each, at least 2.
    seed : int
        Chooses the random streams.
    warm_up : float, optional
        Time from the start that is not counted; left out, that found for the base. [s]
    threads : int, optional
        Number of threads; left out, one for each core.
    progress : callable, optional
        Called with the share of a replication just done and the replications of the whole study.
    parameters : str
        ``uncertain``: numbers with estimates are drawn anew in each replication, the same for base
        and scenario where they have the same estimate. The interval of a difference is then that
        of the difference in one replication, as the plant is one of them. A scenario without any
        estimates is simulated as it is.

    Returns
    -------
    Comparison
        Results and paired differences.

    Raises
    ------
    FactoryError
        With the problems of a scenario's changes, before anything is simulated.
    StudyError
        If there are no scenarios, fewer than 2 replications, or parameters are uncertain and no
        number of the base has an estimate.
    SimulationError
        If a run cannot go on.

    Examples
    --------
    >>> from gigatwin import compare, load
    >>> changes = {"larger buffer": {"second.buffer.capacity": 10}}
    >>> comparison = compare(load("two-machine"), changes, days=0.5, replications=4)
    >>> comparison.row("larger buffer", "throughput_rate")["verdict"]
    'better'
    """
    if not scenarios:
        message = "compare: no scenario; needs one or more, for example {'faster': {'a.speed': 2}}."
        raise StudyError(message)
    if replications < _LEAST_REPLICATIONS:
        message = (
            f"compare replications: {replications}; must be {_LEAST_REPLICATIONS} or more, as an "
            "interval needs a spread; 10 are usual."
        )
        raise StudyError(message)
    # Every description is checked and compiled before the first long run.
    compiled = {
        name: compile_factory(
            given
            if isinstance(given, Factory)
            else with_changes(base, given, origin=f"scenario {name}")
        )
        for name, given in scenarios.items()
    }
    compiled_base = compile_factory(base)
    n_runs = (1 + len(compiled)) * replications

    def report(share: float, _: int) -> None:
        if progress is not None:
            progress(share, n_runs)

    def run(model: CompiledModel, start: float | None) -> Result:
        return simulate(
            model,
            days=days,
            replications=replications,
            seed=seed,
            warm_up=start,
            threads=threads,
            progress=report,
            parameters=parameters if has_estimates(model.factory) else "estimated",
        )

    check_parameters(base, parameters)
    of_base = run(compiled_base, warm_up)
    results = {name: run(model, of_base.warm_up) for name, model in compiled.items()}
    rows = [row for name, result in results.items() for row in _differences(name, of_base, result)]
    return Comparison(of_base, results, pl.DataFrame(rows, schema=_SCHEMA))


def _differences(scenario: str, base: Result, result: Result) -> list[dict[str, object]]:
    """Return the rows of a scenario, for the totals that both have."""
    rows: list[dict[str, object]] = []
    for name, values in result.samples.items():
        if name not in base.samples:
            continue
        kpi, _, unit = name.partition(" [")
        before = base.samples[name]
        # A pair says something only when both replications made something to measure.
        both = np.isfinite(before) & np.isfinite(values)
        if not both.any():
            continue
        kind: IntervalKind = "prediction" if base.parameters == "uncertain" else "mean"
        difference = paired_difference(before[both], values[both], kind=kind)
        mean_before = float(before[both].mean())
        rows.append(
            {
                "scenario": scenario,
                "kpi": kpi,
                "unit": unit.rstrip("]"),
                "base": mean_before,
                "mean": float(values[both].mean()),
                "difference": difference.mean,
                "difference_low": difference.low,
                "difference_high": difference.high,
                "relative_difference": difference.mean / abs(mean_before)
                if mean_before
                else float("nan"),
                "verdict": verdict(kpi, difference, mean_before),
            }
        )
    return rows
