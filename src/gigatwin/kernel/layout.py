"""The arrays a run lives in: the model, which never changes, and the state, which is a snapshot.

Numbers of elements index these arrays everywhere: machine ``m`` is ``machines[m]``. ``-1`` means
none. Times in seconds, contents in the unit of the lot (m, kg, items).
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNLIMITED = 1 << 60
"""Capacity of a buffer without a limit."""
N_STATES = 9
"""Number of machine states (`MachineState`)."""
N_LEAD_BINS = 1600
"""Bins of the lead-time histogram: 32 an octave, from 2**-10 s on."""


class Phase(IntEnum):
    """What a machine does next; the state that tallies see is a `MachineState`."""

    IDLE = 0
    WOKEN = 1
    READY = 2
    LOADED = 3
    STAFFED = 4
    EXECUTING = 5
    RELEASING = 6
    BLOCKED = 7
    CALLS_FOR_STOP = 8
    CALLS_FOR_SETUP = 9
    CALLS_FOR_WORK = 10
    STOPPED = 11
    SETUP = 12


class Law(IntEnum):
    """How a duration is drawn from one uniform number."""

    CONSTANT = 0
    EXPONENTIAL = 1
    UNIFORM = 2
    TRIANGULAR = 3
    WEIBULL = 4
    LOGNORMAL = 5
    GAMMA = 6
    SAMPLES = 7
    QUANTILES = 8


class Clock(IntEnum):
    """What a stop counts until it is due."""

    RUNNING = 0
    CALENDAR = 1
    ITEMS = 2
    CONTENT = 3


class Purpose(IntEnum):
    """What a machine draws numbers for; stop ``j`` adds two more: its interval and its duration."""

    SERVICE = 0
    QUALITY = 1
    ROUTE = 2
    SETUP = 3


class Kind(IntEnum):
    """What an event record says."""

    START = 0
    BLOCK = 1
    LEAVE = 2
    LOAD = 3
    STARVE = 4
    CALL = 5
    SETUP = 6
    STOP = 7
    REPAIR = 8
    RESUME = 9
    ARRIVE = 10


class Cause(IntEnum):
    """What an event waited for."""

    NOTHING = 0
    PART = 1
    MACHINE = 2
    SPACE = 3
    REPAIR = 4
    CREW = 5
    CHANGEOVER = 6


class Status(IntEnum):
    """Why the kernel returned."""

    REACHED = 0
    PAUSED = 1
    TRACE_FULL = 2
    ITEMS_FULL = 3
    DEADLOCK = 4
    EMPTY = 5
    TRACE_OVERFLOW = 6
    STANDSTILL = 7


class Feature(IntEnum):
    """Bits that say which rules a station needs, so that the others cost nothing."""

    STOPS = 1
    PORTS = 2
    QUALITY = 4
    CHANGEOVER = 8
    OPERATORS = 16
    SPLITS = 32
    ROUTES = 64
    AMOUNTS = 128


OUT = -1
"""Target of an item that leaves as a product."""
SCRAP = -2
"""Target of an item that is scrapped."""
UNDECIDED = -3
"""Target of an item whose turn has not come."""

STATION = np.dtype(
    [
        ("first_machine", "i4"),
        ("n_machines", "i4"),
        ("features", "i4"),
        ("idle_row", "i4"),
        ("buffer", "i4"),  # the primary buffer; -1: the station creates its items
        ("first_port", "i4"),
        ("n_ports", "i4"),
        ("batches", "i4"),  # 1: takes several items together
        ("minimum", "i4"),  # of a batch; 0: a full one
        ("operators", "i4"),  # resource
        ("n_operators", "i4"),
        ("first_stop", "i4"),
        ("n_stops", "i4"),
        ("initial_format", "i4"),  # set up for at the start; -1: for the first item
        ("setup_crew", "i4"),
        ("n_setup_crew", "i4"),
        ("first_setup", "i4"),  # into setups: law by (from, to)
        ("first_find", "i4"),
        ("n_finds", "i4"),
        ("inspects", "i4"),
        ("rework", "i4"),  # buffer; -1: scrap
        ("ordered", "i4"),  # 1: follows the order book
        ("false_alarm", "f8"),
        ("repairs", "i8"),  # defects mended, a bit each
    ],
    align=True,
)
RECIPE = np.dtype(  # by station and format, index station * n_formats + format
    [
        ("law", "i4"),
        ("scales", "i4"),  # 1: work is proportional to the content
        ("factor", "f8"),
        ("batch", "i4"),
        ("count", "i4"),  # items that come out
        ("content", "f8"),  # of each; NaN: that of the item that went in
        ("per_product", "f8"),
        ("scrap", "f8"),
        ("first_defect", "i4"),
        ("n_defects", "i4"),
        ("first_route", "i4"),
        ("n_routes", "i4"),
        ("shortest", "i4"),  # 1: choose the route with the fewest items
    ],
    align=True,
)
CHANCE = np.dtype([("defect", "i4"), ("probability", "f8")], align=True)
ROUTE = np.dtype([("buffer", "i4"), ("threshold", "f8")], align=True)
STOP = np.dtype(
    [
        ("clock", "i4"),
        ("law", "i4"),
        ("factor", "f8"),
        ("duration", "i4"),
        ("crew", "i4"),
        ("n_crew", "i4"),
        ("state", "i4"),
        ("preempts", "i4"),
        ("timetable", "i4"),  # 1: due again at fixed times, whatever happens between
        ("startup_scrap", "f8"),
    ],
    align=True,
)
LAW = np.dtype(
    [("kind", "i4"), ("first", "i4"), ("n", "i4"), ("a", "f8"), ("b", "f8"), ("c", "f8")],
    align=True,
)
BUFFER = np.dtype(
    [
        ("capacity", "i8"),
        ("station", "i4"),
        ("port", "i4"),  # input of the station it belongs to; -1: the primary buffer
        ("moves", "i4"),  # 1: items are on their way for a time
        ("batches", "i4"),  # 1: the consumer takes several items together
    ],
    align=True,
)
RESOURCE = np.dtype(
    [
        ("capacity", "i8"),
        ("first_shift", "i4"),
        ("n_shifts", "i4"),
        ("period", "f8"),
        ("row", "i4"),
    ],
    align=True,
)
SHIFT = np.dtype([("at", "f8"), ("capacity", "i8")], align=True)
ARRIVAL = np.dtype(
    [
        ("law", "i4"),
        ("buffer", "i4"),
        ("first_mix", "i4"),
        ("n_mix", "i4"),
        ("stream", "i4"),  # interval; the next one: format
    ],
    align=True,
)
MIX = np.dtype([("format", "i4"), ("threshold", "f8")], align=True)
ORDER = np.dtype([("format", "i4"), ("quantity", "f8"), ("release", "f8")], align=True)


class Model(NamedTuple):
    """What the kernel knows of a factory; arrays of records, one for each element."""

    stations: NDArray[np.void]
    recipes: NDArray[np.void]
    defects: NDArray[np.void]
    finds: NDArray[np.void]
    routes: NDArray[np.void]
    stops: NDArray[np.void]
    setups: NDArray[np.int32]
    laws: NDArray[np.void]
    tables: NDArray[np.float64]
    buffers: NDArray[np.void]
    transfers: NDArray[np.int32]  # law by (buffer, format)
    ports: NDArray[np.int32]  # buffer of each port
    needs: NDArray[np.float64]  # content for one item by (port, format)
    resources: NDArray[np.void]
    shifts: NDArray[np.void]
    arrivals: NDArray[np.void]
    mixes: NDArray[np.void]
    orders: NDArray[np.void]
    machine_station: NDArray[np.int32]
    sizes: NDArray[np.int64]  # see Size


MACHINE = np.dtype(
    [
        ("phase", "i4"),
        ("state", "i4"),
        ("next", "i4"),  # in the one queue it stands in
        ("head", "i4"),  # items it holds, a chain
        ("tail", "i4"),
        ("n_items", "i4"),
        ("target", "i4"),  # where the first item goes
        ("stop", "i4"),  # the stop it is in or runs into
        ("format", "i4"),  # set up for
        ("cause", "i4"),
        ("because", "i4"),
        ("created", "i4"),  # 1: the item in work was created here
        ("interrupted", "i4"),  # 1: the stop it is in interrupted an item
        ("needs_crew", "i4"),
        ("first_stream", "i4"),
        ("first_clock", "i4"),
        ("first_magazine", "i4"),
        ("since", "f8"),
        ("began", "f8"),
        ("work", "f8"),  # processing left
        ("running", "f8"),  # processing done since the start of the run
        ("n_done", "f8"),
        ("content_done", "f8"),
        ("n_active", "i8"),  # times it left an inactive state
    ],
    align=True,
)
ITEM = np.dtype(
    [
        ("next", "i4"),
        ("format", "i4"),
        ("order", "i4"),
        ("reworks", "i4"),
        ("serial", "i8"),
        ("defects", "i8"),
        ("born", "f8"),
        ("made", "f8"),  # time of its oldest defect; inf: none
        ("content", "f8"),
        ("arrives", "f8"),  # at the end of the buffer
    ],
    align=True,
)
QUEUE = np.dtype(
    [
        ("head", "i4"),
        ("tail", "i4"),
        ("count", "i4"),
        ("arrived", "i4"),
        ("moving", "i4"),  # first item still on its way
        ("peak", "i4"),
        ("changes", "i4"),  # neighbours of different format or order, for batches
        ("stream", "i4"),
        ("last_arrival", "f8"),
        ("since", "f8"),
        ("area", "f8"),  # integral of the level over time
    ],
    align=True,
)
ROW = np.dtype([("first", "i4"), ("last", "i4")], align=True)
SUPPLY = np.dtype([("order", "i4"), ("remaining", "f8")], align=True)
POOL = np.dtype(
    [
        ("free", "i8"),
        ("capacity", "i8"),
        ("shift", "i4"),
        ("since", "f8"),
        ("area", "f8"),  # integral of units in use over time
    ],
    align=True,
)
MAGAZINE = np.dtype(
    [
        ("level", "f8"),
        ("defects", "i8"),  # of the lot loaded last
        ("made", "f8"),
        ("blend", "i8"),  # of the remnants used up in this cycle
        ("blend_made", "f8"),
        ("order", "i4"),
        ("format", "i4"),
    ],
    align=True,
)
STREAM = np.dtype([("state", "u8"), ("gamma", "u8")], align=True)
CONTROL = np.dtype(
    [
        ("now", "f8"),
        ("serial", "i8"),
        ("n_events", "i8"),
        ("at_once", "i8"),  # entries handled since the time moved
        ("n_records", "i8"),
        ("n_free", "i8"),
        ("first_free", "i4"),
        ("culprit", "i4"),
        ("traces", "i4"),
        ("overflow", "i4"),
        ("item_margin", "i8"),
        ("record_margin", "i8"),
        ("created", "i8"),
        ("consumed", "i8"),
        ("discarded", "f8"),
    ],
    align=True,
)
RECORD = np.dtype(
    [
        ("time", "f8"),
        ("item", "i8"),
        ("machine", "i4"),
        ("because", "i4"),
        ("detail", "i4"),
        ("kind", "u1"),
        ("state", "u1"),
        ("cause", "u1"),
        ("format", "u1"),
    ],
    align=True,
)
FLOW = np.dtype(  # by station and format
    [
        ("processed", "i8"),
        ("content", "f8"),
        ("seconds", "f8"),  # processing begun
        ("setup", "f8"),  # changeovers to the format begun
        ("left", "i8"),
        ("scrapped", "i8"),
        ("reworked", "i8"),
        ("finished", "i8"),  # left the factory as a product
        ("first_pass", "i8"),  # of these, never reworked
        ("lead_time", "f8"),
    ],
    align=True,
)
FINDING = np.dtype([("count", "i8"), ("delay", "f8")], align=True)
OUTAGE = np.dtype([("count", "i8"), ("seconds", "f8"), ("begun", "f8")], align=True)


class State(NamedTuple):
    """All that changes during a run."""

    machines: NDArray[np.void]
    items: NDArray[np.void]
    queues: NDArray[np.void]
    rows: NDArray[np.void]  # machines that wait: for room, idle, for a crew; last: the agenda
    supplies: NDArray[np.void]  # place in the order book, by station
    pools: NDArray[np.void]
    magazines: NDArray[np.void]
    due: NDArray[np.float64]  # of each machine's stops, on the clock of the stop
    streams: NDArray[np.void]
    clock: NDArray[np.float64]  # the calendar: next time of each actor
    tree: NDArray[np.int32]  # tournament over the clock
    durations: NDArray[np.float64]  # shape (n_machines, N_STATES)
    flows: NDArray[np.void]
    findings: NDArray[np.void]  # by (station, defect); then spoiled here, false alarm
    outages: NDArray[np.void]  # of each machine's stops
    lead_times: NDArray[np.int64]  # shape (n_formats, N_LEAD_BINS)
    records: NDArray[np.void]
    seen: NDArray[np.int32]  # scratch of the deadlock check, by buffer
    found: NDArray[np.int32]
    control: NDArray[np.void]  # one record


class Size(IntEnum):
    """Place of each number in `Model.sizes`."""

    MACHINES = 0
    BUFFERS = 1
    ARRIVALS = 2
    RESOURCES = 3
    FORMATS = 4
    LOOPS = 5
    DEFECTS = 6
