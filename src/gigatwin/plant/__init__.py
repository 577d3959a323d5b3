"""The virtual plant: a line with a hidden truth that is operated through real interfaces.

Reads: a Factory for its layout, a truth of its own, instructions.
Writes: readings of tags; the truth only to the evaluator of an experiment.
"""

from gigatwin.plant.evaluation import TrueMachine, TrueState
from gigatwin.plant.feed import PlantFeed
from gigatwin.plant.journal import StateInterval
from gigatwin.plant.misbehaviour import Channel, ClockJump, FrozenTag, Misbehaviour, Restart
from gigatwin.plant.plant import START_TIME, VirtualPlant
from gigatwin.plant.serving import serve
from gigatwin.plant.shocks import Shock

__all__ = [
    "START_TIME",
    "Channel",
    "ClockJump",
    "FrozenTag",
    "Misbehaviour",
    "PlantFeed",
    "Restart",
    "Shock",
    "StateInterval",
    "TrueMachine",
    "TrueState",
    "VirtualPlant",
    "serve",
]
