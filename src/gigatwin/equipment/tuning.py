"""The best settings of the machines of a line under a floor for its yield, step by step."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import scipy

from gigatwin.equipment.description.machine import Lever
from gigatwin.equipment.line import LineRate, MachineGroup, line_rate
from gigatwin.equipment.settings_search import Found, SettingsSearch
from gigatwin.errors import EquipmentError

_PRECISION = 1e-5
"""Relative precision of the line's best rate."""
_MOST_LOOKS = 4
_SPARE = 1e-5
"""Yield above the floor that is not worth another look."""
_ALMOST = 0.99
_USUAL_TRIES = 16
"""Rates that a step usually tries, for its progress."""
Settings = Mapping[str, Mapping[str, float]]
"""Station to its settings. [SI]"""


@dataclass(frozen=True)
class TuningStep:
    """What a line makes after one class of changes, on top of those before."""

    name: str
    """What was allowed to change."""
    settings: Settings
    """The settings found. [SI]"""
    line: LineRate
    """What the line makes with them."""
    gain: float
    """Relative gain in good items over the line as delivered."""
    hardware: str | None = None
    """Hardware that it needs; None: none."""

    @property
    def good_rate(self) -> float:
        """Good items in a second. [item/s]."""
        return float(self.line.good_rate)


@dataclass(frozen=True)
class Tuning:
    """The steps for one format."""

    product_format: str
    """What is made."""
    yield_loss: float
    """By how much the first pass yield may fall."""
    floor: float
    """Smallest first pass yield allowed."""
    steps: tuple[TuningStep, ...]
    """As delivered, then one step for each class of changes."""


_CLASSES: tuple[tuple[str, tuple[Lever, ...]], ...] = (
    ("event-driven waits", ("waits",)),
    ("overlap", ("overlap",)),
    ("dynamics and recipes", ("dynamics", "recipe")),
)


def tune(  # noqa: PLR0913 - keyword arguments of the public call
    groups: Sequence[MachineGroup],
    product_format: str,
    yield_loss: float = 0.005,
    factors: Mapping[str, Mapping[str, float]] | None = None,
    progress: Callable[[str, float], None] | None = None,
    *,
    with_hardware: bool = True,
) -> Tuning:
    """Return the settings with which a line makes most good items, class after class of changes.

    Parameters
    ----------
    groups : sequence of MachineGroup
        The stations.
    product_format : str
        What is made.
    yield_loss : float
        By how much the first pass yield may fall below that of the line as delivered.
    factors : mapping, optional
        Station to factors of what is uncertain, such as knees of the defect curves.
    progress : callable, optional
        Called with the step under way and the share of it that is done; 1 when it is.
    with_hardware : bool
        Whether to add steps with the hardware that the descriptions declare (capital levers).

    Raises
    ------
    EquipmentError
        If a machine is not set up for the format, or breaks a limit as delivered.

    Notes
    -----
    For a rate of the line, every machine takes the settings with the fewest defects that reach it;
    the yield of the line falls with the rate, and the best rate is found on that curve. Hardware
    (capital levers) is added at the end, one value after the other.
    """
    if not 0 <= yield_loss < 1:
        message = f"yield loss {yield_loss:g}: must be a share from 0 to below 1, such as 0.005."
        raise EquipmentError(message)
    for group in groups:
        if not group.model.activities:
            message = (
                f"{group.name}: its machine is an FMU, whose cycle nobody can look into; tuning "
                "needs a machine with activities."
            )
            raise EquipmentError(message)
    delivered = line_rate(groups, product_format, factors=factors)
    floor = float(delivered.first_pass_yield) - yield_loss
    start: Settings = {
        group.name: group.model.defaults(product_format) | dict(group.settings[product_format])
        if product_format in group.settings
        else group.model.defaults(product_format)
        for group in groups
    }
    base = float(delivered.good_rate)
    steps = [TuningStep("as delivered", start, delivered, 0.0)]
    search = _LineSearch(groups, product_format, floor, factors or {}, progress)
    free: tuple[Lever, ...] = ()

    def report(name: str) -> None:
        if progress is not None:
            progress(name, 1.0)

    for name, levers in _classes(groups):
        free += levers
        settings = search.best(name, free, steps[-1].settings)
        report(name)
        steps.append(_step(groups, product_format, name, settings, base, factors))
    for name, capital in _investments(groups) if with_hardware else ():
        fixed = {
            station: {**settings, **capital.get(station, {})}
            for station, settings in steps[-1].settings.items()
        }
        settings = search.best(name, free, fixed)
        report(name)
        step = _step(groups, product_format, name, settings, base, factors)
        steps.append(replace(step, hardware=name))
    return Tuning(product_format, yield_loss, floor, tuple(steps))


def _classes(groups: Sequence[MachineGroup]) -> list[tuple[str, tuple[Lever, ...]]]:
    """Return the classes of changes for which any machine has a setting."""
    known = {setting.lever for group in groups for setting in group.model.settings.values()}
    return [(name, levers) for name, levers in _CLASSES if known & set(levers)]


def number_of_steps(groups: Sequence[MachineGroup]) -> int:
    """Return how many steps `tune` takes, beside the line as delivered."""
    return len(_classes(groups)) + len(_investments(groups))


def best_settings_step(tuning: Tuning) -> TuningStep:
    """Return the last step without new hardware."""
    return [step for step in tuning.steps if step.hardware is None][-1]


def _step(  # noqa: PLR0913, PLR0917 - the parts of a step
    groups: Sequence[MachineGroup],
    product_format: str,
    name: str,
    settings: Settings,
    base: float,
    factors: Mapping[str, Mapping[str, float]] | None,
) -> TuningStep:
    line = line_rate(groups, product_format, settings, factors)
    return TuningStep(name, settings, line, float(line.good_rate) / base - 1)


def _investments(groups: Sequence[MachineGroup]) -> list[tuple[str, dict[str, dict[str, float]]]]:
    """Return the values of capital levers above the default, with words for them."""
    found = []
    for group in groups:
        for name, setting in group.model.settings.items():
            if setting.lever != "capital":
                continue
            default = max(setting.default.values())
            for value in setting.steps or (setting.high,):
                if value > default:
                    shown = f"{value / setting.scale:g} {setting.written}".strip()
                    words = f"{group.name}: {name} {shown}"
                    found.append((words, {group.name: {name: value}}))
    return found


class _LineSearch:
    """Looks for the rate of a line on the curve of fewest defects."""

    def __init__(
        self,
        groups: Sequence[MachineGroup],
        product_format: str,
        floor: float,
        factors: Mapping[str, Mapping[str, float]],
        progress: Callable[[str, float], None] | None,
    ) -> None:
        self.groups = groups
        self.product_format = product_format
        self.floor = floor
        self.factors = factors
        self.progress = progress

    def best(self, name: str, free: tuple[Lever, ...], start: Settings) -> Settings:
        """Return the settings with most good items, other levers than the free ones as they are."""
        searches = [
            SettingsSearch(
                group, self.product_format, free, start[group.name], self.factors.get(group.name)
            )
            for group in self.groups
        ]
        slowest = min(search.rate_now for search in searches)
        fastest = min(search.most_rate for search in searches)
        tried: list[_Line] = []

        def spare(rate: float, *, is_thorough: bool = False) -> float:
            found = [search.fewest_defects(rate, is_thorough=is_thorough) for search in searches]
            line = _Line(rate, found)
            tried.append(line)
            if self.progress is not None:
                self.progress(name, min(len(tried) / _USUAL_TRIES, _ALMOST))
            return line.good_yield - self.floor if line.is_possible else -1.0

        if spare(slowest, is_thorough=True) < 0:
            # Settings as they are: limits or floor leave nothing to choose.
            return start
        low, high = slowest, fastest
        # An optimiser started from near by may miss what one started from elsewhere finds: look
        # again from where it ended, until a thorough look there leaves no yield to spare.
        for _ in range(_MOST_LOOKS):
            if spare(high) < 0:
                scipy.optimize.brentq(spare, low, high, rtol=_PRECISION, xtol=1e-12)
            low = max(line.rate for line in tried if self._is_allowed(line))
            above = [line.rate for line in tried if line.rate > low]
            if not above or spare(low, is_thorough=True) < _SPARE:
                break
            high = min(fastest, low + 4 * (min(above) - low) + 0.02 * (fastest - low))
            for search in searches:
                search.forget(low)
        best = self._best_of(tried)
        if best.rate < low:
            # Scrap grows by more than the rate before the floor: the best is in between.
            around = sorted({line.rate for line in tried})
            k = around.index(best.rate)
            scipy.optimize.minimize_scalar(
                lambda rate: -tried[-1].good_rate if spare(rate) >= 0 else 0.0,
                bounds=(around[max(k - 1, 0)], around[min(k + 1, len(around) - 1)]),
                method="bounded",
                options={"xatol": _PRECISION * best.rate},
            )
            best = self._best_of(tried)
        return {
            search.group.name: search.simplest(found, best.rate).settings
            if found is not None
            else start[search.group.name]
            for search, found in zip(searches, best.found, strict=True)
        }

    def _is_allowed(self, line: "_Line") -> bool:
        return line.is_possible and line.good_yield >= self.floor

    def _best_of(self, tried: "list[_Line]") -> "_Line":
        return max(
            (line for line in tried if self._is_allowed(line)), key=lambda line: line.good_rate
        )


@dataclass(frozen=True)
class _Line:
    """What the machines found for one rate."""

    rate: float
    found: list[Found | None]

    @property
    def is_possible(self) -> bool:
        return all(found is not None for found in self.found)

    @property
    def good_yield(self) -> float:
        return math.prod(1 - found.scrap for found in self.found if found is not None)

    @property
    def good_rate(self) -> float:
        return self.rate * self.good_yield
