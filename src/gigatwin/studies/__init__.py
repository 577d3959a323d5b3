"""Questions answered by many runs: scenarios compared under the same luck.

Reads: Factories, or changes to one, with the days, replications and seed to use.
Writes: a Comparison: the Result of each, and paired differences with confidence intervals.
"""

from gigatwin.studies.attribution import Attribution, attribute
from gigatwin.studies.comparison import Comparison, compare
from gigatwin.studies.verdicts import BETTER, NO_CLEAR_DIFFERENCE, WORSE

__all__ = [
    "BETTER",
    "NO_CLEAR_DIFFERENCE",
    "WORSE",
    "Attribution",
    "Comparison",
    "attribute",
    "compare",
]
