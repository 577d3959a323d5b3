"""What can go wrong, one branch for each audience.

::

    GigatwinError
    ├── FactoryError       a factory description cannot be used (also a ValueError)
    ├── EquipmentError     a machine cannot do what is asked of it (also a ValueError)
    ├── CompileError       a valid description asks for something that cannot be compiled
    ├── SimulationError    a run cannot go on
    │   └── DeadlockError  items wait for each other in a circle
    ├── TelemetryError     a log or a signal cannot be used
    ├── ConnectorError     the other side of a connection fails
    └── StudyError         a question cannot be answered
"""

from dataclasses import dataclass


class GigatwinError(Exception):
    """Any error that gigatwin raises on purpose; its text is meant for the user."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a description: where, what was found, what is required."""

    file: str
    """File name, or a word for where the description came from."""
    line: int | None
    """Line in the file, from 1."""
    element: str
    """Path of the element, for example ``stations.winding.stops.jam``."""
    field: str
    """Field of the element; empty when the element itself is wrong."""
    found: str
    """What was found there."""
    required: str
    """What must be there instead."""

    def __str__(self) -> str:
        """Return the problem in one sentence."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        name = " ".join(part for part in (self.element, self.field) if part)
        found = f" {self.found};" if self.found else ""
        return (
            f"{place} {name}:{found} {self.required}"
            if name
            else f"{place}:{found} {self.required}"
        )


class FactoryError(GigatwinError, ValueError):
    """A factory description with all its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems, in the order of the file."""
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class EquipmentError(GigatwinError, ValueError):
    """A machine that cannot do what is asked of it."""


class CompileError(GigatwinError, ValueError):
    """A valid description that asks for something that cannot be compiled."""


class SimulationError(GigatwinError, RuntimeError):
    """A run that cannot go on."""


class DeadlockError(SimulationError):
    """Items wait for each other in a circle."""


class TelemetryError(GigatwinError, ValueError):
    """A log or a signal that cannot be used."""


class ConnectorError(GigatwinError, ConnectionError):
    """The other side of a connection fails."""


class StudyError(GigatwinError, ValueError):
    """A question that cannot be answered."""
