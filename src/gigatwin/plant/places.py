"""Who is woken by an item that comes, and by a place that becomes free."""

from gigatwin.plant.appearance import Phase
from gigatwin.plant.buffers import NEVER, Buffer
from gigatwin.plant.item import Item
from gigatwin.plant.judgement import SCRAP
from gigatwin.plant.line import Line
from gigatwin.plant.machine import Machine
from gigatwin.telemetry.tracking import TrackingKind

OUT = "out"
_ARRIVE = TrackingKind.ARRIVE.value
_LEAVE = TrackingKind.LEAVE.value


def look_out(line: Line, buffer: Buffer) -> None:
    """See to it that an idle machine is woken when an item comes to the end of its way."""
    if not buffer.idle or buffer.capacity == 0:
        return
    now = line.now
    for item in buffer.queue:
        if item.ready > now:
            if item.ready < buffer.alarm:
                buffer.alarm = item.ready

                def arrived(_: object, __: int) -> None:
                    buffer.alarm = NEVER
                    wake_idle(line, buffer)

                line.at(item.ready, arrived, None)
            return
        if not buffer.gathers:
            return


def rouse(line: Line, buffer: Buffer) -> None:
    """Wake an idle machine if there is something for it, or see to it that it is woken."""
    if not buffer.idle:
        return
    if buffer.capacity == 0:
        if buffer.first_waiting() is not None:
            wake_idle(line, buffer)
    elif buffer.queue:
        if buffer.queue[0].ready <= line.now:
            wake_idle(line, buffer)
        look_out(line, buffer)


def wake_idle(line: Line, buffer: Buffer) -> None:
    """Wake the first idle machine, or all of a station with inputs, which may lack other things."""
    idle = buffer.idle
    while idle:
        machine = idle.popleft()
        machine.phase = Phase.READY
        line.agenda.append(machine)
        if not machine.station.inputs:
            return


def leave_idle(line: Line, m: Machine) -> None:
    """Take an idle machine out of the row of those that wait for items."""
    line.idle[m.station.name].remove(m)
    m.phase = Phase.READY


def make_room(line: Line, buffer: Buffer) -> None:
    """Let those who wait have a place that became free, or the items behind it."""
    line.journal.mark_buffer(buffer)
    if buffer.waiting:
        waiter = buffer.first_waiting()
        if waiter is not None:
            line.agenda.append(waiter)
    if buffer.queue:
        rouse(line, buffer)


def leave(line: Line, m: Machine, item: Item, target: str) -> None:
    """Let an item go from a machine; who gets it is another matter."""
    del m.items[0]
    m.target = None
    if m.waits_at is not None:
        line.buffers[m.waits_at].waiting.remove(m)
        m.waits_at = None
    journal = line.journal
    if m.is_outside:
        first = line.station_machines[line.buffers[target].layout.station][0]
        journal.track(first, _ARRIVE, item, target)
        return
    journal.track(m, _LEAVE, item, target)
    journal.mark(m)
    m.processed += 1
    if target == OUT:
        line.n_finished += 1
        line.finished[item.format] = line.finished.get(item.format, 0) + 1
    elif target == SCRAP:
        m.defective += 1
        line.n_scrapped += 1


def hand_over(line: Line, waiter: Machine, buffer: Buffer) -> Item:
    """Take the item of a blocked machine over a buffer without places."""
    item = waiter.items[0]
    leave(line, waiter, item, buffer.name)
    line.agenda.append(waiter)
    return item
