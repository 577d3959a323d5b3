"""Notice what has changed in a plant, at a stated rate of false alarms, and what it means.

Reads: event rows (telemetry), the factory, simulated histories to compare with.
Writes: findings with proposals that nobody has accepted yet, and the comparison with the model.
"""

from gigatwin.twin.watch.findings import Finding, Proposal
from gigatwin.twin.watch.watch import Watch

__all__ = ["Finding", "Proposal", "Watch"]
