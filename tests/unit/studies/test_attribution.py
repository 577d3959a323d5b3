"""From the line to the axis: the chain rule agrees with changing the setting itself."""

import pytest

from gigatwin.equipment.model.reading import load_machine
from gigatwin.errors import StudyError
from gigatwin.factory.reading import load
from gigatwin.studies.attribution import attribute, axes_of_settings
from gigatwin.studies.comparison import compare


def test_settings_know_their_axis():
    axes = axes_of_settings(load_machine("winder").machine)
    assert axes == {"v": "web", "a": "web", "j": "web", "ai": "turret"}


def test_line_without_machines_is_refused():
    with pytest.raises(StudyError, match="no station names a machine description"):
        attribute(load("serial-10"))


@pytest.mark.compiled
def test_chain_rule_predicts_the_effect_of_the_strongest_setting():
    factory = load("equipment-46")
    found = attribute(factory, days=1.0, replications=6)
    assert found.stations[0].station == "grooving"
    assert found.stations[0].low < found.stations[0].elasticity < found.stations[0].high
    first = found.settings[0]
    assert (first.station, first.setting) == ("grooving", "n")
    # The spindle 2 % faster, simulated: within the interval of the prediction and its curvature.
    faster = {"faster": {"grooving.settings.n": f"{1100 * 1.02} rpm"}}
    row = compare(factory, faster, days=1.0, replications=6).row("faster", "throughput_rate")
    assert row["relative_difference"] / 0.02 == pytest.approx(first.elasticity, rel=0.1)


@pytest.mark.compiled
def test_station_that_waits_gives_nothing():
    found = attribute(load("equipment-46"), days=0.5, replications=4)
    shares = {share.station: share.elasticity for share in found.stations}
    assert abs(shares["crimping"]) < 0.02
