"""Machines in a row that never wait for each other: what the line makes at best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation
from gigatwin.equipment.motion.s_curve import Floats
from gigatwin.equipment.station_machines import machine_of
from gigatwin.errors import EquipmentError
from gigatwin.factory.factory import Factory


@dataclass(frozen=True)
class MachineGroup:
    """Identical machines side by side."""

    name: str
    """Name of the station."""
    model: EquipmentModel
    """One of the machines."""
    machines: int
    """How many there are."""
    settings: Mapping[str, Mapping[str, float]]
    """Format to the settings that differ from the machine's defaults. [SI]"""


@dataclass(frozen=True)
class LineRate:
    """What a line makes; floats, or arrays with one value for each setting."""

    names: tuple[str, ...]
    """Stations, in their order."""
    evaluations: tuple[Evaluation, ...]
    """What each machine does."""
    gross: tuple[Floats, ...]
    """Items in a second of all machines of each station, without stops. [item/s]"""
    net: tuple[Floats, ...]
    """Items in a second of all machines of each station, stops included. [item/s]"""
    first_pass_yield: Floats
    """Share of items that no machine spoils."""

    @property
    def rate(self) -> Floats:
        """Items in a second that the slowest station lets through. [item/s]."""
        return self.net[0] if len(self.net) == 1 else np.minimum.reduce(self.net)

    @property
    def good_rate(self) -> Floats:
        """Good items in a second. [item/s]."""
        return self.rate * self.first_pass_yield

    @property
    def bottleneck(self) -> str:
        """Station that sets the rate, with a single setting."""
        rates = [float(np.ravel(rate)[0]) for rate in self.net]
        return self.names[rates.index(min(rates))]


def groups_of(factory: Factory) -> list[MachineGroup]:
    """Return the machines of the stations that name a machine description.

    Raises
    ------
    FactoryError
        If a description cannot be read, or does not take its settings.
    EquipmentError
        If no station names one.
    """
    groups = []
    for name, station in factory.stations.items():
        found = machine_of(factory, name)
        if found is not None:
            model, settings = found
            groups.append(MachineGroup(name, model, getattr(station, "machines", 1), settings))
    if not groups:
        message = (
            f"{factory.name}: no station names a machine description; at least one must. Give a "
            "station 'cycle: winder', or another machine of the library."
        )
        raise EquipmentError(message)
    return groups


def single(model: EquipmentModel) -> list[MachineGroup]:
    """Return a machine as a line of its own."""
    return [MachineGroup(model.machine.name, model, 1, {})]


def formats_of(groups: Sequence[MachineGroup]) -> list[str]:
    """Return the formats that every machine is set up for, in the order of the first."""
    first, *others = groups
    return [
        name
        for name in first.model.dimensions
        if all(name in group.model.dimensions for group in others)
    ]


def line_rate(
    groups: Sequence[MachineGroup],
    product_format: str,
    settings: Mapping[str, Mapping[str, Floats]] | None = None,
    factors: Mapping[str, Mapping[str, Floats]] | None = None,
) -> LineRate:
    """Return what a line makes with some settings.

    Parameters
    ----------
    groups : sequence of MachineGroup
        The stations.
    product_format : str
        What is made.
    settings, factors : mapping, optional
        Station to settings, and to factors of what is uncertain, beside those of the group; floats,
        or arrays of one shape.

    Notes
    -----
    Good items are the rate of the slowest station times the yield of all of them. Buffers that
    are too small to part the stations' stops make it less, which the simulation of the line shows;
    that what was spoiled before the slowest station costs it nothing makes it a little more.
    """
    evaluations = tuple(
        group.model.evaluate(
            product_format,
            {**group.settings.get(product_format, {}), **(settings or {}).get(group.name, {})},
            (factors or {}).get(group.name),
        )
        for group in groups
    )
    good: Floats = 1.0
    for evaluation in evaluations:
        good = good * (1 - evaluation.scrap)
    return LineRate(
        names=tuple(group.name for group in groups),
        evaluations=evaluations,
        gross=tuple(g.machines * e.gross_rate for g, e in zip(groups, evaluations, strict=True)),
        net=tuple(g.machines * e.net_rate for g, e in zip(groups, evaluations, strict=True)),
        first_pass_yield=good,
    )
