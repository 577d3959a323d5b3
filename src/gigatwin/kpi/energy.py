"""Electricity and heat: of a machine, of a constant load, for each good item."""

from dataclasses import dataclass
from typing import Protocol

from gigatwin.standards.iso22400 import ratio


class EnergyRates(Protocol):
    """What a machine draws; the ``energy`` of a station in a factory has this form."""

    @property
    def executing(self) -> float:
        """Electric power while it processes [W]."""

    @property
    def standby(self) -> float:
        """Electric power in every other state [W]."""

    @property
    def per_item(self) -> float:
        """Electric energy for each item processed [J]."""

    @property
    def per_metre(self) -> float:
        """Electric energy for each metre processed [J]."""

    @property
    def heat_executing(self) -> float:
        """Heat while it processes [W]."""

    @property
    def heat_standby(self) -> float:
        """Heat in every other state [W]."""


@dataclass(frozen=True)
class EnergyUse:
    """Electricity and heat, in joules, or in joules per something."""

    electricity: float = 0.0
    """Electric energy. [J]"""
    heat: float = 0.0
    """Heat (gas, steam). [J]"""

    @property
    def total(self) -> float:
        """Both together [J]."""
        return self.electricity + self.heat

    def __add__(self, other: "EnergyUse") -> "EnergyUse":
        """Return the sum of two uses."""
        return EnergyUse(self.electricity + other.electricity, self.heat + other.heat)

    def per(self, amount: float) -> "EnergyUse":
        """Return the use over an amount (good items, joules of product), NaN for an amount of 0."""
        return EnergyUse(ratio(self.electricity, amount), ratio(self.heat, amount))


def machine_energy(
    rates: EnergyRates,
    *,
    executing_time: float,
    standby_time: float,
    items: float = 0.0,
    metres: float = 0.0,
) -> EnergyUse:
    """Return what a machine, or all machines of a station, used.

    Parameters
    ----------
    rates : EnergyRates
        What one machine draws. [W, J/item, J/m]
    executing_time : float
        Time in which it processed; of several machines, the sum. [s]
    standby_time : float
        Time in all other states; of several machines, the sum. [s]
    items : float
        Items processed, good or not.
    metres : float
        Length of web processed. [m]
    """
    return EnergyUse(
        electricity=rates.executing * executing_time
        + rates.standby * standby_time
        + rates.per_item * items
        + rates.per_metre * metres,
        heat=rates.heat_executing * executing_time + rates.heat_standby * standby_time,
    )


def constant_energy(electricity: float, heat: float, duration: float) -> EnergyUse:
    """Return what constant powers [W] use in a duration [s]."""
    return EnergyUse(electricity * duration, heat * duration)


def energy_per_good_item(use: EnergyUse, good_items: float) -> EnergyUse:
    """Return the use for each good item, scrap included in the use; NaN without good items."""
    return use.per(good_items)


def energy_per_product_energy(
    use: EnergyUse, good_items: float, product_energy: float
) -> EnergyUse:
    """Return the use over the energy content of the good items; J/J is the same as kWh/kWh.

    Parameters
    ----------
    use : EnergyUse
        What was used. [J]
    good_items : float
        Good items made.
    product_energy : float
        Energy content of one item; of several formats, the mean. [J]
    """
    return use.per(good_items * product_energy)


__all__ = [
    "EnergyRates",
    "EnergyUse",
    "constant_energy",
    "energy_per_good_item",
    "energy_per_product_energy",
    "machine_energy",
]
