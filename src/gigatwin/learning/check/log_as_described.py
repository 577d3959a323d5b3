"""A log in the terms of a description: its working time, and its activities side by side as one."""

import polars as pl

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.factory import Factory
from gigatwin.learning.clock.time_axis import axis_of
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
    if factory.working_hours is not None:
        visits = axis_of(visits, log.origin, factory.working_hours).to_working(visits)
    names = [station.recorded_as for station in factory.stations.values()]
    side_by_side = tuple(name.activities for name in names if name and name.is_side_by_side)
    return folded(visits, side_by_side)[0]
