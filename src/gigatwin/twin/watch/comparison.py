"""Plant and model side by side, all the time: which figures differ by more than chance.

The last hours of the plant are one draw, as each simulated window is, so a figure is compared with
the interval in which one more simulated window would lie. Among the figures that are then called
different, at most one in twenty is so by chance, however the figures depend on each other [1]_.

References
----------
.. [1] Y. Benjamini, D. Yekutieli, "The control of the false discovery rate in multiple testing
   under dependency", Annals of Statistics 29 (2001) 1165-1188.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from gigatwin.learning.check.agreement import agreement
from gigatwin.learning.check.compared_figures import Figure
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow
from gigatwin.twin.watch.expectation import (
    IN_PROCESS,
    LEVEL,
    THROUGHPUT,
    Expectation,
    Figures,
    state_share,
)
from gigatwin.twin.watch.plant_window import PlantWindow
from gigatwin.units import format_quantity

FALSE_SHARE = 0.05
"""Share of the figures that are called different that may be so by chance."""
NEGLIGIBLE = 0.01
"""Difference that is not called one: relative for throughput and contents, absolute for shares."""
_LEAST_ITEMS = 0.5
_TAIL = 0.25
_NO_SPREAD = 1e-3
_SHOWN = 5


@dataclass(frozen=True)
class Compared:
    """The plant's last hours beside the model."""

    end: float
    """End of the window of the plant. [s]"""
    length: float
    """Its length. [s]"""
    figures: tuple[Figure, ...]
    """All that was compared; ``station`` is a machine, a buffer or a format here."""

    @property
    def differences(self) -> tuple[Figure, ...]:
        """Figures that differ by more than chance, the whole factory and the surest first."""
        found = [figure for figure in self.figures if figure.is_larger_than_chance]
        return tuple(sorted(found, key=lambda figure: (bool(figure.station), figure.p_value)))

    @property
    def is_in_step(self) -> bool:
        """Whether nothing differs by more than chance."""
        return not self.differences

    @property
    def verdict(self) -> str:
        """What was found, in words."""
        n, found = len(self.figures), self.differences
        moment = dt.datetime.fromtimestamp(self.end, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
        window = f"the {format_quantity(self.length, 's')} up to {moment}"
        output = next(f for f in self.figures if f.quantity == THROUGHPUT and not f.station)
        if not found:
            return (
                f"Plant and model agree in all {n} figures of {window}, within chance. "
                f"{_sentence(output)}."
            )
        said = "; ".join(_sentence(figure) for figure in found[:_SHOWN])
        more = len(found) - _SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        return (
            f"Plant and model agree in {n - len(found)} of {n} figures of {window}. Different by "
            f"more than chance (at most one in twenty of these is not): {said}{rest}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "end": self.end,
            "length": self.length,
            "verdict": self.verdict,
            "is_in_step": self.is_in_step,
            "figures": [asdict(figure) for figure in self.figures],
        }


class Comparison:
    """Compares the plant's last hours with the model whenever a portion of the window is over.

    Parameters
    ----------
    expectation : Expectation
        What the model expects; its windows have the length of those of the plant.
    """

    def __init__(self, expectation: Expectation) -> None:
        self.expectation = expectation
        self.window = PlantWindow(expectation.machines, expectation.length)
        self.latest: Compared | None = None
        """The last comparison; None until the plant was seen for a whole window."""

    def take(self, rows: Iterable[EventRow]) -> Compared | None:
        """Take event rows in; return a comparison if a portion of the window came to its end."""
        if not self.window.take(rows) or not self.window.is_full:
            return None
        self.latest = compare(self.expectation, _measured(self.window), self.window.end)
        return self.latest

    def set_level(self, name: str, level: float, time: float) -> None:
        """Say how full a buffer is, or the factory where the name is empty; see `PlantWindow`."""
        self.window.set_level(name, level, time)

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        return {"window": self.window.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.window.restore(state["window"])
        if self.window.is_full:
            self.latest = compare(self.expectation, _measured(self.window), self.window.end)


def _measured(window: PlantWindow) -> Figures:
    finished = window.finished
    found: Figures = {("", THROUGHPUT): sum(finished.values()) / window.length}
    for name, n in finished.items():
        found[name, THROUGHPUT] = n / window.length
    for name, level in window.levels.items():
        found[name, LEVEL if name else IN_PROCESS] = level
    for name in window.machines:
        shares = window.shares(name)
        if shares is not None:
            for state in MachineState:
                found[name, state_share(state)] = shares[state]
    return found


def compare(expectation: Expectation, measured: Figures, end: float = 0.0) -> Compared:
    """Compare measured figures with simulated ones.

    Parameters
    ----------
    expectation : Expectation
        Simulated windows.
    measured : dict
        (machine or buffer or format, quantity) to value; those that the model does not have are
        left out.
    end : float
        End of the window they were measured in. [s]
    """
    keys, agreements, p_values = [], [], []
    for key, samples in expectation.samples.items():
        value = measured.get(key)
        if value is None or not (value or any(samples)):
            continue  # a state that never occurs tells nothing, and would blunt all other tests
        is_rate = key[1] == THROUGHPUT
        resolution = 1.0 / max(value * expectation.length, 1.0) if is_rate else 0.0
        found = agreement(value, samples, is_ratio=is_rate, resolution=resolution)
        keys.append((key, value))
        agreements.append(found)
        is_impossible = key in expectation.never and value > 0
        p_values.append(0.0 if is_impossible else _p_value(key, value, samples, found.p_value))
    falls = _discoveries(p_values)
    figures = []
    for (key, value), found, p_value, falls_here in zip(
        keys, agreements, p_values, falls, strict=True
    ):
        low, high = found.interval()
        is_share = key[1].endswith(" share")
        low = max(low, 0.0)
        high = min(high, 1.0) if is_share else high
        name, quantity = key
        figures.append(
            Figure(
                station=name,
                quantity=quantity,
                unit="1/s" if quantity == THROUGHPUT else "",
                measured=value,
                simulated=found.simulated,
                low=low,
                high=high,
                p_value=p_value,
                detectable=found.detectable(FALSE_SHARE / max(len(p_values), 1)),
                is_larger_than_chance=falls_here and _is_worth_it(quantity, value, found.simulated),
            )
        )
    return Compared(end, expectation.length, tuple(figures))


def _discoveries(p_values: Sequence[float]) -> list[bool]:
    if not p_values:
        return []
    adjusted = stats.false_discovery_control(np.array(p_values), method="by")
    return [bool(value <= FALSE_SHARE) for value in adjusted]


def _p_value(key: tuple[str, str], value: float, samples: Sequence[float], normal: float) -> float:
    """Return how likely a value so far off is, where the law is far from normal too."""
    if key[1] == THROUGHPUT or float(np.ptp(np.asarray(samples))) < _NO_SPREAD < max(samples):
        return normal
    return max(normal, _tail_probability(value, samples))


def _tail_probability(value: float, samples: Sequence[float]) -> float:
    """Return how likely a value is beyond the samples, if their tail goes on exponentially.

    Shares of rare states are far from normal: most windows have none, a few have much. With m
    samples beyond a border by S in all, one more of them is beyond it by x with the probability
    (1 + x / S)^-m.
    """
    ordered = np.sort(np.asarray(samples))
    if value < float(np.median(ordered)):
        ordered, value = -ordered[::-1], -value
    n = len(ordered)
    border = float(ordered[n - 1 - max(int(_TAIL * n), 2)])
    beyond = ordered[ordered > border] - border
    excess = value - border
    if excess <= 0.0:
        return 1.0
    share = 2.0 * (len(beyond) + 1) / (n + 1)
    ratio = excess / float(beyond.sum()) if len(beyond) else 0.0
    return min(1.0, share * float((1.0 + ratio) ** -len(beyond)))


def _is_worth_it(quantity: str, measured: float, simulated: float) -> bool:
    difference = abs(measured - simulated)
    if quantity in (LEVEL, IN_PROCESS):
        return difference > max(_LEAST_ITEMS, NEGLIGIBLE * simulated)
    return difference > NEGLIGIBLE * (simulated if quantity == THROUGHPUT else 1.0)


def _sentence(figure: Figure) -> str:
    place = f"{figure.station} " if figure.station else ""
    ends = f"{_shown(figure.low, figure)} to {_shown(figure.high, figure)} expected"
    return f"{place}{figure.quantity} {_shown(figure.measured, figure)}, {ends}"


def _shown(value: float, figure: Figure) -> str:
    if figure.quantity == THROUGHPUT:
        return f"{3600.0 * value:.4g}/h"
    if figure.is_share:
        return f"{100.0 * value:.3g} %"
    return f"{value:.3g} items"
