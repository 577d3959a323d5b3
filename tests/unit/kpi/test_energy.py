import math
from types import SimpleNamespace

import pytest

from gigatwin.kpi.energy import (
    EnergyUse,
    constant_energy,
    energy_per_good_item,
    energy_per_product_energy,
    machine_energy,
)

KILOWATT_HOUR = 3.6e6
RATES = SimpleNamespace(
    executing=5000.0,
    standby=1000.0,
    per_item=200.0,
    per_metre=10.0,
    heat_executing=3000.0,
    heat_standby=500.0,
)


def test_machine_energy_is_power_by_time_and_energy_by_amount():
    use = machine_energy(RATES, executing_time=3600.0, standby_time=1800.0, items=50, metres=30.0)
    # 5 kWh executing, 0.5 kWh standing by, 10 kJ for items, 300 J for metres.
    assert use.electricity == 5.5 * KILOWATT_HOUR + 10_000.0 + 300.0
    # 3 kWh and 0.25 kWh.
    assert use.heat == 3.25 * KILOWATT_HOUR
    assert use.total == use.electricity + use.heat


def test_machine_that_stands_by_draws_standby_power_only():
    use = machine_energy(RATES, executing_time=0.0, standby_time=10.0)
    assert use == EnergyUse(electricity=10_000.0, heat=5_000.0)


def test_constant_load_draws_its_power_all_the_time():
    assert constant_energy(2.0, 3.0, 3600.0) == EnergyUse(7200.0, 10_800.0)


def test_uses_add():
    assert sum([EnergyUse(1.0, 2.0), EnergyUse(3.0, 4.0)], EnergyUse()) == EnergyUse(4.0, 6.0)


def test_scrap_raises_the_energy_of_each_good_item():
    use = machine_energy(RATES, executing_time=0.0, standby_time=0.0, items=10)
    assert energy_per_good_item(use, 10).electricity == 200.0
    assert energy_per_good_item(use, 8).electricity == 250.0


def test_energy_over_energy_of_the_product():
    # 20 kWh for 10 cells of 0.1 kWh each: 20 kWh per kWh.
    use = EnergyUse(electricity=20.0 * KILOWATT_HOUR, heat=5.0 * KILOWATT_HOUR)
    found = energy_per_product_energy(use, 10, 0.1 * KILOWATT_HOUR)
    assert found.electricity == pytest.approx(20.0, rel=1e-12)
    assert found.heat == pytest.approx(5.0, rel=1e-12)


def test_energy_without_good_items_is_not_a_number():
    assert math.isnan(energy_per_good_item(EnergyUse(1.0, 1.0), 0).electricity)
