"""What a machine does from one item to the next: set-up, work, stops, and waiting in between."""

from gigatwin.plant.appearance import Phase
from gigatwin.plant.delivery import deliver
from gigatwin.plant.line import Line
from gigatwin.plant.machine import Machine
from gigatwin.plant.places import leave_idle, look_out, rouse
from gigatwin.plant.stops import StopClock
from gigatwin.plant.taking import take_in
from gigatwin.standards.machine_states import MachineState

_READY, _LOADED, _SETUP = Phase.READY, Phase.LOADED, Phase.SETUP
_STAFFED, _WORKING, _DONE = Phase.STAFFED, Phase.WORKING, Phase.DONE
_EVENING, _MORNING = 22.0, 6.0


def proceed(line: Line, m: Machine) -> None:
    """Let a machine go on until it has to wait.

    Parameters
    ----------
    line : Line
        The line.
    m : Machine
        A machine that was woken; it may turn out that there is nothing to do.
    """
    if m.phase is _DONE and not deliver(line, m):
        return
    if m.phase is _READY and not _make_ready(line, m):
        return
    if m.phase is _LOADED and not (_is_set_up(line, m) and _is_staffed(line, m)):
        return
    if m.phase is _STAFFED:
        if not m.is_halted:
            _start(line, m)
    elif m.granted:
        m.granted = False
        if m.phase is _SETUP:
            _set_up(line, m)
        else:
            _repair(line, m)


def _make_ready(line: Line, m: Machine) -> bool:
    """Let a machine take in what it needs; say whether it could."""
    if m.is_outside:
        return False
    line.journal.mark(m)
    if m.is_halted:
        return False
    buffers = line.station_buffers[m.station.name]
    if m.clocks is not None:
        clock = m.clocks.first_due(line.now)
        if clock is not None:
            _begin_stop(line, m, clock, _READY)
            # What woke this machine is for another one.
            for buffer in buffers:
                rouse(line, buffer)
            return False
    if m.wanted_format >= 0 and not m.items:
        if _begin_setup(line, m, m.wanted_format):
            return False
        m.wanted_format = -1
    if not take_in(line, m):
        m.phase = Phase.IDLE
        line.idle[m.station.name].append(m)
        for buffer in buffers:
            look_out(line, buffer)
        return False
    m.phase = _LOADED
    return True


# Set-up and people --------------------------------------------------------------------------------


def _is_set_up(line: Line, m: Machine) -> bool:
    wanted = m.items[0].format
    return m.format == wanted or not _begin_setup(line, m, wanted)


def _begin_setup(line: Line, m: Machine, wanted: int) -> bool:
    """Change to a format; say whether that takes time."""
    if m.format == wanted:
        return False
    if m.format < 0 or not m.station.changeover:
        m.format = wanted
        see_to_effects(line, m)
        return False
    m.wanted_format = wanted
    crew = m.station.setup_crew
    line.journal.mark(m)
    if crew is not None and not line.pools[crew.resource].request(m, crew.quantity):
        m.phase = Phase.CALLS_FOR_SETUP
    else:
        _set_up(line, m)
    return True


def _set_up(line: Line, m: Machine) -> None:
    m.phase = _SETUP
    m.work = m.station.changeover[m.format][m.wanted_format] * m.truth.changeover_factor
    line.journal.mark(m)
    go_on(line, m)


def _end_setup(line: Line, m: Machine) -> None:
    m.format = m.wanted_format
    m.wanted_format = -1
    see_to_effects(line, m)
    crew = m.station.setup_crew
    if crew is not None:
        line.release(crew.resource, crew.quantity)
    m.phase = _LOADED if m.items else _READY
    line.journal.mark(m)
    line.wake(m)


def _is_staffed(line: Line, m: Machine) -> bool:
    crew = m.station.operators
    m.phase = _STAFFED
    if crew is None or line.pools[crew.resource].request(m, crew.quantity):
        return True
    m.phase = Phase.CALLS_FOR_WORK
    line.journal.mark(m)
    return False


# Work ---------------------------------------------------------------------------------------------


def _start(line: Line, m: Machine) -> None:
    """Begin to work on what is loaded."""
    work = m.station.seconds[m.format] * m.time_factor
    if work > 0.0:
        work *= m.cycle()
    m.work = m.last_cycle = work
    m.phase = _WORKING
    start = line.journal.start
    for item in m.items:
        start(m, item)
    line.journal.mark(m)
    go_on(line, m)


def go_on(line: Line, m: Machine) -> None:
    """Let a working machine run to its end or to the next stop, unless it is halted."""
    if m.is_halted:
        return
    m.version += 1
    m.segment_began = line.now
    segment = m.work
    if m.clocks is not None and m.phase is _WORKING:
        segment = min(segment, m.clocks.time_to_interruption(line.now, m.stop_rate))
    m.segment = segment
    line.at(line.now + segment, line.end_segment, m, m.version)


def freeze(line: Line, m: Machine) -> None:
    """Stop the work of a machine where it is."""
    elapsed = min(line.now - m.segment_began, m.segment)
    m.version += 1
    m.work -= elapsed
    if m.phase is _WORKING:
        _count_time(m, elapsed)


def _count_time(m: Machine, seconds: float) -> None:
    m.wear_hours += seconds / 3600.0
    if m.clocks is not None:
        m.clocks.run(seconds, m.stop_rate)


def end_segment(line: Line, m: Machine, version: int) -> None:
    """Let a machine come to the end of its work or to a stop, unless things went otherwise.

    Parameters
    ----------
    line : Line
        The line.
    m : Machine
        The machine.
    version : int
        What its timer was when the event was made; events of older ones are void.
    """
    if version != m.version:
        return
    if m.phase is _SETUP:
        _end_setup(line, m)
        return
    _count_time(m, m.segment)
    if m.segment < m.work and m.clocks is not None:
        m.work -= m.segment
        _begin_stop(line, m, m.clocks.interrupting(line.now, m.stop_rate), _WORKING)
        return
    m.work = 0.0
    crew = m.station.operators
    if crew is not None:
        line.release(crew.resource, crew.quantity)
    if m.clocks is not None:
        m.clocks.items += len(m.items)
        m.clocks.weighted_items += len(m.items) * m.stop_rate
    m.phase = _DONE
    proceed(line, m)


# Stops --------------------------------------------------------------------------------------------


def _begin_stop(line: Line, m: Machine, clock: StopClock, after: Phase) -> None:
    m.stop, m.stop_after = clock, after
    crew = clock.layout.crew
    line.journal.mark(m)
    if crew is not None and not line.pools[crew.resource].request(m, crew.quantity):
        m.phase = Phase.CALLS_FOR_REPAIR
        return
    _repair(line, m)


def _repair(line: Line, m: Machine) -> None:
    clock = m.stop
    if clock is None:
        return
    m.phase = Phase.REPAIR
    m.version += 1
    line.journal.mark(m)

    def repaired(_: object, __: int) -> None:
        _end_stop(line, m, clock)

    line.at(line.now + clock.duration_mean * clock.duration(), repaired, None)


def _end_stop(line: Line, m: Machine, clock: StopClock) -> None:
    crew = clock.layout.crew
    if crew is not None:
        line.release(crew.resource, crew.quantity)
    m.stop = None
    if m.clocks is not None:
        m.clocks.restart(clock, line.now)
        watch_calendar(line, m, clock)
    m.phase = m.stop_after
    if clock.state is not MachineState.MICRO_STOP:
        m.wear_hours = 0.0
    line.journal.mark(m)
    if m.phase is _WORKING:
        go_on(line, m)
    else:
        line.wake(m)
    see_to_effects(line, m)


def watch_calendar(line: Line, m: Machine, clock: StopClock) -> None:
    """Look at an idle machine when a stop by the calendar is due.

    Parameters
    ----------
    line : Line
        The line.
    m : Machine
        The machine; while it works, its own timer sees to the stop.
    clock : StopClock
        The stop.
    """
    if clock.layout.counts != "calendar":
        return

    def due(_: object, __: int) -> None:
        if m.phase is Phase.IDLE:
            leave_idle(line, m)
            line.wake(m)

    line.at(max(clock.due, line.now), due, None)


# What changes slowly ------------------------------------------------------------------------------


def see_to_effects(line: Line, m: Machine) -> None:
    """Bring the factors of a machine up to date.

    Parameters
    ----------
    line : Line
        The line.
    m : Machine
        The machine; a cycle that runs already keeps its time, but not its rate of stops.
    """
    is_running = m.phase is _WORKING and not m.is_halted and m.clocks is not None
    if is_running:
        freeze(line, m)
    hour = (line.journal.start_time + line.now) % 86400.0 / 3600.0
    m.see_to_effects(
        line.now / 3600.0,
        is_night=hour >= _EVENING or hour < _MORNING,
        format_name=line.layout.formats[max(m.format, 0)],
    )
    if is_running:
        go_on(line, m)
