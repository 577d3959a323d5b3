"""What a machine takes in for its next cycle: items, created items, lots of other material."""

import numpy as np

from gigatwin.kernel import buffers, items
from gigatwin.kernel._jit import jit, jit_hot, jit_inline
from gigatwin.kernel.layout import Feature, Kind, Model, State
from gigatwin.kernel.records import write

_PORTS = int(Feature.PORTS)
_LOAD = int(Kind.LOAD)
_SMALL = 1e-9
_NO_FORMAT = -1


@jit
def _batch_size(model: Model, state: State, station_index: int, buffer: int, ready: int) -> int:
    """Return how many items a batch would take now; 0: it cannot start."""
    first = buffers.first_ready(model, state, buffer)
    product_format = state.items[first]["format"]
    order = state.items[first]["order"]
    size = model.recipes[station_index * model.sizes[4] + product_format]["batch"]
    minimum = model.stations[station_index]["minimum"]
    if minimum == 0:
        minimum = size
    if model.buffers[buffer]["capacity"] == 0:
        return 1 if minimum <= 1 else 0
    if state.queues[buffer]["changes"] == 0:
        run = min(ready, size)
        return run if run >= minimum else 0
    run = 0
    at = first
    while (
        run < ready
        and run < size
        and state.items[at]["format"] == product_format
        and state.items[at]["order"] == order
    ):
        run += 1
        at = state.items[at]["next"]
    if run >= minimum or (run < ready and run < size):
        return run
    return 0


@jit_inline
def _hold(state: State, machine: int, item: int) -> None:
    """Append an item to those a machine holds."""
    r = state.machines[machine]
    state.items[item]["next"] = -1
    if r["n_items"] == 0:
        r["head"] = item
    else:
        state.items[r["tail"]]["next"] = item
    r["tail"] = item
    r["n_items"] += 1


@jit
def _order(model: Model, state: State, station_index: int, now: float) -> int:
    """Return the order a station works on, or -1 when none is released or all are done."""
    supply = state.supplies[station_index]
    n = model.orders.shape[0]
    while supply["order"] < n:
        if supply["remaining"] > _SMALL:
            order = int(supply["order"])
            return order if model.orders[order]["release"] <= now else -1
        supply["order"] += 1
        if supply["order"] < n:
            book = model.orders[supply["order"]]
            recipe = model.recipes[station_index * model.sizes[4] + book["format"]]
            supply["remaining"] = book["quantity"] * recipe["per_product"]
    return -1


@jit
def next_release(model: Model, state: State, station_index: int, now: float) -> float:
    """Return when the next order of a station is released, infinite when there is none."""
    supply = state.supplies[station_index]
    if model.stations[station_index]["ordered"] == 0 or supply["order"] >= model.orders.shape[0]:
        return np.inf
    release = model.orders[supply["order"]]["release"]
    return float(release) if release > now else np.inf


@jit_hot
def _new_item(
    model: Model, state: State, machine: int, product_format: int, order: int, now: float
) -> None:
    index = model.machine_station[machine]
    content = model.recipes[index * model.sizes[4] + product_format]["content"]
    if np.isnan(content):
        content = 1.0
    _hold(state, machine, items.create(state, product_format, order, content, now))
    state.machines[machine]["created"] = 1


@jit
def _load(model: Model, state: State, machine: int, port: int, magazine: int) -> None:
    """Take one lot into a magazine."""
    lot_index = buffers.take(model, state, model.ports[port], machine)
    lot = state.items[lot_index]
    m = state.magazines[magazine]
    if m["order"] != lot["order"]:
        state.control[0]["discarded"] += m["level"]
        m["level"] = 0.0
        m["blend"] = 0
        m["blend_made"] = np.inf
    elif m["level"] > _SMALL:
        m["blend"] |= m["defects"]
        m["blend_made"] = min(m["blend_made"], m["made"])
    m["level"] += lot["content"]
    m["defects"] = lot["defects"]
    m["made"] = lot["made"]
    m["order"] = lot["order"]
    m["format"] = lot["format"]
    r = state.machines[machine]
    state.control[0]["consumed"] += 1
    write(
        state,
        _LOAD,
        machine,
        lot_index,
        r["state"],
        r["cause"],
        r["because"],
        port - model.stations[model.machine_station[machine]]["first_port"],
    )
    items.release(state, lot_index)


@jit
def _fill(model: Model, state: State, machine: int) -> bool:
    """Fill the magazines for one cycle; say whether all hold enough, of one order."""
    index = model.machine_station[machine]
    station = model.stations[index]
    r = state.machines[machine]
    n_formats = model.sizes[4]
    while True:
        newest = -1
        product_format = _NO_FORMAT
        if station["buffer"] >= 0:
            product_format = int(state.items[r["head"]]["format"])
            newest = int(state.items[r["head"]]["order"])
        for p in range(station["n_ports"]):
            port = station["first_port"] + p
            m = state.magazines[r["first_magazine"] + p]
            while True:
                known = product_format
                if known == _NO_FORMAT and m["level"] > _SMALL:
                    known = int(m["format"])
                if known != _NO_FORMAT:
                    need = model.needs[port * n_formats + known]
                    if m["level"] >= need - _SMALL:
                        product_format = known
                        break
                if buffers.n_ready(model, state, model.ports[port]) == 0:
                    return False
                _load(model, state, machine, port, r["first_magazine"] + p)
            if station["buffer"] < 0:
                newest = max(newest, int(m["order"]))
        stale = False
        for p in range(station["n_ports"]):
            m = state.magazines[r["first_magazine"] + p]
            if m["order"] < newest:
                state.control[0]["discarded"] += m["level"]
                m["level"] = 0.0
                m["blend"] = 0
                m["blend_made"] = np.inf
                stale = True
        if not stale:
            return True


@jit
def _use(model: Model, state: State, machine: int, now: float) -> None:
    """Use up the material of one cycle; its defects go over to the item."""
    index = model.machine_station[machine]
    station = model.stations[index]
    r = state.machines[machine]
    if station["buffer"] < 0:
        m = state.magazines[r["first_magazine"]]
        _new_item(model, state, machine, int(m["format"]), int(m["order"]), now)
    item = state.items[r["head"]]
    for p in range(station["n_ports"]):
        m = state.magazines[r["first_magazine"] + p]
        need = model.needs[(station["first_port"] + p) * model.sizes[4] + item["format"]]
        m["level"] = max(0.0, m["level"] - need)
        if m["defects"] != 0:
            item["defects"] |= m["defects"]
            item["made"] = min(item["made"], m["made"])
        if m["blend"] != 0:
            item["defects"] |= m["blend"]
            item["made"] = min(item["made"], m["blend_made"])
            m["blend"] = 0
        m["blend_made"] = np.inf


@jit_hot
def take_in(model: Model, state: State, index: int, machine: int, now: float) -> bool:
    """Take in what the next cycle needs; say whether the machine has it all."""
    station = model.stations[index]
    r = state.machines[machine]
    buffer = station["buffer"]
    if r["n_items"] == 0:
        r["created"] = 0
        if buffer >= 0:
            n = buffers.n_ready(model, state, buffer)
            if n == 0:
                return False
            if station["batches"] != 0:
                n = _batch_size(model, state, index, buffer, n)
                if n == 0:
                    return False
            else:
                n = 1
            for _ in range(n):
                _hold(state, machine, buffers.take(model, state, buffer, machine))
        elif station["n_ports"] == 0:
            if station["ordered"] != 0:
                order = _order(model, state, index, now)
                if order < 0:
                    return False
                _new_item(model, state, machine, int(model.orders[order]["format"]), order, now)
                state.supplies[index]["remaining"] -= state.items[r["head"]]["content"]
            else:
                _new_item(model, state, machine, 0, 0, now)
    if station["features"] & _PORTS:
        if not _fill(model, state, machine):
            return False
        _use(model, state, machine, now)
    return True
