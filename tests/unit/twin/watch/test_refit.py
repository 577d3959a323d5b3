"""What a finding would change in the factory."""

import numpy as np
import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.durations import mean_of
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.twin.watch.plant_model import PlantModel
from gigatwin.twin.watch.refit import (
    propose,
    repair_changes,
    scrap_changes,
    stop_changes,
    time_changes,
)
from tests.unit.twin.watch.watched_rows import press

MEAN = Estimate(value=6.3, low=6.2, high=6.4, unit="s", n=50, method="mean")


def changed(factory, changes):
    """Return the station with the changes, which the factory has to accept."""
    return with_changes(factory, changes).stations["press"]


def model_and_station(factory):
    model = PlantModel.of(factory)
    return model, model.stations["press"]


@pytest.mark.parametrize(
    "time",
    [
        "6 s",
        {"distribution": "gamma", "mean": "6 s", "cv": 0.1},
        {"distribution": "exponential", "mean": "6 s"},
        {"distribution": "uniform", "low": "5 s", "high": "7 s"},
        {"distribution": "triangular", "low": "4 s", "mode": "6 s", "high": "8 s"},
        {"samples": ["5 s", "6 s", "7 s"]},
        {"quantiles": ["5 s", "6 s", "7 s"]},
    ],
)
def test_a_law_of_any_kind_gets_the_new_mean(time):
    factory = press(time=time)
    changes = time_changes(*model_and_station(factory), "item", 1.05, None)
    assert mean_of(changed(factory, changes).time) == pytest.approx(6.3, rel=1e-4)


def test_the_spread_changes_only_where_it_is_said_to():
    factory = press(time={"distribution": "gamma", "mean": "6 s", "cv": 0.1})
    model, station = model_and_station(factory)
    assert changed(factory, time_changes(model, station, "item", 1.05, None)).time.cv == 0.1
    assert changed(factory, time_changes(model, station, "item", 1.05, 0.2)).time.cv == 0.2


def test_a_rate_becomes_slower_as_the_time_becomes_longer():
    factory = press(rate="10 ppm")
    changes = time_changes(*model_and_station(factory), "item", 1.25, None)
    assert changed(factory, changes).rate == pytest.approx(8 / 60)


def test_the_rate_of_a_web_becomes_slower_too():
    factory = press(kind="web", rate="30 m/min", output={"content": "600 m"})
    changes = time_changes(*model_and_station(factory), "item", 1.2, None)
    assert changed(factory, changes).rate == pytest.approx(25 / 60)


def test_only_the_format_that_moved_changes():
    law = {"by_format": {"a": "6 s", "b": "9 s"}}
    factory = Factory.model_validate(
        {"name": "shop", "formats": {"a": {}, "b": {}}, "stations": {"press": {"time": law}}}
    )
    changes = time_changes(*model_and_station(factory), "b", 1.1, None)
    assert changed(factory, changes).time.by_format == pytest.approx({"a": 6.0, "b": 9.9})


def test_a_machine_that_is_described_changes_its_speed():
    factory = Factory.model_validate(
        {
            "name": "shop",
            "formats": {"4680": {}},
            "stations": {"press": {"cycle": "winder", "speed": 1.05}},
        }
    )
    changes = time_changes(*model_and_station(factory), "4680", 1.05, None)
    assert changes == {"press.speed": 1.0}
    assert changed(factory, changes).cycle == "winder"


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("20 min", 600.0),
        ({"distribution": "exponential", "mean": "20 min"}, 600.0),
        ({"distribution": "gamma", "mean": "20 min", "cv": 0.5}, 600.0),
    ],
)
def test_a_stop_gets_the_interval_of_the_new_rate(every, expected):
    factory = press(stops={"jam": {"kind": "micro_stop", "every": every, "duration": "40 s"}})
    model, station = model_and_station(factory)
    assert station.stops["jam"].rate == pytest.approx(1 / 1200)
    changes = stop_changes(model, station, "jam", 1 / 600)
    assert mean_of(changed(factory, changes).stops["jam"].every) == pytest.approx(expected)


def test_the_effect_of_the_speed_on_stops_and_scrap_is_taken_out():
    jam = {"kind": "micro_stop", "every": "20 min", "duration": "40 s"}
    effects = {"micro_stop": 2.0, "defect": 2.0}
    factory = press(stops={"jam": jam}, speed=2.0, speed_effects=effects, scrap=0.01)
    model, station = model_and_station(factory)
    assert station.stops["jam"].rate == pytest.approx(4 / 1200)
    assert station.scrap("item") == pytest.approx(0.04)
    assert station.mean_time("item") == pytest.approx(3.0)
    changes = stop_changes(model, station, "jam", 8 / 1200) | scrap_changes(
        model, station, "item", 0.08
    )
    found = changed(factory, changes)
    assert found.stops["jam"].every == pytest.approx(600.0)
    assert found.scrap == pytest.approx(0.02)


def test_a_stop_by_items_gets_another_number_of_items():
    jam = {"kind": "micro_stop", "every": "500 items", "is_random": True, "duration": "40 s"}
    factory = press(stops={"jam": jam})
    model, station = model_and_station(factory)
    changes = stop_changes(model, station, "jam", 1 / 250)
    assert changed(factory, changes).stops["jam"].every.value == 250


def test_a_stop_on_a_timetable_is_not_watched():
    factory = press(
        stops={
            "cleaning": {"kind": "planned", "every": "8 h", "duration": "10 min"},
            "knife": {"kind": "planned", "every": "5000 items", "duration": "10 min"},
        }
    )
    assert PlantModel.of(factory).stations["press"].stops == {}


def test_the_length_of_a_stop_gets_the_new_mean():
    jam = {
        "kind": "micro_stop",
        "every": "20 min",
        "duration": {"distribution": "lognormal", "mean": "40 s", "cv": 0.8},
    }
    factory = press(stops={"jam": jam})
    changes = repair_changes(*model_and_station(factory), "jam", 60.0)
    law = changed(factory, changes).stops["jam"].duration
    assert (law.mean, law.cv) == (60.0, 0.8)


def test_a_stop_of_a_described_machine_is_written_out():
    factory = Factory.model_validate(
        {"name": "shop", "formats": {"4680": {}}, "stations": {"press": {"cycle": "winder"}}}
    )
    model, station = model_and_station(factory)
    name, known = next(iter(station.stops.items()))
    for changes in (
        stop_changes(model, station, name, 2 * known.rate),
        repair_changes(model, station, name, 77.0),
    ):
        found = PlantModel.of(with_changes(factory, changes)).stations["press"].stops[name]
        rate, mean = found.rate, mean_of(found.stop.duration)
        is_rate = rate == pytest.approx(2 * known.rate, rel=1e-3)
        assert is_rate != (mean == pytest.approx(77.0))


def test_what_the_factory_refuses_is_not_proposed():
    model, _ = model_and_station(press())
    found = propose(model, {"press.scrap": 1.5}, {"press.scrap": MEAN}, "It broke.", 3.0)
    assert found.changes == {}
    assert "The model cannot take it" in found.text
    with pytest.raises(FactoryError):
        with_changes(model.factory, {"press.scrap": 1.5})


def test_the_share_of_scrap_at_an_inspection_is_not_known_from_the_model():
    factory = Factory.model_validate(
        {
            "name": "shop",
            "stations": {
                "press": {"time": "6 s", "defects": {"crack": 0.1}},
                "look": {"kind": "inspection", "time": "6 s"},
            },
        }
    )
    assert PlantModel.of(factory).stations["look"].scrap("item") is None


def test_values_are_small_enough_to_read():
    factory = press(time={"samples": [float(f"{x:.3g}") for x in np.linspace(5, 7, 9)]})
    changes = time_changes(*model_and_station(factory), "item", 1.0123456, None)
    assert all(len(value) < 11 for value in changes["press.time"]["samples"])
