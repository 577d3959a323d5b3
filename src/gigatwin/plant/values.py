"""Measured values of machines: noisy, slowly wandering, and higher while a machine works."""

from gigatwin.plant.appearance import Phase
from gigatwin.plant.journal import Journal
from gigatwin.plant.laws import dice, normals
from gigatwin.plant.machine import Machine
from gigatwin.telemetry.tags import VALUE_PREFIX

KINDS = (
    ("cycle_time", "s", 0.0),
    ("temperature", "degC", 42.0),
    ("vibration", "mm/s", 1.8),
    ("current", "A", 6.5),
    ("pressure", "bar", 5.6),
    ("torque", "N m", 12.0),
    ("flow", "l/min", 8.0),
    ("voltage", "V", 398.0),
)
"""Name, unit and usual value of the first measured values; the others are ``sensor_09`` on."""
_MEMORY = 0.9
_NOISE = 0.005
_AT_REST = 0.7
"""Value of a standing machine over that of a working one."""
_MOST_DIGITS = 6


def value_kind(number: int) -> tuple[str, str]:
    """Return name and unit of a machine's measured value, counted from 0."""
    if number < len(KINDS):
        return KINDS[number][:2]
    return f"sensor_{number + 1:02d}", ""


class Sensors:
    """The measured values of one machine."""

    __slots__ = ("_journal", "_levels", "_noise", "_normal", "_offsets", "_tags", "machine")

    def __init__(
        self, machine: Machine, n_values: int, noise: float, journal: Journal, seed: int
    ) -> None:
        """Begin at the usual values.

        Parameters
        ----------
        machine : Machine
            What they are measured at.
        n_values : int
            How many there are.
        noise : float
            Standard deviation over mean of a measured cycle time.
        journal : Journal
            Gets the readings.
        seed : int
            Chooses the random numbers.
        """
        self.machine = machine
        self._journal = journal
        self._normal = normals(seed, machine.name, "values")
        self._noise = noise
        self._tags = [
            f"{machine.element}/{VALUE_PREFIX}{value_kind(k)[0]}" for k in range(n_values)
        ]
        usual = (KINDS[k][2] if k < len(KINDS) else 10.0 for k in range(n_values))
        uniform = dice(seed, machine.name, "levels").uniform
        self._levels = [level * uniform(0.8, 1.2) for level in usual]
        self._offsets = [0.0] * n_values

    def measure(self) -> None:
        """Say what is measured now."""
        machine, normal, say = self.machine, self._normal, self._journal.say
        works = machine.phase is Phase.WORKING and not machine.is_halted
        share = 1.0 if works else _AT_REST
        offsets = self._offsets
        for number, tag in enumerate(self._tags):
            if number == 0:
                value = machine.last_cycle * (1.0 + self._noise * normal())
            else:
                offset = _MEMORY * offsets[number] + _NOISE * normal()
                offsets[number] = offset
                value = self._levels[number] * share * (1.0 + offset)
            say(tag, round(value, _MOST_DIGITS))
