"""The watch over one change: from observations to looks, and what they decide."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gigatwin.telemetry.observations import Observation
from gigatwin.twin.changes.counting import LineCounts, MachineCounts
from gigatwin.twin.changes.entry import Kind
from gigatwin.twin.changes.history import ChangeHistory
from gigatwin.twin.changes.judging import Judge, Judgement

_SILENCE = 60.0
"""Time without any observation after which the counters may be stale. [s]"""
_FRESH = 30.0
"""Time after a silence in which every counter has been seen again. [s]"""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at a look."""

    number: int
    """From 1; 0: the watch begins."""
    plant_time: float
    """By the plant's clock. [s]"""
    judgements: tuple[Judgement, ...]
    """Of every quantity of every station; none when the watch begins."""
    state: Mapping[str, Any]
    """What a later process needs to go on from here."""

    @property
    def outside(self) -> tuple[Judgement, ...]:
        """Those that are a reason to roll back."""
        return tuple(judgement for judgement in self.judgements if judgement.is_outside)

    @property
    def data(self) -> dict[str, Any]:
        """The look as plain data."""
        return {
            "look": self.number,
            "plant_time": self.plant_time,
            "judgements": [judgement.data for judgement in self.judgements],
            "text": "; ".join(judgement.text for judgement in self.judgements),
            "state": dict(self.state),
        }


class Watch:
    """The watch over one change.

    It begins when the line has settled and every watched machine has been heard of. A moment at
    which nothing was heard is not judged; the next one is, with its counts taken back to the time
    of the look in proportion, which can only make them look closer to the prediction.

    Parameters
    ----------
    history : ChangeHistory
        A change that was applied; its last look is where this one goes on.
    machines_of : callable
        Machines of a station.
    """

    def __init__(self, history: ChangeHistory, machines_of: Callable[[str], Iterable[str]]) -> None:
        if history.prediction is None:
            message = f"{history.change}: a watch needs a prediction"
            raise ValueError(message)
        self.guard = history.proposal.guard
        self.judge = Judge(history.prediction, self.guard)
        self.machines = {station: tuple(machines_of(station)) for station in self.judge.stations}
        self.counts = LineCounts(
            {each: MachineCounts() for group in self.machines.values() for each in group}
        )
        applied = history.last(Kind.APPLIED)
        given = None if applied is None else applied.data.get("plant_time")
        self.applied: float | None = None if given is None else float(given)
        self.begin: float | None = None
        self.next_look = 1
        self._fresh_from = float("-inf")
        last = history.last_look
        if last is not None:
            self.begin = float(last.data["state"]["begin"])
            self.next_look = int(last.data["look"]) + 1
            self.counts.restore(last.data["state"]["counts"])

    def take(self, observations: Iterable[Observation]) -> list[Look]:
        """Take observations in the order of their time; return the looks that they completed."""
        looks = []
        for observation in observations:
            if self.next_look > self.guard.looks:
                break
            look = self._pass_time(observation.time)
            self.counts.take(observation)
            if look is not None:
                looks.append(look)
        return looks

    @property
    def waits_for(self) -> str:
        """What keeps the watch from its next look, in words."""
        if self.begin is None and self.counts.unseen:
            return f"no counter of items was heard of {', '.join(self.counts.unseen)}"
        return f"the plant's clock has not reached look {self.next_look}"

    def _pass_time(self, now: float) -> Look | None:
        """Do what is due before something that was seen now is taken."""
        if self.applied is None:
            self.applied = now
        reached = self.counts.reached
        if now - reached > _SILENCE:
            self._fresh_from = now + _FRESH
        is_stale = now < self._fresh_from
        if self.begin is None:
            if now < self.applied + self.guard.settle or is_stale or self.counts.unseen:
                return None
            self.begin = now
            self.counts.begin()
            return self._look(0, now, ())
        times = self.guard.times
        if is_stale or now < self.begin + times[self.next_look - 1]:
            return None
        number = max(k + 1 for k, time in enumerate(times) if now >= self.begin + time)
        # Counts belong to what was reached, or to a look that passed in silence before that.
        passed = max(reached - self.begin, times[number - 1])
        share = times[number - 1] / passed
        judgements: list[Judgement] = []
        for station, judge in self.judge.stations.items():
            good, spoiled = self.counts.of(self.machines[station])
            judgements += judge.judge(number, good * share, spoiled * share)
        self.next_look = number + 1
        return self._look(number, now, tuple(judgements))

    def _look(self, number: int, now: float, judgements: tuple[Judgement, ...]) -> Look:
        state = {"begin": self.begin, "counts": self.counts.data}
        return Look(number, now, judgements, state)
