"""The virtual plant: a factory in motion, with a truth of its own, behind tags."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from gigatwin.errors import SimulationError
from gigatwin.factory.factory import Factory
from gigatwin.plant.commands import Controls
from gigatwin.plant.construction import build_line
from gigatwin.plant.evaluation import TrueState, true_state
from gigatwin.plant.journal import Journal
from gigatwin.plant.planning import plant_layout
from gigatwin.plant.shocks import Shock
from gigatwin.plant.tags import plant_tags, setting_values
from gigatwin.plant.truth import Truth, draw_truth, read_truth
from gigatwin.plant.values import Sensors
from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Reading
from gigatwin.telemetry.tags import SETTING_PREFIX, Tag

START_TIME = 1_767_250_800.0
"""Usual clock of the plant at its start: 2026-01-01 07:00 UTC. [s since 1970]"""


class VirtualPlant:
    """A plant that runs a factory's line in its own way and says what happens as readings of tags.

    The same factory, truth, seed and writes give the same readings, however the time is cut.
    Working hours of the factory are taken as the model takes them: the plant's clock counts them
    only. Shifts of resources count from the start of the plant.
    """

    def __init__(  # noqa: PLR0913 - each with a usual value
        self,
        factory: Factory,
        *,
        seed: int = 1,
        truth: Truth | None = None,
        shocks: Iterable[Shock] = (),
        values_per_machine: int = 2,
        value_interval: float = 1.0,
        start_time: float = START_TIME,
        record_truth: bool = False,
    ) -> None:
        """Build the plant at its start: all machines ready, all buffers empty.

        Parameters
        ----------
        factory : Factory
            What is built; a factory that has passed its checks.
        seed : int
            Chooses the random numbers, and the truth if none is given.
        truth : Truth, optional
            How the plant differs from its description; left out: drawn by the seed.
        shocks : iterable of Shock
            Changes that are brought about on purpose.
        values_per_machine : int
            Measured values of each machine, beside states and counters.
        value_interval : float
            Time between two measurements of a value, above 0. [s]
        start_time : float
            Clock of the plant at its start, seconds since 1970 in UTC. [s]
        record_truth : bool
            Whether the states of all machines are kept for `true_state`.

        Raises
        ------
        CompileError
            If the factory asks for something that the virtual plant cannot run.
        FactoryError
            If a station names a machine description that cannot be used.
        SimulationError
            If a shock names a station or machine that is not there, or a number is out of range.
        """
        if value_interval <= 0 or values_per_machine < 0:
            message = (
                f"virtual plant: {values_per_machine} values every {value_interval:g} s; must be 0 "
                "values or more, and an interval above 0 s"
            )
            raise SimulationError(message)
        layout = plant_layout(factory)
        hidden = draw_truth(factory, seed) if truth is None else truth
        self._journal = Journal(start_time, layout.formats)
        self._line = build_line(layout, hidden, seed, self._journal, tuple(shocks))
        self._controls = Controls(self._line)
        self._tags = plant_tags(self._line, values_per_machine)
        self._value_interval = value_interval
        self._sensors: list[Sensors] = []
        self._begin(seed, values_per_machine, hidden.sensor_noise, record_truth=record_truth)

    @classmethod
    def from_truth_file(  # noqa: PLR0913 - as the plant itself
        cls,
        factory: Factory,
        path: str | Path,
        *,
        seed: int = 1,
        shocks: Iterable[Shock] = (),
        values_per_machine: int = 2,
        value_interval: float = 1.0,
        start_time: float = START_TIME,
        record_truth: bool = False,
    ) -> Self:
        """Return a plant whose truth stands in a YAML file.

        Parameters
        ----------
        factory : Factory
            What is built.
        path : str or Path
            The file; what it leaves out is as described, or as drawn by its ``seed``.
        seed, shocks, values_per_machine, value_interval, start_time, record_truth
            As for the plant itself.

        Raises
        ------
        FactoryError
            With all problems of the file.
        """
        return cls(
            factory,
            seed=seed,
            truth=read_truth(factory, path),
            shocks=shocks,
            values_per_machine=values_per_machine,
            value_interval=value_interval,
            start_time=start_time,
            record_truth=record_truth,
        )

    def _begin(self, seed: int, n_values: int, noise: float, *, record_truth: bool) -> None:
        line, journal = self._line, self._journal
        machines = list(line.machines.values())
        journal.begin(machines, list(line.buffers.values()), record=record_truth)
        for machine in machines:
            for name, value in setting_values(machine).items():
                journal.say(f"{machine.element}/{SETTING_PREFIX}{name}", value)
        if n_values:
            for number, machine in enumerate(machines):
                sensors = Sensors(machine, n_values, noise, journal, seed)
                sensors.measure()
                self._sensors.append(sensors)
                # Machines measure one after the other, not all at the same moment.
                phase = (number + 1) / len(machines) * self._value_interval
                line.at(phase, self._measure, sensors)
        journal.take_readings()

    def _measure(self, sensors: Sensors, _: int) -> None:
        sensors.measure()
        self._line.at(self._line.now + self._value_interval, self._measure, sensors)

    @property
    def now(self) -> float:
        """Clock of the plant, in seconds since 1970 in UTC."""
        return self._journal.time

    @property
    def elapsed(self) -> float:
        """Plant time since the start, in seconds."""
        return self._line.now

    def tags(self) -> tuple[Tag, ...]:
        """Return all tags, described."""
        return self._tags

    def advance(self, seconds: float) -> list[Reading]:
        """Let time go on; return what changed, in the order of time.

        Parameters
        ----------
        seconds : float
            Plant time, 0 or more. [s]
        """
        if seconds < 0:
            message = f"virtual plant: advance by {seconds:g} s; must be 0 s or more"
            raise SimulationError(message)
        self._line.run(self._line.now + seconds)
        return self._journal.take_readings()

    def snapshot(self) -> list[Reading]:
        """Return the newest reading of every tag, in the order of the tags."""
        latest = self._journal.latest
        return [latest[tag.name] for tag in self._tags]

    def write(self, write: TagWrite) -> str:
        """Carry out a write now; return the reason why not, or an empty text.

        Parameters
        ----------
        write : TagWrite
            Tag and value.
        """
        return self._controls.write(write.tag, write.value)

    def true_state(self) -> TrueState:
        """Return what really happened; for evaluators only."""
        return true_state(self._line)
