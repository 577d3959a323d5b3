"""Run a compiled factory: replications, warm-up, snapshots, results.

Reads: a Factory or CompiledModel, the horizon, the seed.
Writes: a Result (tables with confidence intervals) and, when traced, the event log.
"""

from gigatwin.simulation.result import Parameters, Result
from gigatwin.simulation.run import Run
from gigatwin.simulation.sampling import throughput_of, trace_of
from gigatwin.simulation.simulate import simulate

__all__ = ["Parameters", "Result", "Run", "simulate", "throughput_of", "trace_of"]
