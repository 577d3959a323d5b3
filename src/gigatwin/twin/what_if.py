"""What a change would do from now on: branches on the present state that share their luck."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_contents import LiveContents
from gigatwin.errors import StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.kpi.statistics import paired_difference
from gigatwin.simulation.result import Parameters
from gigatwin.studies.verdicts import verdict
from gigatwin.twin.fitting import fitted
from gigatwin.twin.forecast import Forecast
from gigatwin.twin.forecasting import at_speeds, forecast_of
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_contents import live_contents

_SCHEMA = {
    "branch": pl.String,
    "quantity": pl.String,
    "unit": pl.String,
    "base": pl.Float64,
    "mean": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "run_low": pl.Float64,
    "run_high": pl.Float64,
    "verdict": pl.String,
}


@dataclass(frozen=True)
class WhatIf:
    """The next hours as they are, and as changes would make them."""

    base: Forecast
    """Nothing changed."""
    branches: dict[str, Forecast]
    """Forecast of each branch, in the order given."""
    table: pl.DataFrame
    """A row for each branch and quantity: branch, quantity, unit, base and mean, difference with
    the 95 % interval of its mean (difference_low, difference_high) and the interval in which 90 %
    of the single runs lie (run_low, run_high), and verdict."""

    def row(self, branch: str, quantity: str = "output") -> dict[str, Any]:
        """Return one row of the table.

        Raises
        ------
        StudyError
            If there is no such branch or quantity.
        """
        found = self.table.filter((pl.col("branch") == branch) & (pl.col("quantity") == quantity))
        if found.is_empty():
            message = (
                f"what-if: branch '{branch}', quantity '{quantity}'; must be one of the branches "
                f"{', '.join(self.branches)} and of the quantities "
                f"{', '.join(self.table['quantity'].unique(maintain_order=True))}."
            )
            raise StudyError(message)
        return found.row(0, named=True)

    def to_dict(self) -> dict[str, Any]:
        """Return forecasts and differences as plain data."""
        return {
            "base": self.base.to_dict(),
            "branches": {name: branch.to_dict() for name, branch in self.branches.items()},
            "differences": self.table.fill_nan(None).to_dicts(),
        }


def what_if(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory,
    mirror: Mirror | LiveContents,
    changes: Mapping[str, Mapping[str, object] | Factory],
    *,
    hours: float = 8.0,
    runs: int = 100,
    seed: int = 1,
    parameters: Parameters | None = None,
    threads: int | None = None,
    now: float | None = None,
    check: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> WhatIf:
    """Return what changes of a plant would do, from its present state on.

    Run n of every branch has the random numbers of run n of the base wherever both have the same
    elements: the same item takes the same time, the same breakdown lasts as long.

    Parameters
    ----------
    factory : Factory
        The model of the plant.
    mirror : Mirror or LiveContents
        What is in it now; for a mirror, in the names of its own factory. Contents must be in the
        names of ``factory``.
    changes : mapping
        Name of a branch to its changes as `with_changes` takes them, or to a changed factory.
    hours, runs, seed, parameters, threads, now, check, progress
        As for `forecast`. Progress is that of all branches together.

    Raises
    ------
    FactoryError
        With the problems of a branch's changes, before anything is simulated.
    StudyError
        If there is no branch, or a number is out of range.
    CompileError
        If the contents cannot be in a factory.
    SimulationError
        If a run cannot go on.
    """
    if not changes:
        message = (
            "what-if: no branch; needs one or more, such as {'faster': {'winding.speed': 1.05}}."
        )
        raise StudyError(message)
    # A branch that changes a speed must not be overruled by the speed that is seen now.
    seen = at_speeds(factory, mirror.speeds()) if isinstance(mirror, Mirror) else factory
    factories = {
        name: given
        if isinstance(given, Factory)
        else with_changes(seen, given, origin=f"branch {name}")
        for name, given in changes.items()
    }
    n = 1 + len(factories)

    def report(share: float) -> None:
        if progress is not None:
            progress(share / n)

    compiled_base = compile_factory(seen)
    if isinstance(mirror, Mirror):
        contents = fitted(live_contents(mirror, now), mirror.compiled, compiled_base)
        issued = mirror.now if now is None else max(now, mirror.now)
    else:
        contents, issued = mirror, mirror.now

    def run(changed: Factory) -> Forecast:
        compiled = compiled_base if changed is seen else compile_factory(changed)
        return forecast_of(
            compiled,
            fitted(contents, compiled_base, compiled),
            issued=issued,
            hours=hours,
            runs=runs,
            seed=seed,
            parameters=parameters,
            threads=threads,
            check=check,
            progress=report,
        )

    base = run(seen)
    branches = {name: run(changed) for name, changed in factories.items()}
    rows = [row for name, branch in branches.items() for row in _differences(name, base, branch)]
    return WhatIf(base, branches, pl.DataFrame(rows, schema=_SCHEMA))


def _differences(name: str, base: Forecast, branch: Forecast) -> list[dict[str, object]]:
    """Return the rows of a branch."""
    quantities: list[tuple[str, str, NDArray[Any], NDArray[Any]]] = [
        ("output", "products", base.output(), branch.output())
    ]
    if len(base.formats) > 1:
        quantities += [
            (f"output of {f}", "products", base.output(f), branch.output(f))
            for f in base.formats
            if f in branch.formats
        ]
    quantities.append(("in_process", "items", base.in_process[:, -1], branch.in_process[:, -1]))
    rows: list[dict[str, object]] = []
    for quantity, unit, before, after in quantities:
        difference = paired_difference(before, after)
        low, high = np.quantile(after - before, (0.05, 0.95), method="weibull")
        mean = float(before.mean())
        kpi = "throughput_rate" if unit == "products" else "items_in_process"
        rows.append(
            {
                "branch": name,
                "quantity": quantity,
                "unit": unit,
                "base": mean,
                "mean": float(after.mean()),
                "difference": difference.mean,
                "difference_low": difference.low,
                "difference_high": difference.high,
                "run_low": float(low),
                "run_high": float(high),
                "verdict": verdict(kpi, difference, mean),
            }
        )
    return rows
