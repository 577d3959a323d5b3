"""What speed and settings do to times, defects and stops: curves that the model does not have.

Defects and stops have a soft knee in speed, a band in which the machine vibrates, and settings
whose best value moves with the speed; the model knows powers of the speed only. All three are 1 at
the speed and settings of the start.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gigatwin.plant.layout import StationLayout
from gigatwin.plant.truth import SpeedTruth, StationTruth

_FAR = 30.0
"""Distance in widths from which on the soft knee is a straight line."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Factors of one machine at one speed and its settings."""

    time: float
    """On the described time at speed 1."""
    defects: float
    """On probabilities of scrap and defects."""
    stops: float
    """On the rates of stops."""


class Response:
    """How a station's machines answer to speed and settings."""

    def __init__(self, station: StationLayout, truth: StationTruth) -> None:
        """Remember where the curves are 1.

        Parameters
        ----------
        station : StationLayout
            The station.
        truth : StationTruth
            Its truth.
        """
        self._station = station
        self._truth = truth
        initial = {name: setting.initial for name, setting in truth.settings.items()}
        self._start = self._losses(station.speed, initial)

    def effects(
        self, speed: float, settings: Mapping[str, float], changed: Mapping[str, float], fmt: str
    ) -> Effects:
        """Return the effects of a speed and settings.

        Parameters
        ----------
        speed : float
            Speed factor. [-]
        settings : mapping
            Settings that only the truth knows, by name. [unit]
        changed : mapping
            Settings of the described machine that were changed. [unit]
        fmt : str
            Format in work.

        Raises
        ------
        EquipmentError
            If the described machine cannot work with these settings.
        """
        ratio = 1.0
        if changed and self._station.time_ratio is not None:
            ratio = self._station.time_ratio(changed, fmt)
            ratio **= 1.0 + self._truth.cycle.discrepancy
        wait = self._truth.cycle.hidden_wait
        # A machine that moves faster is as if it ran at a higher speed.
        defects, stops = self._losses(speed / ratio, settings)
        return Effects(
            time=wait + (1.0 - wait) * ratio / speed,
            defects=defects / self._start[0],
            stops=stops / self._start[1],
        )

    def _losses(self, speed: float, settings: Mapping[str, float]) -> tuple[float, float]:
        truth = self._truth.speed
        knee = _knee(truth, speed)
        distance = (speed - truth.band_centre) / truth.band_width
        band = math.exp(-0.5 * min(distance * distance, 2.0 * _FAR))
        defects = (1.0 + truth.knee_defects * knee) * (1.0 + truth.band_defects * band)
        stops = (1.0 + truth.knee_stops * knee) * (1.0 + truth.band_stops * band)
        for name, setting in self._truth.settings.items():
            best = setting.best + setting.best_per_speed * (speed - 1.0)
            off = (settings[name] - best) / setting.width
            defects *= 1.0 + setting.defects * off * off
            stops *= 1.0 + setting.stops * off * off
        return defects, stops


def _knee(truth: SpeedTruth, speed: float) -> float:
    x = (speed - truth.knee) / truth.knee_width
    return x if x > _FAR else math.log1p(math.exp(x))
