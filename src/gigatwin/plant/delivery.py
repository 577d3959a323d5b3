"""How finished items and arrivals get where they go, or wait until there is room."""

from gigatwin.plant.appearance import Phase
from gigatwin.plant.buffers import Buffer
from gigatwin.plant.judgement import SCRAP, choose_way, judge
from gigatwin.plant.line import Line
from gigatwin.plant.machine import Machine
from gigatwin.plant.places import OUT, leave, rouse, wake_idle

_AWAY = frozenset({OUT, SCRAP})


def deliver(line: Line, m: Machine) -> bool:
    """Pass on what a machine holds; say whether it could pass on everything.

    Parameters
    ----------
    line : Line
        The line.
    m : Machine
        A machine with finished items, or a stream of arrivals.
    """
    if m.is_halted:
        return False
    items = m.items
    while items:
        item = items[0]
        target = m.target
        if target is None:
            found = None if m.is_outside else judge(m, item, line.layout.unseen)
            target = m.target = found or choose_way(m, item, line.buffers)
        if target in _AWAY:
            leave(line, m, item, target)
            continue
        buffer = line.buffers[target]
        if len(buffer.queue) >= buffer.capacity:
            if m.waits_at is None:
                m.waits_at = target
                buffer.waiting.append(m)
            if buffer.capacity == 0 and buffer.idle:
                wake_idle(line, buffer)
            line.journal.mark(m)
            return False
        leave(line, m, item, target)
        buffer.put(item, line.now)
        line.journal.mark_buffer(buffer)
        if buffer.idle:
            rouse(line, buffer)
        if buffer.waiting:
            _call_next(line, buffer)
    m.phase = Phase.READY
    return True


def _call_next(line: Line, buffer: Buffer) -> None:
    """Let the next one of those who wait for a place have it, if there is another one."""
    if len(buffer.queue) < buffer.capacity:
        following = buffer.first_waiting()
        if following is not None:
            line.wake(following)


def expect_arrivals(line: Line, number: int) -> None:
    """Let the items of a stream arrive one after the other.

    Parameters
    ----------
    line : Line
        The line.
    number : int
        Which of its streams.
    """
    source, interval = line.sources[number]
    shares = line.layout.arrivals[number].shares

    def arrive(_: object, __: int) -> None:
        dice = source.quality.random() if len(shares) > 1 else 0.0
        product_format = next((f for f, share in enumerate(shares) if dice < share), 0)
        source.items.append(line.create(product_format))
        source.phase = Phase.DONE
        line.wake(source)
        line.at(line.now + interval(), arrive, None)

    line.at(interval(), arrive, None)
