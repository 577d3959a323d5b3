"""How many products an item would have become: a scrapped coil is worth thousands of cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.plan import PlannedStation, routes_for
from gigatwin.factory.described import ByFormat
from gigatwin.factory.routing import OUT


def _of(value: Any, product_format: str) -> float:  # noqa: ANN401 - a number, or one by format
    return float(value.by_format[product_format] if isinstance(value, ByFormat) else value)


def _contents(plans: Mapping[str, PlannedStation], product_format: str) -> dict[str, float]:
    """Return the content of an item that leaves each station; 1 where nothing gives one."""
    found: dict[str, float] = {}
    for _ in plans:
        before = len(found)
        for name, plan in plans.items():
            if name not in found and plan.output.content is not None:
                found[name] = _of(plan.output.content, product_format)
            if name in found:
                for way in routes_for(plan, product_format)[0]:
                    after = plans.get(way.to)
                    if after is not None and after.output.content is None:
                        found.setdefault(way.to, found[name])
        if len(found) == before:
            break
    return {name: found.get(name, 1.0) for name in plans}


def products_per_item(
    stations: Sequence[PlannedStation], formats: Sequence[str]
) -> NDArray[np.float64]:
    """Return how many products an item that leaves each station stands for.

    An item that is split counts for all that comes of it. A lot taken in by a station counts for
    the items its content is enough for; with n inputs, for an n-th of them, so that losing one lot
    of each loses these items once.

    Parameters
    ----------
    stations : sequence of PlannedStation
        All stations.
    formats : sequence of str
        Names of the formats.

    Returns
    -------
    numpy.ndarray
        Products for each item, by station and format. float64, shape (S, F)
    """
    plans = {plan.name: plan for plan in stations}
    worth = np.ones((len(stations), len(formats)))
    for column, product_format in enumerate(formats):
        contents = _contents(plans, product_format)
        known: dict[str, float] = {}

        def leaving(
            name: str,
            seen: frozenset[str],
            product_format: str = product_format,
            contents: dict[str, float] = contents,
            known: dict[str, float] = known,
        ) -> float:
            if name in known:
                return known[name]
            total = weight = 0.0
            for way in routes_for(plans[name], product_format)[0]:
                station, _, port = way.to.partition(".")
                if way.to != OUT and (station in seen or station not in plans):
                    continue  # round a loop: the other ways tell
                value = 1.0
                if way.to != OUT:
                    after = plans[station]
                    value = leaving(station, seen | {station})
                    value *= _of(after.output.count, product_format)
                    if port in after.inputs:
                        need = _of(after.inputs[port].per_item, product_format)
                        value *= contents[name] / need / len(after.inputs)
                total += way.share * value
                weight += way.share
            found = total / weight if weight else 1.0
            if len(seen) == 1:
                known[name] = found
            return found

        for row, plan in enumerate(stations):
            worth[row, column] = leaving(plan.name, frozenset({plan.name}))
    return worth
