"""A log in the terms of a description: its working time, and its activities side by side as one."""

import polars as pl

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.factory import Factory
from gigatwin.learning.clock.time_axis import TimeAxis, axis_of
from gigatwin.learning.flow.concurrency import folded
from gigatwin.learning.flow.moves import without_transports


def as_described(factory: Factory, log: CaseLog) -> pl.DataFrame:
    """Return the visits of a log as a simulation of a factory would show them.

    Parameters
    ----------
    factory : Factory
        The description; its ``working_hours`` and what its stations are ``recorded_as`` count.
    log : CaseLog
        The log.
    """
    visits, _ = without_transports(log.visits)
    axis = axis_as_described(factory, log)
    visits = visits if axis is None else axis.to_working(visits)
    names = [station.recorded_as for station in factory.stations.values()]
    side_by_side = tuple(name.activities for name in names if name and name.is_side_by_side)
    return folded(visits, side_by_side)[0]


def axis_as_described(factory: Factory, log: CaseLog) -> TimeAxis | None:
    """Return how times of a log become those of a description; None where they are the same."""
    if factory.working_hours is None:
        return None
    visits, _ = without_transports(log.visits)
    return axis_of(visits, log.origin, factory.working_hours)
