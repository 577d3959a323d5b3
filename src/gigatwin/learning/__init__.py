"""Learning: a factory description from what a plant recorded, with what it rests on.

Each law has its module: durations, routing, arrivals, failures, servers. `learn` puts them
together; `holdout` tells how well the result foretells later records.

Reads: ``CaseLog`` (events).
Writes: ``Learned``: a ``Factory`` with estimates, intervals and notes; ``Holdout`` scores.
"""

from gigatwin.learning.holdout import Holdout, StationScore, holdout
from gigatwin.learning.learn import Learned, LearnedStation, learn

__all__ = [
    "Holdout",
    "Learned",
    "LearnedStation",
    "StationScore",
    "holdout",
    "learn",
]
