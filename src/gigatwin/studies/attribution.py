"""Which setting of which machine limits the good items of a line."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gigatwin.equipment.description.machine import Lever, Machine
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.equipment.sensitivity import sensitivities
from gigatwin.equipment.station_machines import machine_of
from gigatwin.errors import StudyError
from gigatwin.factory.factory import Factory
from gigatwin.studies.comparison import Comparison, compare

FASTER = 0.02
"""By how much each station is made faster to see what it gives the line."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class StationShare:
    """What a station's speed does to the line."""

    station: str
    """Name of the station."""
    elasticity: float
    """Per cent of good items for one per cent of its speed."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""


@dataclass(frozen=True)
class SettingShare:
    """What one setting of one machine does to the line."""

    station: str
    """Name of the station."""
    setting: str
    """Name of the setting."""
    description: str
    """What it is."""
    axis: str
    """Axis or dial that it belongs to; empty: to the process or to waits."""
    lever: Lever
    """Kind of change."""
    elasticity: float
    """Per cent of good items of the line for one per cent of the setting."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""
    through_time: float
    """Part of it that comes through the cycle time and stops."""
    through_yield: float
    """Part of it that comes through scrap."""


@dataclass(frozen=True)
class Attribution:
    """What limits a line, from the line down to the settings of its machines."""

    product_format: str
    """What is made."""
    comparison: Comparison
    """The runs with each station faster."""
    stations: tuple[StationShare, ...]
    """Stations with a machine description, the strongest first."""
    settings: tuple[SettingShare, ...]
    """Their settings, the strongest first."""


def attribute(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory,
    *,
    days: float = 2.0,
    replications: int = 10,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[float, int], None] | None = None,
) -> Attribution:
    r"""Return which settings limit the good items of a line.

    Parameters
    ----------
    factory : Factory
        With stations that name machine descriptions.
    days, replications, seed, threads, progress
        As for `compare`.

    Raises
    ------
    StudyError
        If no station names a machine description.

    Notes
    -----
    The chain rule: each station is made 2 % faster in turn, under the same luck, which gives the
    elasticity :math:`e` of the line's good items by its speed, with buffers, stops and starving
    as they are. The machine gives how its time for an item, stops included, and its scrap change
    with a setting :math:`s`:

    .. math:: \frac{d \ln G}{d \ln s} = -e \frac{d \ln T}{d \ln s} - \frac{1}{1-p}
        \frac{d p}{d \ln s} .

    The derivatives are those at the first format of the factory.
    """
    found = {name: machine_of(factory, name) for name in factory.stations}
    machines = {name: known for name, known in found.items() if known is not None}
    if not machines:
        message = (
            f"{factory.name}: no station names a machine description; at least one must, such as "
            "'cycle: winder'."
        )
        raise StudyError(message)
    faster = {
        name: {f"{name}.speed": getattr(factory.stations[name], "speed", 1.0) * (1 + FASTER)}
        for name in machines
    }
    comparison = compare(
        factory,
        faster,
        days=days,
        replications=replications,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    product_format = next(iter(factory.formats))
    stations = []
    settings: list[SettingShare] = []
    for name, (model, given) in machines.items():
        row = comparison.row(name, "throughput_rate")
        scale = 1 / (row["base"] * FASTER)
        share = StationShare(
            name,
            row["difference"] * scale,
            row["difference_low"] * scale,
            row["difference_high"] * scale,
        )
        stations.append(share)
        settings += _settings(share, model, product_format, given.get(product_format, {}))
    return Attribution(
        product_format=product_format,
        comparison=comparison,
        stations=tuple(sorted(stations, key=lambda share: -share.elasticity)),
        settings=tuple(sorted(settings, key=lambda share: -abs(share.elasticity))),
    )


def _settings(
    share: StationShare, model: EquipmentModel, product_format: str, given: dict[str, float]
) -> list[SettingShare]:
    evaluation = model.evaluate(product_format, given)
    net, scrap = float(evaluation.net_rate), float(evaluation.scrap)
    axes = axes_of_settings(model.machine)
    shares = []
    for effect in sensitivities(model, product_format, given):
        # Good items are net rate times yield, which gives the change of the net rate alone.
        net_slope = (effect.good_rate + net * effect.scrap) / (1 - scrap)
        by_time = effect.value * net_slope / net
        by_yield = -effect.value * effect.scrap / (1 - scrap)
        ends = sorted((share.low * by_time + by_yield, share.high * by_time + by_yield))
        shares.append(
            SettingShare(
                station=share.station,
                setting=effect.setting,
                description=model.machine.settings[effect.setting].description,
                axis=axes.get(effect.setting, ""),
                lever=effect.lever,
                elasticity=share.elasticity * by_time + by_yield,
                low=ends[0],
                high=ends[1],
                through_time=share.elasticity * by_time,
                through_yield=by_yield,
            )
        )
    return shares


def axes_of_settings(machine: Machine) -> dict[str, str]:
    """Return the axis or dial that each setting belongs to, for those that belong to one."""
    found: dict[str, str] = {}
    for name, axis in machine.axes.items():
        for text in (axis.speed, axis.acceleration, axis.jerk):
            found |= dict.fromkeys((w for w in _WORD.findall(text) if w in machine.settings), name)
    for name, dial in machine.dials.items():
        for text in (dial.inertia, dial.torque, dial.speed):
            found |= dict.fromkeys((w for w in _WORD.findall(text) if w in machine.settings), name)
    return found
