"""Run a compiled factory: replications, warm-up, snapshots, results.

Reads: a Factory or CompiledModel, the horizon, the seed.
Writes: a Result (tables with confidence intervals) and, when traced, the event log.
"""

from gigatwin.simulation.result import Result
from gigatwin.simulation.run import Run
from gigatwin.simulation.simulate import simulate

__all__ = ["Result", "Run", "simulate"]
