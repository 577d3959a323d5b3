"""A machine with one format and one setting, and all that is calculated from it once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np

from gigatwin.equipment.change_check import draw_factors
from gigatwin.equipment.interlocks import Meeting, overlaps_in_zones
from gigatwin.equipment.limits import LimitUse, broken, limit_uses
from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation
from gigatwin.equipment.schedule import Schedule, schedule

_MOST_TIME = 20.0
"""Time that runs of an FMU may take for what is worth knowing beside its cycle time. [s]"""
_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Evaluated:
    """What a report shows of a machine."""

    model: EquipmentModel
    product_format: str
    given: Mapping[str, float]
    """Settings that were given. [SI]"""

    @cached_property
    def settings(self) -> dict[str, float]:
        """All settings. [SI]."""
        given = {name: float(value) for name, value in self.given.items()}
        return self.model.defaults(self.product_format) | given

    @cached_property
    def changed(self) -> dict[str, float]:
        """Settings that differ from those as delivered. [SI]."""
        defaults = self.model.defaults(self.product_format)
        return {name: value for name, value in self.settings.items() if value != defaults[name]}

    @cached_property
    def _timed(self) -> tuple[Evaluation, float]:
        begin = perf_counter()
        evaluation = self.with_settings({})
        _ = evaluation.cycle_time  # runs the FMU, once
        return evaluation, perf_counter() - begin

    @property
    def evaluation(self) -> Evaluation:
        """What the machine does."""
        return self._timed[0]

    def with_settings(self, change: Mapping[str, float]) -> Evaluation:
        """Return what the machine does with some settings changed."""
        return self.model.evaluate(self.product_format, {**self.settings, **change})

    @cached_property
    def schedule(self) -> Schedule | None:
        """When its activities begin; None for an FMU."""
        return schedule(self.evaluation) if self.model.activities else None

    @cached_property
    def uses(self) -> list[LimitUse]:
        """Its limits."""
        return limit_uses(self.evaluation)

    @cached_property
    def broken(self) -> list[LimitUse]:
        """Limits that it does not keep."""
        return broken(self.uses)

    @cached_property
    def conflicts(self) -> list[Meeting]:
        """Zone, two activities that are in it together, and for how long. [s]."""
        return overlaps_in_zones(self.evaluation)

    @cached_property
    def interval(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of what the description's own uncertainty moves; empty for an FMU."""
        if not self.model.activities:
            return {}
        drawn = self.model.evaluate(self.product_format, self.settings, draw_factors(self.model))
        found = {}
        for name in ("cycle_time", "gross_rate", "good_rate", "scrap", "availability"):
            low, high = np.quantile(np.asarray(getattr(drawn, name)), _INTERVAL)
            found[name] = (float(low), float(high))
        return found

    @property
    def run_time(self) -> float:
        """Time that one run of an FMU takes; 0 for a machine of activities. [s]."""
        return self._timed[1] if self.model.machine.fmu is not None else 0.0

    def can_afford(self, runs: int) -> bool:
        """Return whether so many evaluations are done in a reasonable time."""
        return self.run_time * runs <= _MOST_TIME


def number(value: object) -> float:
    """Return what an evaluation of one setting holds, a float or an array with one value."""
    return float(np.ravel(np.asarray(value, dtype=np.float64))[0])
