"""Truths drawn at random, and the one that is as near to the description as the plant can be.

The ranges are assumptions, chosen after the reference parameters of a 46-series line and the
ramp-up experiment: a few per cent in times, tens of per cent in stops and scrap, knees and bands a
little above the nominal speed, where somebody who wants more output will look.
"""

import math
import random
from typing import Any

from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Duration
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import Station, StorageStation
from gigatwin.factory.stops import Stop
from gigatwin.plant.truth.described_times import cv_of, family_of
from gigatwin.plant.truth.values import (
    CycleTruth,
    SettingTruth,
    SpeedTruth,
    StationTruth,
    StopTruth,
    Truth,
)

_HEAVY_TAIL = 0.6
"""Coefficient of variation from which on times are log-logistic."""
_LARGEST_CV = 3.0
POWER = SettingTruth(
    initial=100.0, low=80.0, high=120.0, unit="%", best=100.0, best_per_speed=0.0, width=10.0
)
"""The setting that every station has beside its speed."""


def plain_truth(factory: Factory) -> Truth:
    """Return a truth without hidden effects, as near to the description as the plant's laws come.

    Exponential, uniform and lognormal laws and constants are met exactly, other laws by mean and
    coefficient of variation.
    """
    stations = {}
    for name, station in with_cycle_models(factory).stations.items():
        law = _law(station)
        stations[name] = StationTruth(
            cycle=CycleTruth(family=family_of(law), cv=cv_of(law)),
            settings=_settings(station, POWER),
            stops={key: _plain_stop(stop) for key, stop in _stops(station).items()},
        )
    return Truth(stations)


def draw_truth(factory: Factory, seed: int) -> Truth:
    """Return a truth drawn at random for a factory.

    Parameters
    ----------
    factory : Factory
        The description that the truth differs from.
    seed : int
        Chooses it; a station keeps its truth when others are added.
    """
    stations = {}
    for name, station in with_cycle_models(factory).stations.items():
        dice = random.Random(f"truth/{seed}/{name}")  # noqa: S311 - no secret
        stations[name] = _draw_station(station, dice)
    return Truth(stations, sensor_noise=0.004)


def _law(station: Station) -> Duration:
    """Return the law of a station's cycle; where formats differ, that of the first."""
    given: Any = 0.0 if isinstance(station, StorageStation) else getattr(station, "time", None)
    if isinstance(given, ByFormat):
        given = next(iter(given.by_format.values()))
    law: Duration = 0.0 if given is None else given
    return law


def _stops(station: Station) -> dict[str, Stop]:
    return {} if isinstance(station, StorageStation) else station.stops


def _settings(station: Station, power: SettingTruth) -> dict[str, SettingTruth]:
    return {} if isinstance(station, StorageStation) else {"power": power}


def _plain_stop(stop: Stop) -> StopTruth:
    return StopTruth(duration_family=family_of(stop.duration), duration_cv=cv_of(stop.duration))


def _draw_station(station: Station, dice: random.Random) -> StationTruth:
    cycle = _draw_cycle(cv_of(_law(station)), dice)
    speed = SpeedTruth(
        knee=dice.uniform(1.02, 1.15),
        knee_width=dice.uniform(0.03, 0.06),
        knee_defects=dice.uniform(0.6, 2.5),
        knee_stops=dice.uniform(0.3, 1.2),
        band_centre=dice.uniform(1.04, 1.25),
        band_width=dice.uniform(0.01, 0.03),
        band_defects=dice.uniform(0.5, 3.0),
        band_stops=dice.uniform(0.3, 1.5),
    )
    power = SettingTruth(
        initial=POWER.initial,
        low=POWER.low,
        high=POWER.high,
        unit=POWER.unit,
        best=dice.uniform(95.0, 106.0),
        best_per_speed=dice.uniform(20.0, 60.0),
        width=POWER.width,
        defects=dice.uniform(0.5, 2.0),
        stops=dice.uniform(0.2, 0.8),
    )
    return StationTruth(
        cycle=cycle,
        speed=speed,
        settings=_settings(station, power),
        stops={key: _draw_stop(stop, dice) for key, stop in _stops(station).items()},
        scrap_factor=math.exp(dice.gauss(0.1, 0.2)),
        defects_factor=math.exp(dice.gauss(0.1, 0.2)),
        false_rejects=dice.uniform(0.0002, 0.001),
        missed_rejects=dice.uniform(0.01, 0.05),
        transfer_factor=math.exp(dice.gauss(0.0, 0.02)),
        changeover_factor=math.exp(dice.gauss(0.05, 0.1)),
        acting_time=dice.uniform(1.0, 2.0),
        early_stops=dice.uniform(0.0, 0.4),
        early_hours=dice.uniform(20.0, 200.0),
    )


def _draw_cycle(described_cv: float, dice: random.Random) -> CycleTruth:
    # Even a machine described by a constant rate varies a little.
    cv = described_cv * dice.uniform(0.85, 1.2) if described_cv > 0 else dice.uniform(0.01, 0.03)
    slow_factor = dice.uniform(1.1, 1.4)
    return CycleTruth(
        mean_factor=min(1.12, max(0.93, math.exp(dice.gauss(0.02, 0.03)))),
        family="log_logistic" if cv > _HEAVY_TAIL else "shifted_lognormal",
        cv=min(cv, _LARGEST_CV),
        floor=dice.uniform(0.2, 0.6) if cv < _HEAVY_TAIL / 2 else 0.0,
        # Slow cycles make at most a third of the variance.
        slow_share=min(0.01, (cv / (slow_factor - 1.0)) ** 2 / 3.0),
        slow_factor=slow_factor,
        correlation=dice.uniform(0.1, 0.6),
        hidden_wait=dice.uniform(0.02, 0.12),
        wear_per_hour=dice.uniform(0.0, 4e-4),
        wear_limit=dice.uniform(0.02, 0.06),
        night_factor=dice.uniform(1.0, 1.05),
        discrepancy=dice.gauss(0.0, 0.12),
    )


def _draw_stop(stop: Stop, dice: random.Random) -> StopTruth:
    cv = cv_of(stop.duration)
    return StopTruth(
        interval_factor=math.exp(dice.gauss(0.0, 0.15)),
        shape=dice.uniform(0.6, 0.95),
        duration_factor=math.exp(dice.gauss(0.0, 0.12)),
        duration_family="log_logistic",
        duration_cv=min(cv * dice.uniform(0.85, 1.2) if cv > 0 else 0.15, _LARGEST_CV),
    )
