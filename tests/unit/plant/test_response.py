"""Faster is not free, and not in the way that the model thinks."""

import pytest

from gigatwin.plant.planning import plant_layout
from gigatwin.plant.response import Response
from gigatwin.plant.truth import CycleTruth, SettingTruth, SpeedTruth, StationTruth
from tests.unit.plant.lines import described

STATION = plant_layout(described("name: l\nstations: {a: {time: 10 s}}")).stations[0]
TRUTH = StationTruth(
    cycle=CycleTruth(hidden_wait=0.2),
    speed=SpeedTruth(
        knee=1.1, knee_width=0.05, knee_defects=1.0, knee_stops=0.5,
        band_centre=1.3, band_width=0.02, band_defects=2.0, band_stops=1.0,
    ),
    settings={
        "power": SettingTruth(
            initial=100.0, low=80.0, high=120.0, best=100.0, best_per_speed=50.0, width=10.0,
            defects=1.0, stops=0.5,
        )
    },
)  # fmt: skip


def effects(speed, power=100.0):
    return Response(STATION, TRUTH).effects(speed, {"power": power}, {}, "item")


def test_nothing_is_changed_at_the_speed_and_settings_of_the_start():
    found = effects(1.0)
    assert (found.time, found.defects, found.stops) == pytest.approx((1.0, 1.0, 1.0))


def test_part_of_the_time_does_not_follow_the_speed():
    assert effects(2.0).time == pytest.approx(0.2 + 0.8 / 2)


def test_defects_and_stops_grow_beyond_the_knee():
    slow, fast = effects(1.05), effects(1.25, power=112.5)
    assert 1.0 < slow.defects < 2.0
    assert fast.defects > 2.5
    assert fast.stops > 1.5
    assert fast.stops < fast.defects


def test_machine_vibrates_in_a_band_and_is_quieter_beyond_it():
    inside, beyond = effects(1.3, power=115.0), effects(1.36, power=118.0)
    assert beyond.defects < inside.defects
    assert beyond.stops < inside.stops


def test_best_setting_moves_with_the_speed():
    def best(speed):
        return min(range(80, 121), key=lambda power: effects(speed, float(power)).defects)

    assert (best(0.8), best(1.0), best(1.2)) == (90, 100, 110)


def test_settings_of_a_described_machine_change_its_time_and_what_goes_with_it():
    text = """
name: l
formats: {4680: {diameter: 46 mm, height: 80 mm}}
stations: {winding: {cycle: winder}}
"""
    station = plant_layout(described(text)).stations[0]
    plain = Response(station, StationTruth(speed=TRUTH.speed))
    off = Response(station, StationTruth(cycle=CycleTruth(discrepancy=0.5), speed=TRUTH.speed))
    faster = {"v": 1.6}
    first = plain.effects(1.0, {}, faster, "4680")
    assert first.time < 1.0
    assert first.defects > 1.0
    assert off.effects(1.0, {}, faster, "4680").time == pytest.approx(first.time**1.5)
