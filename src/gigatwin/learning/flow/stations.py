"""Stations of a log: each activity on each machine is one, under a name fit for a description."""

import re

import polars as pl

from gigatwin.factory.routing import OUT


def with_stations(activities: pl.DataFrame) -> pl.DataFrame:
    """Return the activities with their column ``station``.

    The name is that of the machine and the last part of the activity, ``ov_1-burn`` for
    ``/ov/burn`` on ``ov_1``; the whole activity where two activities of a machine end alike; the
    machine alone where the log does not tell machine and activity apart.

    Parameters
    ----------
    activities : polars.DataFrame
        As in `CaseLog.activities`.
    """
    pairs = activities.select("activity", "machine").unique().sort("machine", "activity").rows()
    names: dict[tuple[str, str], str] = {}
    taken = {OUT}
    for activity, machine in pairs:
        short = _last_part(activity)
        alike = sum(other == machine and _last_part(name) == short for name, other in pairs)
        step = short if alike == 1 else activity
        wanted = slug(machine) if activity == machine else f"{slug(machine)}-{slug(step)}"
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name)
        names[activity, machine] = name
    table = pl.DataFrame(
        [(*pair, name) for pair, name in names.items()],
        schema=["activity", "machine", "station"],
        orient="row",
    )
    return activities.join(table, on=["activity", "machine"], how="left", maintain_order="left")


def slug(name: str) -> str:
    """Return a name without the signs that a description uses itself: dots, blanks, slashes."""
    return re.sub(r"[^\w-]+", "_", name).strip("_") or "unnamed"


def _last_part(activity: str) -> str:
    return activity.rstrip("/").rsplit("/", maxsplit=1)[-1]
