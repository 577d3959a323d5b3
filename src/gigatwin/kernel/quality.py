"""Decided for an item when its turn to leave has come: defects, findings, where it goes."""

import numpy as np

from gigatwin.kernel._jit import jit, jit_hot, jit_inline
from gigatwin.kernel.layout import OUT, SCRAP, Feature, Model, Purpose, State
from gigatwin.kernel.streams import uniform

_QUALITY = int(Purpose.QUALITY)
_ROUTE = int(Purpose.ROUTE)
_QUALITY_FEATURE = int(Feature.QUALITY)
_ROUTES_FEATURE = int(Feature.ROUTES)
_NONE_DECIDED = -9


@jit_inline
def _happens(state: State, probability: float, stream: int) -> bool:
    if probability <= 0.0:
        return False
    return bool(probability >= 1.0 or uniform(state, stream) < probability)


@jit_inline
def _count(model: Model, state: State, station: int, cause: int, delay: float) -> None:
    n_causes = state.findings.shape[0] // model.stations.shape[0]
    finding = state.findings[station * n_causes + cause]
    finding["count"] += 1
    finding["delay"] += delay


@jit
def _judge(model: Model, state: State, machine: int, item: int, now: float) -> int:
    """Make and find defects; return the target of a bad item, or that none is decided."""
    index = model.machine_station[machine]
    station = model.stations[index]
    lot = state.items[item]
    recipe = model.recipes[index * model.sizes[4] + lot["format"]]
    stream = state.machines[machine]["first_stream"] + _QUALITY
    n_causes = state.findings.shape[0] // model.stations.shape[0]
    if lot["defects"] & station["repairs"]:
        lot["defects"] &= ~station["repairs"]
        if lot["defects"] == 0:
            lot["made"] = np.inf
    if _happens(state, recipe["scrap"], stream):
        _count(model, state, index, n_causes - 2, 0.0)
        return SCRAP
    for j in range(recipe["first_defect"], recipe["first_defect"] + recipe["n_defects"]):
        if _happens(state, model.defects[j]["probability"], stream):
            if lot["defects"] == 0:
                lot["made"] = now
            lot["defects"] |= np.int64(1) << np.int64(model.defects[j]["defect"])
    if station["inspects"] == 0:
        return _NONE_DECIDED
    found = -1
    for j in range(station["first_find"], station["first_find"] + station["n_finds"]):
        defect = model.finds[j]["defect"]
        has = (lot["defects"] >> np.int64(defect)) & np.int64(1)
        if has != 0 and _happens(state, model.finds[j]["probability"], stream):
            found = defect
            break
    if found >= 0:
        _count(model, state, index, found, now - lot["made"])
    elif _happens(state, station["false_alarm"], stream):
        _count(model, state, index, n_causes - 1, 0.0)
    else:
        return _NONE_DECIDED
    if station["rework"] < 0:
        return SCRAP
    lot["reworks"] += 1
    state.flows[index * model.sizes[4] + lot["format"]]["reworked"] += 1
    return int(station["rework"])


@jit_hot
def decide(model: Model, state: State, index: int, machine: int, item: int, now: float) -> int:
    """Return where an item goes: a buffer, out, or scrap."""
    features = model.stations[index]["features"]
    if features & _QUALITY_FEATURE:
        target = _judge(model, state, machine, item, now)
        if target != _NONE_DECIDED:
            return target
    recipe = model.recipes[index * model.sizes[4] + state.items[item]["format"]]
    first = recipe["first_route"]
    n = recipe["n_routes"]
    if not features & _ROUTES_FEATURE or n == 1:
        return int(model.routes[first]["buffer"])
    if recipe["shortest"] != 0:
        best = OUT
        fewest = np.int64(1) << np.int64(62)
        for j in range(first, first + n):
            buffer = model.routes[j]["buffer"]
            count = np.int64(0) if buffer < 0 else np.int64(state.queues[buffer]["count"])
            if count < fewest:
                fewest = count
                best = int(buffer)
        return best
    u = uniform(state, state.machines[machine]["first_stream"] + _ROUTE)
    for j in range(first, first + n - 1):
        if u < model.routes[j]["threshold"]:
            return int(model.routes[j]["buffer"])
    return int(model.routes[first + n - 1]["buffer"])
