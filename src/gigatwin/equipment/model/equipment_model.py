"""A machine made ready for calculation: settings in, cycle time and what it costs out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.cycle_ratio import CycleGraph
from gigatwin.equipment.description.machine import Lever, Machine
from gigatwin.equipment.model.code import Function
from gigatwin.equipment.motion.s_curve import Floats
from gigatwin.errors import EquipmentError
from gigatwin.factory.findings import find_similar

_ROUNDING = 1e-9


@dataclass(frozen=True)
class SettingRange:
    """A setting in SI units."""

    default: Mapping[str, float]
    """Value as delivered, by format."""
    low: float
    """Smallest value allowed."""
    high: float
    """Largest value allowed."""
    lever: Lever
    """Kind of change."""
    steps: tuple[float, ...]
    """The only values possible; empty: all between low and high."""
    unit: str
    """SI unit."""
    written: str
    """Unit that the description uses."""
    scale: float
    """One written unit in SI."""


@dataclass(frozen=True)
class StepPart:
    """A step of an activity, and where its numbers stand."""

    kind: str
    """What it is."""
    label: str
    """What it is called."""
    time: int
    """Position of the time it takes on average, repetitions and probability included. [s]"""
    once: int
    """Position of the time it takes once. [s]"""
    times: int
    """Repetitions."""
    probability: float
    """Share of cycles in which it is done."""
    axis: str | None = None
    """Axis or dial that moves."""
    stroke: int | None = None
    """Position of the stroke. [m or rad]"""
    settles: bool = False
    """Whether its time includes the wait for its vibration."""


@dataclass(frozen=True)
class ActivityPart:
    """An activity, and where its numbers stand."""

    name: str
    duration: int
    """Position of the mean duration. [s]"""
    steps: tuple[StepPart, ...]
    cv: float
    """Coefficient of variation of the duration."""
    factor: str
    """Parameter: factor on the duration."""


@dataclass(frozen=True)
class Arc:
    """One activity that has to wait for another."""

    tail: int
    """Activity that is waited for."""
    head: int
    """Activity that waits."""
    weight: int
    """Position of the time from the start of one to the earliest start of the other. [s]"""
    tokens: int
    """Position of the number of cycles in between."""
    why: str
    """``itself``, ``after`` or the name of what circulates."""
    overlap: int = -1
    """Position of the overlap within the weight; -1: none. [s]"""


@dataclass(frozen=True)
class CurvePart:
    """A curve of defects or stops, and where its numbers stand."""

    name: str
    value: int
    """Position of the probability, or of stops in a cycle."""
    terms: tuple[int, ...]
    """Positions of what each term adds."""
    knees: tuple[str, ...]
    """Parameters: factors on the knees."""
    weights: tuple[str, ...]
    """Parameters: factors on the weights."""


def columns(values: tuple[Floats, ...], positions: Sequence[int], n: int) -> NDArray[np.float64]:
    """Return some of the values as an array, shape (n, len(positions))."""
    out = np.empty((n, len(positions)))
    for column, position in enumerate(positions):
        out[:, column] = values[position]
    return out


@dataclass(frozen=True)
class EquipmentModel:
    """A machine in a form that can be calculated, for one setting or many thousands."""

    machine: Machine
    """The description."""
    settings: Mapping[str, SettingRange]
    """What can be set."""
    dimensions: Mapping[str, Mapping[str, float]]
    """Format to its dimensions, SI units."""
    accepted: Mapping[str, tuple[float, float]]
    """Dimension to the range that the machine can be set up for. [SI]"""
    parameters: tuple[str, ...]
    """Settings, dimensions, and factors for what is uncertain."""
    activities: tuple[ActivityPart, ...]
    """Nodes of the timed event graph."""
    arcs: tuple[Arc, ...]
    """Its arcs."""
    scrap: int
    """Position of the probability that an item is scrap at once."""
    downtime: int
    """Position of the mean time of stops in a cycle. [s]"""
    defects: tuple[CurvePart, ...]
    stops: tuple[CurvePart, ...]
    energy_per_cycle: int
    """Position of the process energy of a cycle. [J]"""
    positions: Mapping[tuple[str, ...], int]
    """Where the numbers of axes, dials, limits and FMU inputs stand, by their path."""
    units: Mapping[tuple[str, ...], str]
    """SI units of axes and limits, by their path."""
    scalar: Function = field(repr=False)
    vector: Function = field(repr=False)
    folder: Path | None = None
    """Folder of the description, where its FMU is looked for."""

    @cached_property
    def graph(self) -> CycleGraph:
        """The timed event graph of the activities."""
        return CycleGraph(
            np.array([arc.tail for arc in self.arcs], dtype=np.int32),
            np.array([arc.head for arc in self.arcs], dtype=np.int32),
            len(self.activities),
        )

    @cached_property
    def _weights(self) -> tuple[int, ...]:
        return tuple(arc.weight for arc in self.arcs)

    @cached_property
    def _tokens(self) -> tuple[int, ...]:
        return tuple(arc.tokens for arc in self.arcs)

    def cycle(self, values: tuple[Floats, ...], n: int | None) -> tuple[Floats, NDArray[np.int32]]:
        """Return cycle times and policies for the values of all variables; n None: floats.

        Raises
        ------
        EquipmentError
            If activities wait for each other for ever, as with a count of 0.
        """
        try:
            return self._cycle(values, n)
        except ZeroDivisionError as error:
            message = f"{self.machine.name}: {error}; counts and places must be 1 or more."
            raise EquipmentError(message) from None

    def _cycle(self, values: tuple[Floats, ...], n: int | None) -> tuple[Floats, NDArray[np.int32]]:
        if n is None:
            w = np.array([[values[k] for k in self._weights]])
            t = np.array([[values[k] for k in self._tokens]], dtype=np.float64)
            ratios, policies = self.graph.max_cycle_ratio(w, t)
            return float(ratios[0]), policies
        return self.graph.max_cycle_ratio(
            columns(values, self._weights, n), columns(values, self._tokens, n)
        )

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.parameters)}

    @cached_property
    def _defaults(self) -> dict[str, list[Floats]]:
        found: dict[str, list[Floats]] = {}
        for name, dimensions in self.dimensions.items():
            known = {key: value.default[name] for key, value in self.settings.items()}
            found[name] = [{**known, **dimensions}.get(key, 1.0) for key in self.parameters]
        return found

    def check_format(self, product_format: str) -> None:
        """Raise if the machine is not set up for a format.

        Raises
        ------
        EquipmentError
            With the formats it is set up for.
        """
        if product_format not in self.dimensions:
            similar = find_similar(product_format, self.dimensions)
            hint = f"; did you mean '{similar}'?" if similar else ""
            message = (
                f"{self.machine.name} format {product_format}: the machine is not set up for it; "
                f"must be one of {', '.join(self.dimensions)}{hint}"
            )
            raise EquipmentError(message)

    def check_setting(self, name: str) -> None:
        """Raise if the machine does not have a setting.

        Raises
        ------
        EquipmentError
            With the setting that may have been meant.
        """
        if name not in self.settings:
            similar = find_similar(name, self.settings)
            known = (
                f"did you mean '{similar}'?" if similar else f"known: {', '.join(self.settings)}"
            )
            message = f"{self.machine.name} {name}: must be a setting of the machine; {known}"
            raise EquipmentError(message)

    def with_format(self, product_format: str, dimensions: Mapping[str, float]) -> "EquipmentModel":
        """Return this machine set up for another format.

        Parameters
        ----------
        product_format : str
            Name of the format.
        dimensions : mapping
            Its dimensions, SI units; those that the machine does not ask for are passed over.
            Settings have the defaults of the first format.

        Raises
        ------
        EquipmentError
            If a dimension is missing, or outside of what the machine accepts.
        """
        first = next(iter(self.dimensions))
        wanted = self.dimensions[first]
        missing = [name for name in wanted if name not in dimensions]
        problems = [f"{name}: missing; must be given" for name in missing]
        for name, (low, high) in self.accepted.items():
            value = dimensions.get(name)
            if value is not None and not low * (1 - _ROUNDING) <= value <= high * (1 + _ROUNDING):
                bounds = self.machine.accepts[name]
                problems.append(f"{name}: {value:g}; must be from {bounds.low} to {bounds.high}")
        if problems:
            message = (
                f"{self.machine.name} format {product_format}: the machine cannot make it. "
                + "; ".join(problems)
                + "."
            )
            raise EquipmentError(message)
        settings = {
            name: replace(known, default={**known.default, product_format: known.default[first]})
            for name, known in self.settings.items()
        }
        found = {name: float(dimensions[name]) for name in wanted}
        return replace(
            self, settings=settings, dimensions={**self.dimensions, product_format: found}
        )

    def defaults(self, product_format: str) -> dict[str, float]:
        """Return the settings as delivered, for a format. SI units."""
        self.check_format(product_format)
        return {name: value.default[product_format] for name, value in self.settings.items()}

    def evaluate(
        self,
        product_format: str,
        settings: Mapping[str, Floats] | None = None,
        factors: Mapping[str, Floats] | None = None,
    ) -> "Evaluation":
        """Return what the machine does with some settings.

        Parameters
        ----------
        product_format : str
            One of the formats of the machine.
        settings : mapping, optional
            Setting to value in SI units: floats, or arrays of one shape (n,) for n settings at
            once. Those left out have their defaults.
        factors : mapping, optional
            Factor parameters (of knees, weights, durations) that are not 1.

        Raises
        ------
        EquipmentError
            If the machine is not set up for the format.
        """
        if product_format not in self._defaults:
            self.check_format(product_format)
        values = list(self._defaults[product_format])
        n = 0
        for given in (settings, factors):
            for name, value in (given or {}).items():
                if name not in self._index:
                    self.check_setting(name)
                values[self._index[name]] = value
                if not isinstance(value, float):
                    n = max(n, np.size(value))
        if n == 0:
            try:
                found = self.scalar(tuple(values))
            except EquipmentError:
                raise
            except (ArithmeticError, ValueError, TypeError) as error:
                message = (
                    f"{self.machine.name}: a formula has no value with these settings ({error}); "
                    "they must be within their ranges."
                )
                raise EquipmentError(message) from None
            return Evaluation(self, product_format, found, None)
        return Evaluation(self, product_format, self.vector(tuple(values)), n)


@dataclass(frozen=True)
class Evaluation:
    """What a machine does with some settings; floats, or arrays with one value for each."""

    model: EquipmentModel
    product_format: str
    values: tuple[Floats, ...] = field(repr=False)
    """Values of all variables of the machine."""
    n_given: int | None
    """Number of settings in arrays; None: one setting, and all values are floats."""

    @property
    def n(self) -> int:
        """Number of settings."""
        return 1 if self.n_given is None else self.n_given

    @cached_property
    def _solved(self) -> tuple[Floats, NDArray[np.int32]]:
        if self.model.machine.fmu is not None:
            return self._simulated, np.empty((self.n, 0), dtype=np.int32)
        return self.model.cycle(self.values, self.n_given)

    @cached_property
    def _simulated(self) -> Floats:
        means = [float(times.mean()) for times in self.recorded_times]
        return means[0] if self.n_given is None else np.array(means)

    @cached_property
    def recorded_times(self) -> list[NDArray[np.float64]]:
        """Cycle times that the FMU gives for each setting; empty for a machine of activities. [s].

        Raises
        ------
        EquipmentError
            If the FMU cannot be run.
        """
        fmu = self.model.machine.fmu
        if fmu is None:
            return []
        from gigatwin.equipment.fmu import fmu_cycle_times  # noqa: PLC0415 - an extra

        inputs = self.columns([self.model.positions["fmu", name] for name in fmu.inputs])
        step = float(np.ravel(self.values[self.model.positions["fmu", "step"]])[0])
        path = (self.model.folder or Path()) / fmu.file
        rows, order = np.unique(inputs, axis=0, return_inverse=True)
        found = [
            fmu_cycle_times(
                path,
                dict(zip(fmu.inputs, map(float, row), strict=True)),
                cycle_time=fmu.cycle_time,
                counter=fmu.counter,
                step=step,
                cycles=fmu.cycles if fmu.counter else 1,
                skip=fmu.skip if fmu.counter else 0,
            )
            for row in rows
        ]
        return [found[k] for k in np.ravel(order)]

    def columns(self, positions: Sequence[int]) -> NDArray[np.float64]:
        """Return variables as an array, shape (n, len(positions))."""
        return columns(self.values, positions, self.n)

    @property
    def cycle_time(self) -> Floats:
        """Time between two cycles of a machine that never waits or stops. [s]."""
        return self._solved[0]

    @property
    def policies(self) -> NDArray[np.int32]:
        """Arc that each activity follows; circuits among them set the cycle time."""
        return self._solved[1]

    @property
    def scrap(self) -> Floats:
        """Probability that an item is scrap at once."""
        return self.values[self.model.scrap]

    @property
    def downtime(self) -> Floats:
        """Mean time of stops in a cycle. [s]."""
        return self.values[self.model.downtime]

    @property
    def availability(self) -> Floats:
        """Share of the time in which the machine is not stopped."""
        return self.cycle_time / (self.cycle_time + self.downtime)

    @property
    def gross_rate(self) -> Floats:
        """Items in a second of running time. [item/s]."""
        return self.model.machine.items_per_cycle / self.cycle_time

    @property
    def net_rate(self) -> Floats:
        """Items in a second, stops included. [item/s]."""
        return self.model.machine.items_per_cycle / (self.cycle_time + self.downtime)

    @property
    def good_rate(self) -> Floats:
        """Items in a second that are not scrap, stops included. [item/s]."""
        return self.net_rate * (1 - self.scrap)
