"""ISO 22400-2: the time elements of a work unit, its quantities, and its KPIs.

Formulas follow ISO 22400-2:2014 as public sources give them (the ontology
``hsu-aut/IndustrialStandard-ODP-ISO22400-2``; OPC 40001-1 Annex C; OPC 40501-1 Annex C.2.3), not a
reading of the standard itself. The ``+ 1`` in mean time to failure and to restoration is the least
certain. All times are seconds, all ratios 0 to 1 (effectiveness may exceed 1), and a ratio with
denominator 0 is NaN.
"""

import math
from dataclasses import dataclass, fields
from enum import StrEnum


class TimeElement(StrEnum):
    """A part of planned operation time; every second of a work unit belongs to one of them."""

    ACTUAL_PRODUCTION_TIME = "actual_production_time"
    ACTUAL_UNIT_SETUP_TIME = "actual_unit_setup_time"
    ACTUAL_UNIT_DELAY_TIME = "actual_unit_delay_time"
    ACTUAL_UNIT_DOWN_TIME = "actual_unit_down_time"
    PLANNED_DOWN_TIME = "planned_down_time"


def _check_not_negative(instance: "TimeElements | Quantities") -> None:
    for field in fields(instance):
        value = getattr(instance, field.name)
        if value < 0:
            message = (
                f"{type(instance).__name__} {field.name}: {value:g}; must be 0 or more;"
                " check the log or the tally it was computed from."
            )
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class TimeElements:
    """Time elements of one work unit, or their sums over several.

    The elements given are the smallest parts; the longer ones are their sums, so that
    APT <= AUPT <= AUBT <= PBT <= POT always holds.
    """

    actual_production_time: float
    """Time in which it executes cycles (APT). [s]"""
    actual_unit_setup_time: float = 0.0
    """Time of changeovers (AUST). [s]"""
    actual_unit_delay_time: float = 0.0
    """Time it stands with an order: failed, starved, blocked, waiting for a crew (ADET). [s]"""
    actual_unit_down_time: float = 0.0
    """Time it is free and planned busy, but has no order (ADOT). [s]"""
    planned_down_time: float = 0.0
    """Planned maintenance and other planned stops. [s]"""
    actual_order_execution_time: float = math.nan
    """Time from start to end of its orders (AOET); NaN where orders are not followed. [s]"""

    def __post_init__(self) -> None:
        """Refuse negative times."""
        _check_not_negative(self)

    @property
    def actual_unit_processing_time(self) -> float:
        """Production and set-up (AUPT) [s]."""
        return self.actual_production_time + self.actual_unit_setup_time

    @property
    def actual_unit_busy_time(self) -> float:
        """Time with an order (AUBT) [s]."""
        return self.actual_unit_processing_time + self.actual_unit_delay_time

    @property
    def planned_busy_time(self) -> float:
        """Time planned for work (PBT) [s]."""
        return self.actual_unit_busy_time + self.actual_unit_down_time

    @property
    def planned_operation_time(self) -> float:
        """Time in which the unit may be used (POT) [s]."""
        return self.planned_busy_time + self.planned_down_time


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """What one work unit made; good, scrap and rework add up to what it produced."""

    good_quantity: float
    """Items that meet the requirements (GQ)."""
    scrap_quantity: float = 0.0
    """Items that are scrap (SQ)."""
    rework_quantity: float = 0.0
    """Items that still have to be reworked (RQ)."""

    def __post_init__(self) -> None:
        """Refuse negative quantities."""
        _check_not_negative(self)

    @property
    def produced_quantity(self) -> float:
        """Items produced (PQ)."""
        return self.good_quantity + self.scrap_quantity + self.rework_quantity


def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient, NaN where the denominator is 0."""
    return numerator / denominator if denominator else math.nan


def kpis(
    times: TimeElements, quantities: Quantities, planned_run_time_per_item: float
) -> dict[str, float]:
    """Return the KPIs of one work unit that follow from times and quantities.

    Parameters
    ----------
    times : TimeElements
        Its time elements. [s]
    quantities : Quantities
        What it made in that time. [items]
    planned_run_time_per_item : float
        Design cycle time (PRI); for several formats the mean, weighted by the quantities
        produced. [s]

    Returns
    -------
    dict of str to float
        KPI name to value; ``throughput_rate`` in items per second, all others ratios. [1/s, -]

    Notes
    -----
    OEE = availability x effectiveness x quality ratio is computed as PRI GQ / PBT, which is the
    same product after cancelling and is 0, not undefined, for a unit that made nothing.
    """
    production = times.actual_production_time
    busy = times.actual_unit_busy_time
    processing = times.actual_unit_processing_time
    order_execution = times.actual_order_execution_time
    produced = quantities.produced_quantity
    good_time = planned_run_time_per_item * quantities.good_quantity
    return {
        "allocation_ratio": ratio(busy, order_execution),
        "throughput_rate": ratio(produced, order_execution),
        "allocation_efficiency": ratio(busy, times.planned_busy_time),
        "utilization_efficiency": ratio(production, busy),
        "oee_index": ratio(good_time, times.planned_busy_time),
        "nee_index": ratio(processing, times.planned_busy_time) * ratio(good_time, production),
        "availability": ratio(production, times.planned_busy_time),
        "effectiveness": ratio(planned_run_time_per_item * produced, production),
        "quality_ratio": ratio(quantities.good_quantity, produced),
        "setup_ratio": ratio(times.actual_unit_setup_time, processing),
        "technical_efficiency": ratio(production, production + times.actual_unit_delay_time),
        "production_process_ratio": ratio(production, order_execution),
        "scrap_ratio": ratio(quantities.scrap_quantity, produced),
        "rework_ratio": ratio(quantities.rework_quantity, produced),
    }


def first_pass_yield(good_parts: float, inspected_parts: float) -> float:
    """Return good parts at the first pass over inspected parts (GP / IP)."""
    return ratio(good_parts, inspected_parts)


def fall_off_ratio(scrap_so_far: float, produced_by_first_operation: float) -> float:
    """Return the scrap of all operations so far over what the first operation produced."""
    return ratio(scrap_so_far, produced_by_first_operation)


def comprehensive_energy_consumption(energy: float, produced_quantity: float) -> float:
    """Return all energy of the production cycle over the quantity produced [J/item]."""
    return ratio(energy, produced_quantity)


def inventory_turns(throughput: float, average_inventory: float) -> float:
    """Return throughput over average inventory, in the time unit of the throughput."""
    return ratio(throughput, average_inventory)


def mean_time_to_failure(operating_time: float, failure_events: int) -> float:
    """Return MTTF = operating time / (failure events + 1), biased low for few failures [s]."""
    return operating_time / (failure_events + 1)


def mean_time_to_restoration(restoration_time: float, failure_events: int) -> float:
    """Return MTTR = restoration time / (failure events + 1), biased low for few failures [s]."""
    return restoration_time / (failure_events + 1)


def corrective_maintenance_ratio(
    corrective_maintenance_time: float, preventive_maintenance_time: float
) -> float:
    """Return corrective over all maintenance time (CMT / (CMT + PMT))."""
    return ratio(
        corrective_maintenance_time, corrective_maintenance_time + preventive_maintenance_time
    )


def machine_capability(lower: float, upper: float, standard_deviation: float) -> float:
    """Return Cm (Cp with the estimated process deviation) = tolerance width / 6 deviations."""
    return ratio(upper - lower, 6.0 * standard_deviation)


def critical_machine_capability(
    lower: float, upper: float, mean: float, standard_deviation: float
) -> float:
    """Return Cmk (Cpk) = distance of the mean to the nearer limit / 3 deviations."""
    return ratio(min(upper - mean, mean - lower), 3.0 * standard_deviation)


__all__ = [
    "Quantities",
    "TimeElement",
    "TimeElements",
    "comprehensive_energy_consumption",
    "corrective_maintenance_ratio",
    "critical_machine_capability",
    "fall_off_ratio",
    "first_pass_yield",
    "inventory_turns",
    "kpis",
    "machine_capability",
    "mean_time_to_failure",
    "mean_time_to_restoration",
    "ratio",
]
