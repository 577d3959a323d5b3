"""Building a line in motion from a layout and a truth."""

from collections import deque

from gigatwin.errors import SimulationError
from gigatwin.plant.buffers import Buffer
from gigatwin.plant.crews import Pool
from gigatwin.plant.delivery import expect_arrivals
from gigatwin.plant.journal import Journal
from gigatwin.plant.laws import cycle_law, dice, plain_law
from gigatwin.plant.layout import ArrivalsLayout, BufferLayout, PlantLayout, StationLayout
from gigatwin.plant.line import Line, Supply
from gigatwin.plant.machine import Machine
from gigatwin.plant.names import buffer_element, check_unique, machine_names, tag_name
from gigatwin.plant.response import Response
from gigatwin.plant.shocks import Shock
from gigatwin.plant.stops import StopClock
from gigatwin.plant.truth import StationTruth, StopTruth, Truth
from gigatwin.plant.truth.values import Family
from gigatwin.plant.work import end_segment, proceed, see_to_effects, watch_calendar
from gigatwin.telemetry.tags import Quantity

TICK = 300.0
"""Plant time between two looks at what changes slowly: wear, night, age. [s]"""


def build_line(
    layout: PlantLayout, truth: Truth, seed: int, journal: Journal, shocks: tuple[Shock, ...]
) -> Line:
    """Return a line at plant time 0.

    Parameters
    ----------
    layout : PlantLayout
        What there is.
    truth : Truth
        How it really behaves.
    seed : int
        Chooses the random numbers.
    journal : Journal
        Gets the readings.
    shocks : tuple of Shock
        Changes that are brought about on purpose.

    Raises
    ------
    CompileError
        If two devices would have one name.
    SimulationError
        If a shock names a station or machine that is not there.
    """
    line = Line(layout, journal, proceed, end_segment)
    for station in layout.stations:
        _add_station(line, station, truth.stations.get(station.name, StationTruth()), seed)
    for number, arrivals in enumerate(layout.arrivals):
        _add_arrivals(line, arrivals, number, seed)
    for name, (capacity, period, steps) in layout.pools.items():
        _add_pool(line, name, capacity, period, steps)
    check_unique(
        [m.element for m in line.machines.values()] + [buffer_element(b) for b in line.buffers]
    )
    for machine in line.machines.values():
        see_to_effects(line, machine)
        if machine.clocks is not None:
            for clock in machine.clocks.clocks:
                watch_calendar(line, machine, clock)
        line.wake(machine)
    for shock in shocks:
        _add_shock(line, shock)
    _tick_first(line)
    return line


def _add_station(line: Line, station: StationLayout, truth: StationTruth, seed: int) -> None:
    idle: deque[Machine] = deque()
    line.idle[station.name] = idle
    layouts = [] if station.buffer is None else [station.buffer]
    buffers = [_buffer(given, truth, seed) for given in (*layouts, *station.inputs)]
    for buffer in buffers:
        buffer.idle = idle
        buffer.gathers = bool(station.sizes)
        line.buffers[buffer.name] = buffer
    line.station_buffers[station.name] = buffers
    if station.buffer is not None:
        line.own_buffers[station.name] = buffers[0]
    if station.buffer is None and not station.inputs:
        line.supplies[station.name] = Supply(line.layout.orders)
    response = Response(station, truth)
    line.station_machines[station.name] = []
    for name in machine_names(station.name, station.n_machines):
        clocks = [
            StopClock(
                stop, truth.stops.get(stop.name, StopTruth()), dice(seed, name, "stop", stop.name)
            )
            for stop in station.stops
        ]
        machine = Machine(
            name,
            station,
            truth,
            response=response,
            cycle=cycle_law(truth.cycle, dice(seed, name, "cycle")),
            quality=dice(seed, name, "quality"),
            clocks=clocks,
        )
        line.machines[name] = machine
        line.station_machines[station.name].append(machine)


def _buffer(layout: BufferLayout, truth: StationTruth, seed: int) -> Buffer:
    family: Family = "shifted_lognormal" if layout.transfer_cv > 0 else "constant"
    draw = plain_law(family, layout.transfer_cv, dice(seed, layout.name, "transfer"))
    tag = tag_name(buffer_element(layout.name), Quantity.LEVEL)
    return Buffer(layout, truth.transfer_factor, draw, tag)


def _add_arrivals(line: Line, arrivals: ArrivalsLayout, number: int, seed: int) -> None:
    n_formats = len(line.layout.formats)
    station = StationLayout(
        name=arrivals.name,
        kind="arrivals",
        n_machines=1,
        seconds=(0.0,) * n_formats,
        speed=1.0,
        buffer=None,
        ways=arrivals.ways,
    )
    truth = StationTruth()
    source = Machine(
        arrivals.name,
        station,
        truth,
        response=Response(station, truth),
        cycle=plain_law("constant", 0.0, dice(seed, arrivals.name, "cycle")),
        quality=dice(seed, arrivals.name, "quality"),
        clocks=[],
        is_outside=True,
    )
    # An interval with a spread of its mean is what a random stream looks like.
    family: Family = "exponential" if arrivals.interval_cv == 1.0 else "shifted_lognormal"
    factor = plain_law(family, arrivals.interval_cv, dice(seed, arrivals.name, "interval"))
    mean = arrivals.interval
    line.sources.append((source, lambda: mean * factor()))
    expect_arrivals(line, number)


def _add_pool(
    line: Line, name: str, capacity: int, period: float, steps: tuple[tuple[float, int], ...]
) -> None:
    present = capacity
    if steps:
        # The last step also holds from the begin of the period to the first one.
        present = steps[-1][1] if steps[0][0] > 0 else steps[0][1]
    pool = Pool(present)
    line.pools[name] = pool
    if len(steps) > 1:
        first = 0 if steps[0][0] > 0 else 1
        _Shift(line, name, period, steps, present).expect(first, 0.0)


class _Shift:
    """Changes the number of people in a pool at the steps of its calendar."""

    def __init__(
        self,
        line: Line,
        resource: str,
        period: float,
        steps: tuple[tuple[float, int], ...],
        present: int,
    ) -> None:
        self.line = line
        self.resource = resource
        self.period = period
        self.steps = steps
        self.present = present
        self.begin = 0.0

    def expect(self, step: int, begin: float) -> None:
        """Wait for a step of the period that begins at a time."""
        if step == len(self.steps):
            step, begin = 0, begin + self.period
        self.begin = begin
        self.line.at(begin + self.steps[step][0], self.change, None, step)

    def change(self, _: object, step: int) -> None:
        """Let the people of a step come or go."""
        capacity = self.steps[step][1]
        self.line.release(self.resource, capacity - self.present)
        self.present = capacity
        self.expect(step + 1, self.begin)


def _add_shock(line: Line, shock: Shock) -> None:
    machines = line.station_machines.get(shock.where)
    if machines is None:
        one = line.machines.get(shock.where)
        if one is None:
            known = ", ".join(line.station_machines)
            message = (
                f"shock at '{shock.where}': no such station or machine; must be one of {known}, "
                "or a machine such as 'station#1'"
            )
            raise SimulationError(message)
        machines = [one]

    def strike(_: object, __: int) -> None:
        for machine in machines:
            machine.shock *= shock.factor
            see_to_effects(line, machine)

    line.at(shock.after, strike, None)


def _tick_first(line: Line) -> None:
    start = line.journal.start_time

    def tick(_: object, __: int) -> None:
        for machine in line.machines.values():
            see_to_effects(line, machine)
        line.at(line.now + TICK, tick, None)

    # Shifts begin at full hours, so ticks stand at whole multiples of the clock.
    line.at(TICK - start % TICK, tick, None)
