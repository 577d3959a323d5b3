"""Old is what is older than usual; frozen is what repeats itself more than it ever did."""

import random

import pytest

from gigatwin.telemetry import Batch, Intake, Quality, Quantity, Reading, TagMapping, TagMeaning
from gigatwin.telemetry.staleness import Repeats, Rhythm

T0 = 1_800_000_000.0
TAGS = {
    "m/force": TagMeaning(element="m", quantity=Quantity.VALUE, which="force"),
    "m/state": TagMeaning(element="m", quantity=Quantity.STATE),
    "b/level": TagMeaning(element="b", quantity=Quantity.LEVEL),
}


def intake_after(seconds, **settings):
    """Return an intake that has had a sensor once a second, and a state now and then."""
    intake = Intake(TagMapping(source="test", tags=TAGS), **settings)
    dice = random.Random(1)  # noqa: S311 - no secrets
    for k in range(seconds):
        readings = [Reading("m/force", dice.gauss(5.0, 0.1), T0 + k)]
        if k in {0, 3, 50}:
            readings += [Reading("m/state", 6 - k % 2, T0 + k), Reading("b/level", k, T0 + k)]
        intake.take(Batch(tuple(readings), received=T0 + k))
    return intake


def judged(intake, now):
    return {age.tag: age for age in intake.ages(T0 + now)}


def test_nothing_is_stale_while_the_sensor_comes():
    ages = judged(intake_after(300), 301.0)
    assert not any(age.is_stale for age in ages.values())
    assert ages["m/force"].age == 2.0
    assert ages["m/force"].expected == pytest.approx(1.0)
    assert ages["m/state"].expected is None
    assert ages["m/state"].age == 251.0
    assert all(age.is_believable for age in ages.values())


def test_regular_tag_is_stale_after_several_of_its_intervals_and_its_element_with_it():
    ages = judged(intake_after(300), 310.0)
    assert ages["m/force"].is_stale
    assert ages["m/state"].is_stale
    assert not ages["m/force"].is_believable


def test_silent_tag_of_a_lively_source_is_not_stale():
    assert not judged(intake_after(300), 300.0)["b/level"].is_stale
    assert judged(intake_after(300), 400.0)["b/level"].is_stale


def test_tag_that_never_came_is_stale():
    intake = Intake(TagMapping(source="test", tags=TAGS))
    (first, *_) = intake.ages()
    assert first.age == float("inf")
    assert first.is_stale
    assert first.quality is Quality.BAD


def test_counter_that_seemed_regular_is_not_stale_when_its_machine_waits():
    tags = TAGS | {"m/count": TagMeaning(element="m", quantity=Quantity.PROCESSED)}
    intake = Intake(TagMapping(source="test", tags=tags))
    for k in range(300):
        readings = [Reading("m/force", k % 7 + 0.5, T0 + k)]
        readings += [Reading("m/count", k, T0 + k)] if k < 100 else []
        intake.take(Batch(tuple(readings), received=T0 + k))
    assert judged(intake, 300.0)["m/count"].is_believable


def test_given_age_replaces_what_was_learned():
    intake = intake_after(300, stale_after=100.0)
    assert not judged(intake, 310.0)["m/force"].is_stale
    assert judged(intake, 310.0)["m/state"].is_stale


def test_noisy_sensor_that_repeats_itself_is_frozen():
    intake = intake_after(300)
    for k in range(300, 340):
        assert not judged(intake, k)["m/force"].is_frozen or k > 315
        intake.take(Batch((Reading("m/force", 5.0, T0 + k),), received=T0 + k))
    assert judged(intake, 340)["m/force"].is_frozen
    intake.take(Batch((Reading("m/force", 5.1, T0 + 340),), received=T0 + 340))
    assert not judged(intake, 341)["m/force"].is_frozen


def test_sensor_of_a_standing_machine_may_repeat_itself():
    intake = intake_after(300)
    intake.take(Batch((Reading("m/state", 9, T0 + 300),), received=T0 + 300))
    for k in range(301, 400):
        intake.take(Batch((Reading("m/force", 0.0, T0 + k),), received=T0 + k))
    assert not judged(intake, 400)["m/force"].is_frozen


def test_tag_that_seldom_changes_is_never_frozen():
    repeats = Repeats()
    for k in range(1000):
        repeats.see(float(k // 100))
    assert not repeats.is_frozen


def test_false_alarms_are_rare_for_a_sensor_of_few_digits():
    # A value rounded so that one of three readings repeats the one before: 10 000 hours of seconds
    # would be needed for 20 in a row.
    dice = random.Random(7)  # noqa: S311 - no secrets
    repeats = Repeats()
    for _ in range(50_000):
        repeats.see(round(dice.gauss(0.0, 1.0)))
        assert not repeats.is_frozen


def test_rhythm_forgets_a_long_silence():
    rhythm = Rhythm()
    times = [*range(100), *range(400, 4000)]
    for time in times:
        rhythm.see(float(time))
    assert rhythm.longest < 60.0
    assert rhythm.mean == pytest.approx(1.0)
