"""What stations did before a change, from the counters that the historian kept."""

from collections.abc import Iterable

import numpy as np

from gigatwin.factory.factory import Factory
from gigatwin.telemetry.ports import Historian
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.changes.prediction import Baseline
from gigatwin.twin.changes.writes import TagBook, machines_of

_LEAST_ITEMS = 20.0


def seen_before(  # noqa: PLR0913, PLR0917 - what is asked for
    factory: Factory,
    stations: Iterable[str],
    book: TagBook,
    historian: Historian,
    now: float,
    seconds: float,
) -> dict[str, Baseline]:
    """Return what stations did in some time until now, for those whose counters were kept.

    Parameters
    ----------
    factory : Factory
        The plant's model.
    stations : iterable of str
        Stations to look at.
    book : TagBook
        Which tags count items.
    historian : Historian
        What was kept of them.
    now : float
        End of the time, by the plant's clock. [s]
    seconds : float
        Its length; it is shorter where less was kept. [s]

    Returns
    -------
    dict
        Without stations of which a machine has no counter, or that made fewer than 20 items.
    """
    found: dict[str, Baseline] = {}
    for station in stations:
        machines = machines_of(factory, station)
        processed = [
            _gained(book, historian, m, Quantity.PROCESSED, now, seconds) for m in machines
        ]
        spoiled = [_gained(book, historian, m, Quantity.DEFECTIVE, now, seconds) for m in machines]
        begins = [each[1] for each in processed if each is not None]
        if len(begins) < len(machines):
            continue
        every = sum(each[0] for each in processed if each is not None)
        scrap = sum(each[0] for each in spoiled if each is not None)
        if every >= _LEAST_ITEMS and min(begins) < now:
            found[station] = Baseline(max(every - scrap, 0.0), scrap, now - min(begins))
    return found


def _gained(  # noqa: PLR0913, PLR0917 - as of `seen_before`
    book: TagBook,
    historian: Historian,
    machine: str,
    quantity: Quantity,
    now: float,
    seconds: float,
) -> tuple[float, float] | None:
    """Return what a counter gained and when it was first read; None: it has nothing to say."""
    tag = book.tag_for(machine, quantity)
    if tag is None:
        return None
    rows = historian.read(tag[0], now - seconds, np.nextafter(now, np.inf)).drop_nulls("value")
    if rows.is_empty():
        return None
    values = rows["value"].to_numpy()
    steps = np.diff(values)
    # One that fell was set to 0 in between.
    gained = np.where(steps >= 0, steps, values[1:]).sum()
    return float(gained), float(rows["time"][0])
