"""The watch of one kind of time at one station: of each machine, and of all of them together.

Each machine's values are scored by its own law. The scores of all machines also feed one chart of
the station, which notices a small change that all of them share long before a single machine would.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.durations import mean_estimate
from gigatwin.twin.watch.charts import level_chart
from gigatwin.twin.watch.detectors import BELIEVED, LevelDetector, Outcome
from gigatwin.twin.watch.findings import Finding, Proposal
from gigatwin.twin.watch.level_signal import Dated, Learning, LevelSignal
from gigatwin.twin.watch.machines_together import joint_mean, relative_change, together
from gigatwin.twin.watch.scores import Reference

_FEWEST = 50
"""Values below which a machine counts as one that does not run."""
_SURE = 2.0
"""How many 95 % intervals a first record must lie off the model: a chance of 1 in 10 000."""
_ALONE = 0.3
_FEW_SCORES = 5


@dataclass(frozen=True)
class LevelPlan:
    """What a watch of a kind of time is set up with."""

    station: str
    elements: tuple[str, ...]
    """Machines; or the station alone where its machines are not told apart."""
    signal: str
    which: str
    learning: Learning
    budget: float
    """Wanted mean time between two false alarms of each chart. [s]"""
    spacing: float | None
    """Least mean time between two values of one element; None: that of the values. [s]"""
    law: Reference | None
    """Law to begin with; None: it is learned."""
    model_mean: float | None
    """What the model says its mean is. [s]"""
    negligible: float
    """Relative difference from the model that is not reported."""
    trims: bool
    """Whether values far from all others are something else."""


Propose = Callable[[Estimate, float, float | None, str, float], Proposal]
"""Makes a proposal of the new mean of the station, that of the model (that before, where the model
has none), the new relative spread, reason and score."""


class LevelWatch:
    """Watches one kind of time at one station.

    Parameters
    ----------
    plan : LevelPlan
        What is watched.
    propose : callable
        Makes proposals.
    number : callable
        Gives the number of the next finding.
    """

    def __init__(self, plan: LevelPlan, propose: Propose, number: Callable[[], int]) -> None:
        self.plan = plan
        self._propose = propose
        self._number = number
        self.signals: dict[str, LevelSignal] = {}
        self._pool: LevelDetector | None = None
        self._found: dict[str, Finding] = {}
        self._is_checked = plan.law is not None

    def take(self, time: float, element: str, value: float) -> Sequence[Finding]:
        """Take one value of a machine in."""
        signal = self.signals.get(element)
        if signal is None:
            plan = self.plan
            signal = self.signals[element] = LevelSignal(
                plan.learning, plan.budget, plan.spacing, plan.law, trims=plan.trims
            )
        outcome = signal.take(time, value)
        score = signal.score
        if score is None:
            return () if outcome is None else self._learned(element, outcome)
        if len(self.plan.elements) > 1:
            return self._with_pool(time, element, score, outcome)
        return () if outcome is None else self._of_machine(element, outcome)

    def _with_pool(
        self, time: float, element: str, score: float, outcome: Outcome | None
    ) -> Sequence[Finding]:
        pool = self._pool
        if pool is None:
            pool = self._pool = self._new_pool(time)
        if outcome is not None:
            if pool.side and outcome.kind == "alarm":
                self._restart_chart(element, time)  # it is part of what the station called for
            else:
                pool.restart(time)
                return self._of_machine(element, outcome)
        detector = self.signals[element].detector
        if detector is None or detector.side:
            return ()
        called = pool.take(time, score)
        if called is None:
            return ()
        if called.kind == "alarm":
            alone = self._alone(called)
            if alone is not None:
                return self._blame(alone, called)
        return self._of_station(called)

    def _new_pool(self, time: float) -> LevelDetector:
        plan = self.plan
        laws = [signal.law for signal in self.signals.values() if signal.law is not None]
        spacing = plan.spacing or float(np.mean([law.mean for law in laws]))
        n = None if plan.law is not None else plan.learning.n
        chart = level_chart(plan.budget * len(plan.elements) / spacing, 0.5, n)
        if chart is None:  # pragma: no cover - a hundred values are always enough for some limit
            message = f"{plan.station}: no chart for {plan.signal}"
            raise AssertionError(message)
        chart.restart(time)
        return LevelDetector(chart)

    def _restart_chart(self, element: str, time: float) -> None:
        detector = self.signals[element].detector
        if detector is not None:
            detector.restart(time)

    def _alone(self, called: Outcome) -> str | None:
        """Return the machine that a call of the station is due to, if it is only one."""
        means: dict[str, float] = {}
        for name, signal in self.signals.items():
            scores = [score for time, _, score in signal.recent if time > called.since]
            if len(scores) >= _FEW_SCORES:
                means[name] = called.side * float(np.mean(scores))
        if len(means) < 2:  # noqa: PLR2004 - one machine cannot be told from others
            return None
        first, second = sorted(means, key=lambda name: -means[name])[:2]
        return first if means[second] < _ALONE * means[first] else None

    def _blame(self, element: str, called: Outcome) -> Sequence[Finding]:
        """Let a call of the station be one of a single machine."""
        detector = self.signals[element].detector
        if self._pool is not None:
            self._pool.restart(called.time)
        if detector is None:  # pragma: no cover - only watched machines have scores
            return ()
        scores = [s for time, _, s in self.signals[element].recent if time > called.since]
        detector.side, detector.since = called.side, called.since
        detector.shift, detector.score, detector.n_fresh = BELIEVED * float(np.mean(scores)), 0.0, 0
        return self._of_machine(element, called)

    def _of_machine(self, element: str, outcome: Outcome) -> Sequence[Finding]:
        if outcome.kind == "learned":
            return self._learned(element, outcome)
        finding = self._finding(element, outcome, (element,))
        if outcome.kind == "confirmed":
            self.signals[element].restart(finding.since_high)
        return self._kept(element, finding)

    def _of_station(self, outcome: Outcome) -> Sequence[Finding]:
        names = tuple(name for name, signal in self.signals.items() if signal.detector is not None)
        finding = self._finding(self.plan.station, outcome, names)
        for name in names:
            if outcome.kind == "confirmed":
                self.signals[name].restart(finding.since_high)
            else:
                self._restart_chart(name, outcome.time)
        return self._kept(self.plan.station, finding)

    def _finding(self, element: str, outcome: Outcome, names: Sequence[str]) -> Finding:
        """Return what an outcome says, measured on the values since the change."""
        plan = self.plan
        open_one = self._found.get(element)
        if outcome.kind == "alarm" or open_one is None:
            number, called = self._number(), outcome.time
        else:
            number, called = open_one.number, open_one.time
        date = Dated(outcome.since, outcome.since, called)
        if len(names) == 1:
            date = self.signals[names[0]].dated(outcome.side, outcome.since, called)
        # What made the chart call says too much; once it is checked, only what surely came after
        # the change counts.
        begin = date.time if outcome.kind == "alarm" else date.high
        after = {name: self.signals[name].after(begin) for name in names}
        parts = [mean_estimate(values) for values in after.values() if len(values)]
        laws = [law for name in names if (law := self.signals[name].law) is not None]
        before = joint_mean([law.mean for law in laws])
        level = None if not parts else together(parts)
        found = Finding(
            number=number,
            stage=outcome.kind if outcome.kind != "learned" else "measured",
            station=plan.station,
            machine=element if element != plan.station and len(plan.elements) > 1 else None,
            signal=plan.signal,
            which=plan.which,
            time=called,
            since=date.time,
            since_low=date.low,
            since_high=date.high,
            direction=outcome.side,
            before=before,
            level=level,
            size=None if level is None else relative_change(level, laws, before),
            reference=laws[0].source if laws else "plant",
        )
        if outcome.kind != "confirmed" or level is None:
            return found
        return replace(found, proposal=self._proposal(found, outcome.score, outcome.n))

    def _proposal(self, found: Finding, score: float, n: int, cv: float | None = None) -> Proposal:
        plan, level = self.plan, found.level
        if level is None:  # pragma: no cover - a finding without a level gets no proposal
            return Proposal({}, {}, "Nothing was measured.", score)
        mean = level
        reason = f"Mean {level.value:.4g} s over {level.n} values since the change"
        if found.machine is not None:
            mean = self._station_mean(found.machine, level)
            n_machines = len(plan.elements)
            reason += (
                f" at {found.machine}, which is one of {n_machines} machines with one law in the "
                f"model, so that their joint mean becomes {mean.value:.4g} s"
            )
        if n:
            reason += f"; {n} later values speak for it by a log score of {score:.3g}"
        old = found.before if plan.model_mean is None else plan.model_mean
        return self._propose(mean, old, cv, f"{reason}.", score)

    def _station_mean(self, machine: str, level: Estimate) -> Estimate:
        """Return the mean time for which all machines together are as quick as they are."""
        means = [level]
        for name in self.plan.elements:
            known = self.signals[name].level() if name in self.signals else None
            if name != machine and known is not None:
                means.append(known)
        others = len(self.plan.elements) - len(means)
        if others and self.plan.model_mean is not None:
            mean = self.plan.model_mean
            means += [Estimate(value=mean, low=mean, high=mean, n=0, method="model")] * others
        return together(means)

    def _learned(self, element: str, outcome: Outcome) -> Sequence[Finding]:
        """Say what a new law shows: how large a change was, or that the model is another."""
        own = self._found.get(element)
        if own is not None and own.stage == "confirmed" and element in self.plan.elements:
            signal = self.signals[element]
            return self._kept(element, self._measured(own, (signal,)))
        running = [signal for signal in self.signals.values() if signal.n >= _FEWEST]
        if any(signal.detector is None for signal in running):
            return ()
        own = self._found.get(self.plan.station)
        if own is not None and own.stage == "confirmed":
            return self._kept(self.plan.station, self._measured(own, running))
        return self._against_model(running, outcome)

    def _measured(self, own: Finding, signals: Sequence[LevelSignal]) -> Finding:
        levels = [level for signal in signals if (level := signal.level()) is not None]
        level = together(levels)
        before = [signal.before for signal in signals if signal.before is not None]
        found = replace(
            own,
            stage="measured",
            level=level,
            size=relative_change(level, before, own.before) if before else own.size,
        )
        score = 0.0 if own.proposal is None else own.proposal.score
        cv = self._changed_spread(signals)
        return replace(found, proposal=self._proposal(found, score, 0, cv))

    def _changed_spread(self, signals: Sequence[LevelSignal]) -> float | None:
        """Return the new relative spread if it is another by more than chance, and by a tenth."""
        pairs = [
            (math.log(signal.law.deviation / signal.law.mean), signal.law.n)
            for signal in signals
            if signal.law is not None and signal.law.n > 0
        ]
        old = [
            math.log(signal.before.deviation / signal.before.mean)
            for signal in signals
            if signal.before is not None
        ]
        if not pairs or not old:
            return None
        new = float(np.mean([value for value, _ in pairs]))
        chance = 4.0 / math.sqrt(sum(n for _, n in pairs))
        return math.exp(new) if abs(new - float(np.mean(old))) > max(chance, 0.1) else None

    def _against_model(self, running: Sequence[LevelSignal], outcome: Outcome) -> Sequence[Finding]:
        """Say once whether the plant's first record is another than the model."""
        plan = self.plan
        if self._is_checked or plan.model_mean is None:
            return ()
        self._is_checked = True
        levels = [level for signal in running if (level := signal.level()) is not None]
        if not levels:
            return ()
        level = together(levels)
        difference = level.value - plan.model_mean
        reach = (level.high or level.value) - level.value
        if abs(difference) <= max(plan.negligible * plan.model_mean, _SURE * reach):
            return ()
        ratio = 1.0 / plan.model_mean
        found = Finding(
            number=self._number(),
            stage="measured",
            station=plan.station,
            machine=None,
            signal=plan.signal,
            which=plan.which,
            time=outcome.time,
            since=outcome.since,
            since_low=outcome.since,
            since_high=outcome.since,
            direction=1 if difference > 0 else -1,
            before=plan.model_mean,
            level=level,
            size=Estimate(
                value=difference * ratio,
                low=(level.low * ratio) - 1.0,
                high=(level.value + reach) * ratio - 1.0,
                n=level.n,
                method="mean over that of the model",
            ),
            reference="model",
        )
        score = 0.5 * (1.96 * difference / max(reach, 1e-12)) ** 2
        return self._kept(plan.station, replace(found, proposal=self._proposal(found, score, 0)))

    def _kept(self, element: str, finding: Finding) -> Sequence[Finding]:
        self._found[element] = finding
        return (finding,)

    def restart(self, elements: Sequence[str]) -> None:
        """Learn the laws of some machines anew, because somebody changed them on purpose."""
        for name in elements:
            if name in self.signals:
                self.signals[name].restart()
            self._found.pop(name, None)
        self._found.pop(self.plan.station, None)
        self._pool = None

    def judge_by_model(self) -> None:
        """Judge by the law of the plan what the law of a model judges now."""
        law = self.plan.law
        for signal in self.signals.values():
            if law is not None and signal.law is not None and signal.law.source == "model":
                signal.use(law)
        self._found = {name: f for name, f in self._found.items() if f.stage == "alarm"}

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        return {
            "signals": {name: signal.state() for name, signal in self.signals.items()},
            "pool": self._pool.to_dict() if self._pool else None,
            "found": {name: finding.to_dict() for name, finding in self._found.items()},
            "is_checked": self._is_checked,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; machines that the model no longer has are left out."""
        plan = self.plan
        for name, kept in state["signals"].items():
            if name in plan.elements:
                signal = LevelSignal(plan.learning, plan.budget, plan.spacing, trims=plan.trims)
                signal.restore(kept)
                self.signals[name] = signal
        self._pool = LevelDetector.from_dict(state["pool"]) if state["pool"] else None
        self._found = {name: Finding.from_dict(item) for name, item in state["found"].items()}
        self._is_checked = state["is_checked"]
