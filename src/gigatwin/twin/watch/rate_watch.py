"""The watch of one kind of count at one station: stops of a kind, or scrap of a format.

Each machine is counted, and all machines together, which shows a change that all share earlier.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gigatwin.factory.estimates import Estimate
from gigatwin.twin.watch.detectors import Outcome
from gigatwin.twin.watch.findings import Finding, Proposal
from gigatwin.twin.watch.rate_signal import RateSignal, rate_estimate


@dataclass(frozen=True)
class RatePlan:
    """What a watch of a count is set up with."""

    station: str
    machines: tuple[str, ...]
    signal: str
    which: str
    budget: float
    """Wanted mean time between two false alarms of each chart. [s]"""
    spacing: float | None
    """Least mean time that a machine takes for one unit of opportunity; None: measured. [s]"""
    by_item: bool
    """Whether opportunities are items with at most one event each."""
    rate: float | None
    """What the model says; None: it is learned. [events of one machine for each unit]"""
    unit: str
    """Unit of the rate: ``1/s``, ``1/item`` or ``1`` for a share of items."""


Propose = Callable[[Estimate, str, float], Proposal]
"""Makes a proposal of the new rate of a machine of the station, reason and score."""


class RateWatch:
    """Watches one kind of count at one station.

    Parameters
    ----------
    plan : RatePlan
        What is watched.
    propose : callable
        Makes proposals.
    number : callable
        Gives the number of the next finding.
    """

    def __init__(self, plan: RatePlan, propose: Propose, number: Callable[[], int]) -> None:
        self.plan = plan
        self._propose = propose
        self._number = number
        self.signals: dict[str, RateSignal] = {}
        self._found: dict[str, Finding] = {}

    def _signal(self, element: str) -> RateSignal:
        signal = self.signals.get(element)
        if signal is None:
            plan = self.plan
            spacing = plan.spacing
            if spacing is not None and element not in plan.machines:
                spacing /= len(plan.machines)
            signal = self.signals[element] = RateSignal(
                plan.budget, spacing, by_item=plan.by_item, rate=plan.rate
            )
        return signal

    def take(self, time: float, machine: str, exposure: float, events: int) -> Sequence[Finding]:
        """Take opportunities of a machine in, and the events at their end."""
        plan = self.plan
        signal = self._signal(machine)
        outcome = signal.take(time, exposure, events)
        if len(plan.machines) == 1:
            return () if outcome is None else self._of(machine, outcome)
        shared = self._signal(plan.station)
        if outcome is not None:
            is_part = shared.detector is not None and shared.detector.side
            if is_part and outcome.kind == "alarm":
                _restart_chart(signal, time)  # it is part of what the station called for
            else:
                if shared.detector is not None and outcome.kind != "learned":
                    shared.detector.restart(time)
                return self._of(machine, outcome)
        if signal.detector is not None and signal.detector.side:
            return ()
        called = shared.take(time, exposure, events)
        return () if called is None else self._of(plan.station, called)

    def _of(self, element: str, outcome: Outcome) -> Sequence[Finding]:
        if outcome.kind == "learned":
            return self._learned(element)
        signal = self.signals[element]
        finding = self._finding(element, signal, outcome)
        self._found[element] = finding
        detector = signal.detector
        if outcome.kind == "confirmed" and detector is not None:
            # What made the chart call says too much: only what came after it counts.
            signal.restart(detector.fresh, outcome.time)
            self._pass_on(element, finding, outcome.time)
            if signal.detector is not None:
                return (finding, *self._learned(element))
        elif element == self.plan.station and len(self.plan.machines) > 1:
            for name in self.plan.machines:
                _restart_chart(self.signals.get(name), outcome.time)
        return (finding,)

    def _pass_on(self, element: str, finding: Finding, time: float) -> None:
        """Tell the machines what the station's rate is now, or the station its machine's."""
        plan, level = self.plan, finding.level
        if len(plan.machines) == 1 or level is None or level.value <= 0:
            return
        if element == plan.station:
            for name in plan.machines:
                if name in self.signals:
                    self.signals[name].adopt(level, time)
        else:
            self._signal(plan.station).restart(time=time)

    def _finding(self, element: str, signal: RateSignal, outcome: Outcome) -> Finding:
        plan, detector = self.plan, signal.detector
        if detector is None:  # pragma: no cover - only a detector has such outcomes
            message = f"{element}: a finding without a chart"
            raise AssertionError(message)
        before = detector.rate
        open_one = self._found.get(element)
        if outcome.kind == "alarm" or open_one is None:
            number, called = self._number(), outcome.time
        else:
            number, called = open_one.number, open_one.time
        level = rate_estimate(*(detector.counts if outcome.kind == "alarm" else detector.fresh))
        found = Finding(
            number=number,
            stage=outcome.kind if outcome.kind != "learned" else "measured",
            station=plan.station,
            machine=element if element != plan.station else None,
            signal=plan.signal,
            which=plan.which,
            time=called,
            since=outcome.since,
            since_low=outcome.since,
            since_high=called,
            direction=outcome.side,
            before=before,
            level=level,
            size=_size(level, before),
            reference=signal.source,
            unit=plan.unit,
        )
        if outcome.kind != "confirmed" or level is None:
            return found
        return replace(found, proposal=self._proposal(found, level, outcome.score))

    def _proposal(self, found: Finding, level: Estimate, score: float) -> Proposal:
        rate, reason = level, f"{level.n} events since"
        if found.machine is not None:
            rate = self._station_rate(found.machine, level)
            reason += (
                f" at {found.machine}, which is one of {len(self.plan.machines)} machines with one "
                "rate in the model, so that their mean is proposed"
            )
        reason += (
            f"; later counts speak for it by a log score of {score:.3g}."
            if found.before > 0
            else ", where the model has none."
        )
        return self._propose(rate, reason, score)

    def _station_rate(self, machine: str, level: Estimate) -> Estimate:
        """Return the mean rate over the machines."""
        rates = [level]
        for name in self.plan.machines:
            if name == machine:
                continue
            signal = self.signals.get(name)
            known = None if signal is None else signal.level()
            if known is None and self.plan.rate is not None:
                rate = self.plan.rate
                known = Estimate(value=rate, low=rate, high=rate, n=0, method="the model")
            rates += [known] if known is not None else []
        n = len(rates)
        return Estimate(
            value=sum(rate.value for rate in rates) / n,
            low=sum(rate.low for rate in rates) / n,
            high=sum(rate.high or rate.value for rate in rates) / n,
            n=sum(rate.n for rate in rates),
            method="mean over the machines",
        )

    def _learned(self, element: str) -> Sequence[Finding]:
        own, level = self._found.get(element), self.signals[element].level()
        if level is None:
            return ()
        if own is None:
            return self._unlike_model(element, level)
        if own.stage != "confirmed":
            return ()
        found = replace(own, stage="measured", level=level, size=_size(level, own.before))
        score = 0.0 if own.proposal is None else own.proposal.score
        return self._measured(element, found, level, score)

    def _measured(
        self, element: str, found: Finding, level: Estimate, score: float
    ) -> Sequence[Finding]:
        found = replace(found, proposal=self._proposal(found, level, score))
        self._found[element] = found
        if element == self.plan.station:
            self._pass_on(element, found, self.signals[element].last)
        return (found,)

    def _unlike_model(self, element: str, level: Estimate) -> Sequence[Finding]:
        """Say that there is something that the model does not have at all."""
        plan = self.plan
        if plan.rate != 0.0 or element != plan.station:
            return ()
        signal = self.signals[element]
        found = Finding(
            number=self._number(),
            stage="measured",
            station=plan.station,
            machine=None,
            signal=plan.signal,
            which=plan.which,
            time=signal.last,
            since=signal.first,
            since_low=signal.first,
            since_high=signal.first,
            direction=1,
            before=0.0,
            level=level,
            size=None,
            reference="model",
            unit=plan.unit,
        )
        return self._measured(element, found, level, float(level.n))

    def restart(self, machines: Sequence[str]) -> None:
        """Learn the rates of some machines anew, because somebody changed them on purpose."""
        for name in (*machines, self.plan.station):
            if name in self.signals:
                self.signals[name].restart()
            self._found.pop(name, None)

    def judge_by_model(self) -> None:
        """Judge by the rate of the plan what the rate of a model judges now."""
        rate = self.plan.rate
        for signal in self.signals.values():
            if rate is not None and rate > 0 and signal.source == "model":
                signal.use(rate)
        self._found = {name: f for name, f in self._found.items() if f.stage == "alarm"}

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        return {
            "signals": {name: signal.state() for name, signal in self.signals.items()},
            "found": {name: finding.to_dict() for name, finding in self._found.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; machines that the model no longer has are left out."""
        for name, kept in state["signals"].items():
            if name in self.plan.machines or name == self.plan.station:
                self._signal(name).restore(kept)
        self._found = {name: Finding.from_dict(item) for name, item in state["found"].items()}


def _restart_chart(signal: RateSignal | None, time: float) -> None:
    if signal is not None and signal.detector is not None:
        signal.detector.restart(time)


def _size(level: Estimate | None, before: float) -> Estimate | None:
    if level is None or before <= 0 or level.high is None:
        return None
    return Estimate(
        value=level.value / before - 1.0,
        low=level.low / before - 1.0,
        high=level.high / before - 1.0,
        n=level.n,
        method="rate after over rate before",
    )
