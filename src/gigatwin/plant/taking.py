"""What a machine takes in for its next cycle: an item, a batch, a new item, lots of inputs."""

from gigatwin.plant.appearance import Phase
from gigatwin.plant.buffers import Buffer
from gigatwin.plant.item import Item
from gigatwin.plant.line import Line
from gigatwin.plant.machine import Machine
from gigatwin.plant.places import hand_over, leave_idle, make_room
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.tracking import TrackingKind

_LOAD = TrackingKind.LOAD.value
_SMALL = 1e-9


def take_in(line: Line, m: Machine) -> bool:
    """Take in what the next cycle needs; say whether the machine has it all.

    Parameters
    ----------
    line : Line
        The line.
    m : Machine
        A machine that is ready.
    """
    station = m.station
    if not m.items:
        buffer = line.own_buffers.get(station.name)
        if buffer is None:
            if not station.inputs:
                return _take_supply(line, m)
        elif station.sizes:
            if not _take_batch(line, m, buffer):
                return False
        else:
            item = _take(line, buffer)
            if item is None:
                return False
            m.items.append(item)
    return not station.inputs or _take_inputs(line, m)


def _take(line: Line, buffer: Buffer) -> Item | None:
    """Take the first item that is there, None where there is none."""
    queue = buffer.queue
    if buffer.capacity == 0:
        waiter = buffer.first_waiting()
        return None if waiter is None else hand_over(line, waiter, buffer)
    if not queue or queue[0].ready > line.now:
        return None
    item = queue.popleft()
    make_room(line, buffer)
    return item


def _take_supply(line: Line, m: Machine) -> bool:
    """Create an item: of the next order, or without orders of the format that is set up."""
    orders = line.layout.orders
    if not orders:
        m.items.append(line.create(max(m.format, 0)))
        return True
    supply = line.supplies[m.station.name]
    m.idle_state = MachineState.NO_ORDER
    while supply.order < len(orders) and supply.remaining == 0:
        supply.order += 1
        if supply.order < len(orders):
            supply.remaining = orders[supply.order][1]
    if supply.order >= len(orders):
        return False
    product_format, _, release = orders[supply.order]
    if release > line.now:

        def released(_: object, __: int) -> None:
            if m.phase is Phase.IDLE:
                leave_idle(line, m)
                line.wake(m)

        line.at(release, released, None)
        return False
    supply.remaining -= 1
    m.items.append(line.create(product_format))
    return True


def _take_batch(line: Line, m: Machine, buffer: Buffer) -> bool:
    """Take a batch if one can start; an item of another format behind it closes it."""
    queue, now = buffer.queue, line.now
    if buffer.capacity == 0:
        item = _take(line, buffer)
        if item is not None:
            m.items.append(item)
        return item is not None
    if not queue or queue[0].ready > now:
        return False
    product_format = queue[0].format
    size = m.station.sizes[product_format]
    n_run = 0
    is_closed = False
    for item in queue:
        if n_run == size or item.ready > now:
            break
        if item.format != product_format:
            is_closed = True
            break
        n_run += 1
    if n_run < (m.station.minimum or size) and not is_closed:
        return False
    m.items.extend(queue.popleft() for _ in range(n_run))
    make_room(line, buffer)
    return True


def _take_inputs(line: Line, m: Machine) -> bool:
    """Fill the magazines for one item and use the material up; say whether there was enough."""
    station = m.station
    buffers = line.station_buffers[station.name][-len(station.inputs) :]
    product_format = m.items[0].format if m.items else -1
    for port, buffer in enumerate(buffers):
        needs = station.needs[port]
        while product_format < 0 or m.magazines[port] < needs[product_format] - _SMALL:
            lot = _take(line, buffer)
            if lot is None:
                return False
            if product_format < 0:
                product_format = lot.format
            m.magazines[port] += 1.0
            line.n_consumed += 1
            line.journal.track(m, _LOAD, lot, buffer.name)
    if not m.items:
        m.items.append(line.create(product_format))
    for port, needs in enumerate(station.needs):
        m.magazines[port] -= needs[product_format]
    return True
