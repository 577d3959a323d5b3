"""Visits in the records of a simulation: from START to LEAVE, as a log of a real line has them."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.factory.stations import StorageStation
from gigatwin.kernel.layout import Kind
from gigatwin.learning.check.log_measures import Floats, Integers, Visits


def simulated_visits(
    compiled: CompiledModel,
    records: NDArray[np.void],
    stations: Sequence[str],
    instant: Collection[str] = (),
) -> Visits:
    """Return the visits of items to some stations, as `events.visits.visits_of` does from a table.

    A visit that began before the first record has no start, one under way at the end no end. The
    time in a storage begins when the item leaves the station before. This works on the numbers of
    the records, because a calibration does it a thousand times.

    Parameters
    ----------
    compiled : CompiledModel
        The factory that was simulated.
    records : numpy.ndarray
        Its event records, in the order of time.
    stations : sequence of str
        Names of the stations whose visits are wanted.
    instant : collection of str
        Storages of which a visit is the moment at which it hands the item on.
    """
    names = tuple(stations)
    place = np.full(len(compiled.stations), -1, dtype=np.int64)
    for number, name in enumerate(names):
        place[compiled.stations.index(name)] = number
    station_of = place[compiled.model.machine_station]
    kind = records["kind"]
    rows = np.flatnonzero((kind == Kind.START) | (kind == Kind.LEAVE))
    machine = records["machine"][rows]
    rows = rows[station_of[machine] >= 0]
    machine = records["machine"][rows].astype(np.int64)
    item = records["item"][rows]
    # Records stand in the order of time, which a stable sort keeps within each item and machine.
    order = np.argsort(item * len(compiled.machines) + machine, kind="stable")
    rows, machine, item = rows[order], machine[order], item[order]
    time, is_start = records["time"][rows], kind[rows] == Kind.START
    same = np.zeros(len(rows), dtype=bool)
    same[:-1] = (item[1:] == item[:-1]) & (machine[1:] == machine[:-1])
    is_pair = np.zeros(len(rows), dtype=bool)
    is_pair[:-1] = is_start[:-1] & ~is_start[1:] & same[:-1]
    ends = np.append(time[1:], np.nan)
    begun = np.where(is_start, time, _begun(records, rows, item, is_start))
    is_alone = ~is_start
    is_alone[1:] &= ~is_pair[:-1]
    taken = is_start | is_alone
    visits = Visits(
        case=item[taken],
        station=station_of[machine[taken]],
        start=begun[taken],
        end=np.where(is_pair, ends, np.where(is_start, np.nan, time))[taken],
        stations=names,
    )
    return _with_storage(compiled, visits, instant)


def _begun(
    records: NDArray[np.void], rows: Integers, item: Integers, is_start: NDArray[np.bool_]
) -> Floats:
    """Return when items began that a machine made of others: when the machine last began.

    NaN for other items, whose begin is a record of its own or lies before the first one.
    """
    found = np.full(len(rows), np.nan)
    made = np.flatnonzero(~is_start)
    firsts = np.full(int(item.max(initial=0)) + 1, len(records))
    np.minimum.at(firsts, item, rows)
    made = made[firsts[item[made]] == rows[made]]
    if len(made) == 0:
        return found
    starts = np.flatnonzero(records["kind"] == Kind.START)
    machine = records["machine"]
    order = np.lexsort((starts, machine[starts]))
    # Places of starts, by machine and time, as one ascending number.
    keys = machine[starts[order]].astype(np.int64) * len(records) + starts[order]
    before = np.searchsorted(keys, machine[rows[made]].astype(np.int64) * len(records) + rows[made])
    known = (before > 0) & (machine[starts[order[before - 1]]] == machine[rows[made]])
    found[made[known]] = records["time"][starts[order[before[known] - 1]]]
    return found


def _with_storage(compiled: CompiledModel, visits: Visits, instant: Collection[str]) -> Visits:
    """Return visits in which the time in a storage begins with the end of the visit before."""
    elements = compiled.factory.stations
    stores = [
        isinstance(elements.get(name), StorageStation) and name not in instant
        for name in visits.stations
    ]
    if not any(stores):
        return visits
    order = np.lexsort((np.fmin(visits.start, visits.end), visits.case))
    case, start = visits.case[order], visits.start[order].copy()
    end, station = visits.end[order], visits.station[order]
    follows = np.zeros(len(order), dtype=bool)
    follows[1:] = case[1:] == case[:-1]
    stored = np.asarray(stores)[station]
    start[stored] = np.nan
    known = np.flatnonzero(stored & follows)
    start[known] = end[known - 1]
    return Visits(case, station, start, end, visits.stations)
