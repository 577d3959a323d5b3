"""Good and spoiled items of stations since a moment, from the counters of their machines."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gigatwin.telemetry.observations import Observation
from gigatwin.telemetry.readings import Quality, is_usable
from gigatwin.telemetry.tags import Quantity

_COUNTED = {Quantity.PROCESSED: "processed", Quantity.DEFECTIVE: "defective"}


@dataclass
class Counter:
    """A counter that only grows, until it is set to 0."""

    value: float | None = None
    """What it said last; None: nothing yet."""
    time: float = 0.0
    """When, by the plant's clock. [s]"""
    gained: float = 0.0
    """Items since the beginning."""

    def take(self, value: float, time: float) -> None:
        """Take a value; one that is older than the last is not news."""
        if self.value is not None:
            if time < self.time:
                return
            # One that fell was set to 0 in between.
            self.gained += value - self.value if value >= self.value else value
        self.value, self.time = value, time


@dataclass
class MachineCounts:
    """The two counters of a machine."""

    processed: Counter = field(default_factory=Counter)
    defective: Counter = field(default_factory=Counter)


@dataclass
class LineCounts:
    """The counters of all machines of the watched stations, and how far time has come."""

    machines: dict[str, MachineCounts] = field(default_factory=dict)
    """Machine to its counts."""
    reached: float = float("-inf")
    """Newest time of a usable value, by the plant's clock. [s]"""

    def take(self, observation: Observation) -> None:
        """Take an observation; one of another machine only tells the time."""
        value = observation.value
        if observation.quality != Quality.GOOD or not is_usable(value):
            return
        self.reached = max(self.reached, observation.time)
        name = _COUNTED.get(observation.quantity)
        machine = self.machines.get(observation.element)
        if name is None or machine is None or isinstance(value, bool | str) or value is None:
            return
        counter: Counter = getattr(machine, name)
        counter.take(float(value), observation.time)

    def begin(self) -> None:
        """Count from here on."""
        for machine in self.machines.values():
            machine.processed.gained = machine.defective.gained = 0.0

    @property
    def unseen(self) -> list[str]:
        """Machines whose counter of items said nothing yet."""
        return [name for name, each in self.machines.items() if each.processed.value is None]

    def of(self, machines: Iterable[str]) -> tuple[float, float]:
        """Return good and spoiled items of some machines since the beginning."""
        found = [self.machines[name] for name in machines]
        spoiled = sum(each.defective.gained for each in found)
        return max(sum(each.processed.gained for each in found) - spoiled, 0.0), spoiled

    @property
    def data(self) -> dict[str, Any]:
        """The counts as plain data."""
        return {
            name: {key: asdict(getattr(each, key)) for key in _COUNTED.values()}
            for name, each in self.machines.items()
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from the counts in plain data."""
        for name, values in data.items():
            if name in self.machines:
                self.machines[name] = MachineCounts(
                    **{key: Counter(**each) for key, each in values.items()}
                )
