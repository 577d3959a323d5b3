"""How the watch is set, and how the false alarms are shared out."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from gigatwin.errors import StudyError
from gigatwin.twin.watch.level_signal import Learning
from gigatwin.twin.watch.plant_model import PlantModel

ReferenceKind = Literal["plant", "model"]
"""Whether cycle times are judged by the plant's own first values, or by the law of the model."""
WEEK = 7 * 86_400.0
"""Default wanted mean time between two false alarms over everything. [s]"""
_LEAST_VALUES = 100


@dataclass(frozen=True)
class Settings:
    """What a person chooses about the watch."""

    wanted_interval: float = WEEK
    """Wanted mean time between two false alarms over all stations and signals. [s]"""
    reference: ReferenceKind = "plant"
    """What cycle times are judged by. Rates and lengths of stops are too rare to be learned first,
    and are judged by the model where it has them, until they change."""
    n_reference: int = 500
    """Cycles that a law is learned from; it is wide if 5 % are less than one standard deviation,
    and is then learned from four times as many, from which smaller changes show."""
    negligible: float = 0.01
    """Relative difference between the plant's first cycles and the model that is not reported."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        checks = [
            (
                self.wanted_interval > 0 and math.isfinite(self.wanted_interval),
                "wanted interval",
                f"{self.wanted_interval:g} s",
                "above 0 s",
            ),
            (
                self.reference in get_args(ReferenceKind),
                "reference",
                self.reference,
                " or ".join(get_args(ReferenceKind)),
            ),
            (
                self.n_reference >= _LEAST_VALUES,
                "reference cycles",
                self.n_reference,
                f"{_LEAST_VALUES} or more",
            ),
            (0 <= self.negligible < 1, "negligible", self.negligible, "from 0 to 1"),
        ]
        for holds, name, found, required in checks:
            if not holds:
                message = f"watch, {name}: {found}; must be {required}."
                raise StudyError(message)

    @property
    def cycles(self) -> Learning:
        """How the law of cycle times is learned."""
        return Learning(self.n_reference, 4 * self.n_reference)

    @property
    def repairs(self) -> Learning:
        """How the law of the lengths of a stop is learned."""
        return Learning(_LEAST_VALUES, _LEAST_VALUES)


def n_charts(model: PlantModel) -> int:
    """Return how many charts share the wanted rate of false alarms.

    Each machine has one for its cycles (of all formats: it makes one at a time), one for scrap and
    one for each random stop; a station with several machines has as many again for all of them
    together; and each stop of a station has one for its length.
    """
    total = 0
    for station in model.stations.values():
        n = len(station.machines)
        total += (2 + len(station.stops)) * (n + (n > 1)) + len(station.stops)
    return total
