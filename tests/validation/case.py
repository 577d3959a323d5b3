"""Cases with exact results: read them, simulate them, compare.

A case is a folder of ``cases/`` with ``factory.yaml``, ``expected.yaml`` and ``README.md``. In
``expected.yaml``, ``run`` says how long and how often it is simulated, and each of ``quantities``
has the exact value, its derivation, and where in the result the simulated value stands.
"""

import importlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from scipy import stats

from gigatwin.compiler.build import compile_factory
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.factory.reading import load
from gigatwin.kernel.layout import Kind
from gigatwin.kpi.tables import CONFIDENCE
from gigatwin.simulation.result import Result
from gigatwin.simulation.run import Run
from gigatwin.simulation.simulate import simulate
from gigatwin.units import parse_quantity

CASES = Path(__file__).parent / "cases"
STANDARD_ERRORS = 5
"""Furthest that a simulated mean may be from the exact value."""
LARGEST_SHARE = 0.03
"""Largest share of the exact value that so many standard errors may be."""
_DAY = 86400.0
_UNITS = {("1/h", "1/s"): 3600.0, ("kWh/h", "kW"): 1.0}


@dataclass(frozen=True)
class Estimate:
    """A simulated mean and its standard error; 0 where nothing is left to chance."""

    mean: float
    standard_error: float


@dataclass(frozen=True)
class Quantity:
    """An exact value and where to find the simulated one."""

    name: str
    exact: float | list[float]
    unit: str
    measure: dict[str, Any]
    derivation: str
    source: str = ""
    solver: dict[str, Any] | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    relative: float | None = None
    """Tolerance of a quantity without chance; None: 5 standard errors."""
    bias: float = 0.0
    """Bound on the difference between the exact model and the simulated one, where they differ."""

    def solved(self) -> float | list[float]:
        """Return the exact value once more, from its solver."""
        module, function = self.solver["function"].split(".")
        solver = getattr(importlib.import_module(f"tests.validation.{module}"), function)
        return solver(**self.solver["arguments"])[self.solver["result"]]


@dataclass(frozen=True)
class Case:
    """A factory with exact results."""

    folder: Path
    title: str
    length: float
    """Length of each replication. [s]"""
    warm_up: float
    """Time that is not counted. [s]"""
    replications: int
    seed: int
    quantities: tuple[Quantity, ...]

    @cached_property
    def factory(self) -> Factory:
        """The factory as the file has it."""
        return load(self.folder / "factory.yaml")

    def simulated(self) -> list[Estimate | list[float]]:
        """Return what the simulation gives for each quantity."""
        results: dict[str, Result] = {}
        found: list[Estimate | list[float]] = []
        for quantity in self.quantities:
            factory = self.factory
            if quantity.changes:
                factory = with_changes(factory, quantity.changes)
            if "events" in quantity.measure:
                found.append(self._event_times(factory, quantity.measure))
                continue
            key = str(quantity.changes)
            if key not in results:
                results[key] = simulate(
                    factory,
                    days=self.length / _DAY,
                    replications=self.replications,
                    seed=self.seed,
                    warm_up=self.warm_up,
                )
            found.append(_estimate(results[key], quantity))
        return found

    def _event_times(self, factory: Factory, measure: dict[str, Any]) -> list[float]:
        compiled = compile_factory(factory)
        run = Run(compiled, seed=self.seed, trace=True)
        run.advance(self.length)
        records = run.records()
        wanted = records["kind"] == Kind[measure["events"]]
        wanted &= records["machine"] == compiled.machines.index(measure["machine"])
        if "detail" in measure:
            wanted &= records["detail"] == measure["detail"]
        return [float(time) for time in records["time"][wanted]]


def _estimate(result: Result, quantity: Quantity) -> Estimate:
    measure = quantity.measure
    table: pl.DataFrame = getattr(result, measure["table"])
    conditions = [pl.col(name) == value for name, value in measure["row"].items()]
    row = table.filter(*conditions)
    assert row.height == 1, f"{quantity.name}: {row.height} rows for {measure['row']}"
    if measure["table"] == "totals":
        unit = row["unit"][0]
        mean, low, high = (float(row[name][0]) for name in ("mean", "low", "high"))
    else:
        column = measure["column"]
        full = next(name for name in table.columns if name.partition(" ")[0] == column)
        unit = full.partition(" ")[2].strip("[]")
        suffix = f" [{unit}]" if unit else ""
        mean = float(row[full][0])
        low, high = (float(row[f"{column}_{end}{suffix}"][0]) for end in ("low", "high"))
    scale = 1.0
    if quantity.unit not in {unit, unit.replace("items", "-")}:
        scale = _UNITS.get((unit, quantity.unit), 1.0 if not unit else float("nan"))
    error = 0.0
    if quantity.relative is None:
        factor = stats.t.ppf(0.5 + CONFIDENCE / 2, result.replications - 1)
        error = (high - low) / 2 / factor
    return Estimate(mean / scale, error / scale)


def read_case(folder: Path) -> Case:
    """Return the case of a folder."""
    data = yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8"))
    run = data["run"]
    return Case(
        folder=folder,
        title=data["title"],
        length=parse_quantity(run["length"], "s"),
        warm_up=parse_quantity(run.get("warm_up", "0 s"), "s"),
        replications=run.get("replications", 1),
        seed=run["seed"],
        quantities=tuple(Quantity(**quantity) for quantity in data["quantities"]),
    )


def case_folders() -> list[Path]:
    """Return the folders of all cases, by name."""
    return sorted(path for path in CASES.iterdir() if path.is_dir())


def _wrong_moments(quantity: Quantity, found: list[float]) -> str:
    exact = np.asarray(quantity.exact)
    if len(found) < len(exact):
        return f"{quantity.name}: {len(found)} events, {len(exact)} expected: {found}"
    first = found[: len(exact)]
    if np.allclose(first, exact, rtol=quantity.relative, atol=1e-9):
        return ""
    return f"{quantity.name}: at {first}, expected at {exact.tolist()}"


def disagreement(quantity: Quantity, found: Estimate | list[float]) -> str:
    """Return what is wrong with a simulated value, an empty text if nothing is."""
    if isinstance(found, list):
        return _wrong_moments(quantity, found)
    exact = float(quantity.exact)
    difference = abs(found.mean - exact)
    if quantity.relative is not None:
        allowed = quantity.relative * abs(exact)
        return "" if difference <= allowed else f"{quantity.name}: {found.mean!r}, exact {exact!r}"
    bound = STANDARD_ERRORS * found.standard_error
    text = f"{quantity.name}: {found.mean:.7g} +- {found.standard_error:.2g}, exact {exact:.8g}"
    if not difference <= bound + quantity.bias:
        return f"{text}: {difference / found.standard_error:.1f} standard errors apart"
    if not bound < LARGEST_SHARE * abs(exact):
        return f"{text}: 5 standard errors are {bound / abs(exact):.1%}; simulate longer"
    return ""
