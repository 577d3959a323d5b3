import math

import pytest

from gigatwin.standards.iso22400 import (
    Quantities,
    TimeElements,
    comprehensive_energy_consumption,
    corrective_maintenance_ratio,
    critical_machine_capability,
    fall_off_ratio,
    first_pass_yield,
    inventory_turns,
    kpis,
    machine_capability,
    mean_time_to_failure,
    mean_time_to_restoration,
)

MINUTE = 60.0
TIMES = TimeElements(
    actual_production_time=360 * MINUTE,
    actual_unit_setup_time=40 * MINUTE,
    actual_unit_delay_time=35 * MINUTE,
    actual_unit_down_time=15 * MINUTE,
    planned_down_time=30 * MINUTE,
    actual_order_execution_time=470 * MINUTE,
)
QUANTITIES = Quantities(good_quantity=25_137, scrap_quantity=513)


def test_longer_time_elements_are_sums_of_the_shorter():
    assert TIMES.actual_unit_processing_time == 400 * MINUTE
    assert TIMES.actual_unit_busy_time == 435 * MINUTE
    assert TIMES.planned_busy_time == 450 * MINUTE
    assert TIMES.planned_operation_time == 480 * MINUTE


def test_produced_quantity_is_good_and_scrap_and_rework():
    assert QUANTITIES.produced_quantity == 25_650
    assert Quantities(good_quantity=5, scrap_quantity=2, rework_quantity=3).produced_quantity == 10


# One shift of 480 minutes, worked by hand: for example OEE = 0.8 x 0.95 x 0.98.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("availability", 360 / 450),
        ("effectiveness", 0.95),
        ("quality_ratio", 0.98),
        ("oee_index", 0.7448),
        ("nee_index", 0.8275555555555556),
        ("setup_ratio", 0.1),
        ("technical_efficiency", 360 / 395),
        ("utilization_efficiency", 360 / 435),
        ("allocation_efficiency", 435 / 450),
        ("allocation_ratio", 435 / 470),
        ("production_process_ratio", 360 / 470),
        ("throughput_rate", 25_650 / 470 / 60),
        ("scrap_ratio", 0.02),
        ("rework_ratio", 0.0),
    ],
)
def test_kpis_of_the_worked_example(name, value):
    assert kpis(TIMES, QUANTITIES, 0.8)[name] == pytest.approx(value, rel=1e-12)


def test_identities_between_kpis_hold():
    found = kpis(TIMES, QUANTITIES, 0.8)
    assert found["nee_index"] / found["oee_index"] == pytest.approx(400 / 360, rel=1e-12)
    assert found["oee_index"] == pytest.approx(
        found["availability"] * found["effectiveness"] * found["quality_ratio"], rel=1e-12
    )
    assert found["availability"] == pytest.approx(
        found["allocation_efficiency"] * found["utilization_efficiency"], rel=1e-12
    )


def test_ratio_of_nothing_to_nothing_is_not_a_number():
    found = kpis(TimeElements(actual_production_time=0.0), Quantities(good_quantity=0), 0.8)
    assert all(math.isnan(value) for value in found.values())


def test_oee_of_a_unit_that_only_waited_is_zero():
    times = TimeElements(actual_production_time=0.0, actual_unit_delay_time=100.0)
    found = kpis(times, Quantities(good_quantity=0), 0.8)
    assert found["oee_index"] == 0.0
    assert found["availability"] == 0.0
    assert math.isnan(found["effectiveness"])


def test_order_kpis_without_orders_are_not_a_number():
    found = kpis(TimeElements(actual_production_time=1.0), Quantities(good_quantity=1), 1.0)
    assert math.isnan(found["throughput_rate"])
    assert found["oee_index"] == 1.0


def test_negative_time_is_refused_by_name():
    with pytest.raises(ValueError, match="TimeElements actual_unit_delay_time: -1; must be 0"):
        TimeElements(actual_production_time=1.0, actual_unit_delay_time=-1.0)


def test_negative_quantity_is_refused_by_name():
    with pytest.raises(ValueError, match="Quantities scrap_quantity: -2; must be 0"):
        Quantities(good_quantity=1.0, scrap_quantity=-2.0)


def test_capability_of_a_centred_process_is_a_sixth_of_the_tolerance():
    assert machine_capability(9.0, 15.0, 0.5) == 2.0
    assert critical_machine_capability(9.0, 15.0, 12.0, 0.5) == 2.0


def test_critical_capability_counts_the_nearer_limit():
    assert critical_machine_capability(9.0, 15.0, 13.5, 0.5) == 1.0
    assert critical_machine_capability(9.0, 15.0, 9.75, 0.5) == 0.5


def test_mean_times_count_one_failure_more():
    assert mean_time_to_failure(1000.0, 4) == 200.0
    assert mean_time_to_restoration(100.0, 4) == 20.0


def test_single_ratios():
    assert first_pass_yield(45, 50) == 0.9
    assert fall_off_ratio(5, 50) == 0.1
    assert comprehensive_energy_consumption(3.6e6, 100) == 36_000
    assert inventory_turns(1200, 100) == 12
    assert corrective_maintenance_ratio(1, 3) == 0.25
    assert math.isnan(corrective_maintenance_ratio(0, 0))
