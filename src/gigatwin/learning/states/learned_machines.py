"""What the states of machines alone tell: each machine, and a description that runs."""

from dataclasses import dataclass

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.factory.stops import Stop
from gigatwin.learning.clock.calendars import Calendar
from gigatwin.learning.provenance import Unknown
from gigatwin.learning.states.reliability import StopEstimate
from gigatwin.learning.states.state_shares import EnergyEstimate
from gigatwin.learning.states.work_stretches import Stretches
from gigatwin.learning.times.laws import LawChoice
from gigatwin.units import Items

WAITS = ("starved", "blocked", "waiting_for_crew", "no_order")
"""States in which a machine waits for its surroundings."""
_HARDLY_EVER = 0.02


@dataclass(frozen=True)
class SetupEstimate:
    """How often a machine is set up, and for how long."""

    between: Estimate
    """Working time over number of setups. [s]"""
    after: float | None
    """Mean of the exponential working time after which a setup falls due, to be done at the end of
    the item; that makes ``between`` in the mean. None: one after each item. [s]"""
    time: LawChoice
    """Law of their lengths; after each item, of all setups that belong to one."""

    def to_stop(self) -> Stop:
        """Return setups as planned stops: no format is known that could change."""
        every: Distribution | Items = Items(1.0)
        if self.after is not None:
            every = Distribution(distribution="exponential", mean=self.after)
        is_constant = not isinstance(self.time.law, Distribution | Empirical)
        return Stop(
            kind="planned",
            every=every,
            clock=None if self.after is None else "running",
            duration=self.time.law,
            description="Setups: the log does not tell from which format to which.",
            estimates={"duration": self.time.mean} if is_constant else {},
        )


@dataclass(frozen=True)
class LearnedMachine:
    """What the states of a machine tell."""

    name: str
    """Name in the log."""
    station: str
    """Station of the description that it is, or is a part of."""
    time: LawChoice
    """Law of its work, without stops. [s]"""
    has_items: bool
    """Whether ``time`` is all work on an item or order that the log names; otherwise it is that of
    a stretch of work until the machine waits or is set up."""
    work: Stretches
    """The work that the law was learned from."""
    stops: tuple[StopEstimate, ...]
    """Its stops."""
    setup: SetupEstimate | None
    """Its setups, where it has any."""
    energy: EnergyEstimate | None
    """Its power, where the log has energies."""
    shares: dict[str, Estimate]
    """Share of its recorded time in each state."""
    interval: LawChoice | None
    """Time from the begin of work to the begin of the next; None where no two are known. [s]"""
    recorded_ratio: float
    """Share of the time from its first to its last record in which its state is known."""

    @property
    def waiting_ratio(self) -> float:
        """Share of its recorded time in which it waits for its surroundings."""
        return sum(self.shares[state].value for state in WAITS if state in self.shares)

    @property
    def is_endless(self) -> bool:
        """Whether there is always something to do, or no interval that tells when there is."""
        return self.interval is None or self.waiting_ratio < _HARDLY_EVER


@dataclass(frozen=True)
class LearnedMachines:
    """A factory learned from the states of its machines alone."""

    factory: Factory
    """The description."""
    machines: dict[str, LearnedMachine]
    """What was learned of each machine that worked, by its name in the log."""
    notes: tuple[str, ...]
    """What was assumed or left out."""
    unknowns: tuple[Unknown, ...]
    """What the log does not tell, and what would."""
    calendar: Calendar
    """When there is work."""
