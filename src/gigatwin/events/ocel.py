"""Object-centric event logs (OCEL 2.0, JSON), seen from one type of object."""

import re
from collections import Counter
from typing import Any

import polars as pl

from gigatwin.errors import TelemetryError

_MACHINE = re.compile(
    r"machine|resource|station|equipment|work.?cell|work.?cent|device|asset", re.IGNORECASE
)
_REQUIRED = "an OCEL 2.0 log: keys 'objects' and 'events', each event with id, type and time"


def ocel_table(
    content: dict[str, Any], file: str, object_type: str | None = None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the events of an object-centric log, one row for each object of the case's type.

    Parameters
    ----------
    content : dict
        The JSON.
    file : str
        Name of the file, for messages.
    object_type : str, optional
        Type of object that is the case; left out, the one in most events that is no machine.

    Returns
    -------
    tuple of polars.DataFrame and tuple of str
        Columns case, activity, timestamp, machine and parts (objects of other types, with ``;``
        between) where there are any, the attributes of the events, and those of the case's object
        with ``case:`` in front; all text. And sentences on what was chosen and left out.

    Raises
    ------
    TelemetryError
        If it is no such log, or has no events with objects of the type.
    """
    try:
        kinds = {str(item["id"]): str(item["type"]) for item in content["objects"]}
        about = {
            str(item["id"]): {
                f"case:{value['name']}": str(value["value"])
                # The latest value stands last; the first is what the object was made as.
                for value in reversed(item.get("attributes") or [])
            }
            for item in content["objects"]
        }
        events = [_event(event) for event in content["events"]]
    except (KeyError, TypeError, AttributeError) as error:
        message = f"{file}: {type(error).__name__} {error}; needs {_REQUIRED}"
        raise TelemetryError(message) from error
    chosen, notes = _case_type(kinds, events, file, object_type)
    rows: list[dict[str, str]] = []
    n_without = 0
    for activity, time, attributes, objects in events:
        cases = [name for name in objects if kinds.get(name) == chosen]
        n_without += not cases
        machines = [name for name in objects if _MACHINE.search(kinds.get(name, ""))]
        for case in cases:
            others = [name for name in objects if name not in machines and name != case]
            rows.append(
                {
                    "case": case,
                    "activity": activity,
                    "timestamp": time,
                    **({"machine": machines[0]} if machines else {}),
                    **({"parts": ";".join(others)} if others else {}),
                    **attributes,
                    **about[case],
                }
            )
    if not rows:
        message = f"{file}: no event has an object of type '{chosen}'; needs {_REQUIRED}"
        raise TelemetryError(message)
    if n_without:
        notes.append(f"{n_without} events without an object of type '{chosen}' left out")
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))
    return table, tuple(notes)


def _event(event: dict[str, Any]) -> tuple[str, str, dict[str, str], list[str]]:
    attributes = {str(item["name"]): str(item["value"]) for item in event.get("attributes") or []}
    objects = [str(item["objectId"]) for item in event.get("relationships") or []]
    return str(event["type"]), str(event["time"]), attributes, list(dict.fromkeys(objects))


def _case_type(
    kinds: dict[str, str],
    events: list[tuple[str, str, dict[str, str], list[str]]],
    file: str,
    wanted: str | None,
) -> tuple[str, list[str]]:
    known = sorted(set(kinds.values()))
    if wanted is not None:
        if wanted not in known:
            found = ", ".join(f"'{name}'" for name in known)
            message = (
                f"{file}: no object of type '{wanted}', the mapping's object_type; has {found}"
            )
            raise TelemetryError(message)
        return wanted, []
    counts = Counter(
        kind for event in events for kind in {kinds[name] for name in event[3] if name in kinds}
    )
    sizes = Counter(kinds.values())
    ranked = sorted(
        (name for name in counts if not _MACHINE.search(name)),
        key=lambda name: (-counts[name], -sizes[name], name),
    )
    if not ranked:
        message = f"{file}: events have no objects but machines; needs {_REQUIRED}, and items"
        raise TelemetryError(message)
    chosen = ranked[0]
    note = f"object_type: '{chosen}', in {counts[chosen]} of {len(events)} events"
    return chosen, [note]
