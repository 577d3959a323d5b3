"""Learning: a factory description from what a plant recorded, with what it rests on.

`learn` puts the parts together, `learn_states` where there are only states of machines; `verify`
holds any description against any log; `calibrate` fits
what no record shows; `holdout` tells how well laws foretell later records.

Reads: ``CaseLog``, ``StateLog`` (events).
Writes: ``Learned``: a ``Factory`` with estimates, intervals and what is not known;
``Verification``, ``Calibration``, ``Holdout``.
"""

from gigatwin.learning.calibration.calibration import Calibration, calibrate
from gigatwin.learning.check.holdout import Holdout, StationScore, holdout
from gigatwin.learning.check.verification import Verification, verify
from gigatwin.learning.learn import learn
from gigatwin.learning.learned import Learned, LearnedStation
from gigatwin.learning.provenance import Unknown
from gigatwin.learning.states.learn_states import learn_states
from gigatwin.learning.states.learned_machines import LearnedMachine, LearnedMachines

__all__ = [
    "Calibration",
    "Holdout",
    "Learned",
    "LearnedMachine",
    "LearnedMachines",
    "LearnedStation",
    "StationScore",
    "Unknown",
    "Verification",
    "calibrate",
    "holdout",
    "learn",
    "learn_states",
    "verify",
]
