"""What the model expects of a stretch of time as long as the window: many simulated ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import StudyError
from gigatwin.factory.factory import Factory
from gigatwin.kernel.layout import Feature, State
from gigatwin.learning.threads import on_threads
from gigatwin.simulation.run import Run
from gigatwin.simulation.tallies import in_process, tally
from gigatwin.standards.machine_states import MachineState

THROUGHPUT, IN_PROCESS, LEVEL = "throughput", "items in process", "mean level"
"""Quantities beside the shares of time in states."""
LEAST_WINDOWS = 10
"""Simulated windows that a figure needs, to know what chance does."""
_OF_ITS_OWN = frozenset(
    {
        MachineState.BREAKDOWN,
        MachineState.MICRO_STOP,
        MachineState.PLANNED_STOP,
        MachineState.SETUP,
        MachineState.WAITING_FOR_CREW,
    }
)
Figures = dict[tuple[str, str], float]
"""(machine or buffer or format, quantity) to value; the name is empty for the whole factory."""


def state_share(state: MachineState) -> str:
    """Return the name of the share of time in a state, such as ``blocked share``."""
    return f"{state.name.lower().replace('_', ' ')} share"


@dataclass(frozen=True)
class Expectation:
    """Simulated windows of the same length."""

    length: float
    """Length of each window. [s]"""
    samples: Mapping[tuple[str, str], tuple[float, ...]]
    """(machine or buffer or format, quantity) to its value in each window; throughput in 1/s."""

    never: frozenset[tuple[str, str]] = frozenset()
    """Those that the model cannot have at all: breakdowns of a station without any."""

    @property
    def machines(self) -> tuple[str, ...]:
        """Machines whose shares of time are known."""
        names = (name for name, quantity in self.samples if quantity.endswith(" share"))
        return tuple(dict.fromkeys(names))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "length": self.length,
            "samples": [[*key, list(values)] for key, values in self.samples.items()],
            "never": sorted(map(list, self.never)),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        samples = {(name, what): tuple(values) for name, what, values in data["samples"]}
        never = frozenset((name, what) for name, what in data["never"])
        return cls(data["length"], samples, never)


def expect(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory | CompiledModel,
    length: float,
    *,
    windows: int = 40,
    in_a_row: int = 5,
    warm_up: float | None = None,
    seed: int = 1,
    threads: int | None = None,
) -> Expectation:
    """Simulate windows of a factory in its steady state.

    Parameters
    ----------
    factory : Factory or CompiledModel
        The model.
    length : float
        Length of a window, above 0. [s]
    windows : int
        Number of windows, at least 10.
    in_a_row : int
        Windows taken from one simulated history, one after the other.
    warm_up : float, optional
        Simulated time before the first; left out, as long as a window. [s]
    seed : int
        Chooses the random streams.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Raises
    ------
    StudyError
        If a number is out of range.
    SimulationError
        If a run cannot go on.
    """
    if length <= 0 or windows < LEAST_WINDOWS or in_a_row < 1:
        message = (
            f"expectation: windows of {length:g} s, {windows} of them, {in_a_row} in a row; needs "
            f"a length above 0 s, {LEAST_WINDOWS} windows or more, 1 in a row or more."
        )
        raise StudyError(message)
    compiled = factory if isinstance(factory, CompiledModel) else compile_factory(factory)
    first = length if warm_up is None else warm_up
    sizes = [min(in_a_row, windows - k) for k in range(0, windows, in_a_row)]

    def one(replication: int, check: Callable[[], None]) -> list[Figures]:
        run = Run(compiled, seed=seed, replication=replication)
        run.advance(first, check)
        found, before = [], _counted(compiled, run.state)
        for k in range(sizes[replication]):
            run.advance(first + (k + 1) * length, check)
            after = _counted(compiled, run.state)
            found.append(_figures(compiled, run.state, before, after, length))
            before = after
        return found

    found = [row for rows in on_threads(one, range(len(sizes)), threads) for row in rows]
    samples = {key: tuple(row[key] for row in found) for key in found[0]}
    return Expectation(length, samples, _impossible(compiled))


def _impossible(compiled: CompiledModel) -> frozenset[tuple[str, str]]:
    """Return the shares of time in states that machines of the model cannot be in."""
    found = []
    stations, stops = compiled.model.stations, compiled.model.stops
    for machine, number in zip(compiled.machines, compiled.model.machine_station, strict=True):
        station = stations[number]
        first = int(station["first_stop"])
        own = stops[first : first + int(station["n_stops"])]
        can = {MachineState(state) for state in own["state"].tolist()}
        if int(station["features"]) & Feature.CHANGEOVER:
            can.add(MachineState.SETUP)
        crews = (own["crew"] >= 0).any() or station["operators"] >= 0 or station["setup_crew"] >= 0
        if crews:
            can.add(MachineState.WAITING_FOR_CREW)
        found += [(machine, state_share(state)) for state in _OF_ITS_OWN - can]
    return frozenset(found)


def _counted(compiled: CompiledModel, state: State) -> tuple[Any, Any, Any]:
    """Return time in states by machine, products by format and areas by buffer, up to now."""
    now = float(state.control[0]["now"])
    seconds = state.durations.copy()
    for machine, (held, since) in enumerate(
        zip(state.machines["state"].tolist(), state.machines["since"].tolist(), strict=True)
    ):
        seconds[machine, held] += now - since
    counted = tally(compiled, state)
    return seconds, counted.finished.sum(axis=0), counted.buffer_area


def _figures(
    compiled: CompiledModel,
    state: State,
    before: tuple[Any, Any, Any],
    after: tuple[Any, Any, Any],
    length: float,
) -> Figures:
    seconds, finished, areas = (new - old for new, old in zip(after, before, strict=True))
    found: Figures = {("", THROUGHPUT): float(finished.sum()) / length}
    if len(compiled.formats) > 1:
        for name, n in zip(compiled.formats, finished.tolist(), strict=True):
            found[name, THROUGHPUT] = n / length
    found["", IN_PROCESS] = float(in_process(state))
    for name, area in zip(compiled.buffers, areas.tolist(), strict=True):
        found[name, LEVEL] = area / length
    for name, row in zip(compiled.machines, seconds.tolist(), strict=True):
        for held in MachineState:
            found[name, state_share(held)] = row[held] / length
    return found
