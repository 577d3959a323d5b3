"""The watch of a plant: event rows in, findings out."""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import StudyError
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.telemetry.observations import EventRow
from gigatwin.twin.watch.findings import Finding, Proposal
from gigatwin.twin.watch.level_watch import LevelPlan, LevelWatch
from gigatwin.twin.watch.plant_model import ModelStation, PlantModel
from gigatwin.twin.watch.rate_watch import RatePlan, RateWatch
from gigatwin.twin.watch.refit import (
    propose,
    repair_changes,
    scrap_changes,
    stop_changes,
    time_changes,
)
from gigatwin.twin.watch.scores import Reference
from gigatwin.twin.watch.settings import WEEK, ReferenceKind, Settings, n_charts
from gigatwin.twin.watch.signals import CYCLE, REPAIR, SCRAP, STOPS, Signals, Value

_VERSION = 1
Key = tuple[str, str, str]
"""Station, kind of signal, format or stop."""


class Watch:
    """Watches cycle times, stops and scrap of every machine for changes.

    Parameters
    ----------
    factory : Factory or CompiledModel
        The model that is kept in step with the plant.
    wanted_interval : float
        Wanted mean time between two false alarms over all stations and signals. [s]
    reference : {"plant", "model"}
        Whether cycle times are judged by the plant's own first cycles, or at once by the law of
        the model, which then has to fit the plant.
    n_reference : int
        Cycles of each machine and format that its law is learned from.
    negligible : float
        Relative difference between the plant's first cycles and the model that is not reported.

    Notes
    -----
    A finding has stages: ``alarm`` (a chart called), then ``confirmed`` with a proposal, or
    ``dismissed``, by the values that came after; ``measured`` once the new law is learned. The
    wanted interval is that of false alarms; of these, one in twenty is also confirmed. Nothing is
    ever changed here: a proposal is accepted by giving the changed factory to `renew`.
    """

    def __init__(
        self,
        factory: Factory | CompiledModel,
        *,
        wanted_interval: float = WEEK,
        reference: ReferenceKind = "plant",
        n_reference: int = 500,
        negligible: float = 0.01,
    ) -> None:
        self.settings = Settings(wanted_interval, reference, n_reference, negligible)
        self.model = PlantModel.of(factory)
        self._budget = self.settings.wanted_interval * max(n_charts(self.model), 1)
        self._signals = Signals(self.model)
        self._levels: dict[Key, LevelWatch] = {}
        self._rates: dict[Key, RateWatch] = {}
        self._found: dict[int, Finding] = {}
        self._numbers = itertools.count(1)

    @property
    def findings(self) -> list[Finding]:
        """All findings, each as it is known now, in the order of their numbers."""
        return [self._found[number] for number in sorted(self._found)]

    @property
    def proposals(self) -> list[Finding]:
        """Findings with changes to accept."""
        return [f for f in self.findings if f.proposal is not None and f.proposal.changes]

    @property
    def n_unknown(self) -> int:
        """Rows of machines that the model does not have."""
        return self._signals.n_unknown

    def take(self, rows: Iterable[EventRow]) -> list[Finding]:
        """Take event rows in, those of each machine in the order of time.

        Returns
        -------
        list of Finding
            What is new: alarms, and findings with an earlier number that became surer.
        """
        found: list[Finding] = []
        for value in self._signals.take(rows):
            found += self._take(value)
        for finding in found:
            self._found[finding.number] = finding
        return found

    def set_speed(self, machine: str, speed: float) -> None:
        """Say which speed factor is set at a machine, so that its effect is no finding.

        Parameters
        ----------
        machine : str
            Machine of the compiled factory.
        speed : float
            Speed factor, as of the factory's stations.
        """
        self._signals.set_speed(machine, speed)

    def restart(self, station: str, machine: str | None = None) -> None:
        """Learn a station, or one of its machines, anew, because it was changed on purpose.

        Raises
        ------
        StudyError
            If the model has no such station or machine.
        """
        known = self.model.stations.get(station)
        if known is None or (machine is not None and machine not in known.machines):
            what = station if machine is None else f"{station}, machine {machine}"
            message = (
                f"watch, restart: {what}; must be one of the stations "
                f"{', '.join(self.model.stations)} and one of its machines."
            )
            raise StudyError(message)
        machines = known.machines if machine is None else (machine,)
        for watches in (self._levels, self._rates):
            for (name, signal, _), watch in watches.items():
                if name == station:
                    watch.restart((station,) if signal == REPAIR else machines)

    def renew(self, factory: Factory | CompiledModel) -> None:
        """Go on with a changed factory, such as one in which a proposal was accepted.

        What was learned of the plant stays; what was judged by numbers of the model is judged by
        the new ones. The factory must have the same names of stations that go on being watched.
        """
        state = self.state()
        other = Watch(
            factory,
            wanted_interval=self.settings.wanted_interval,
            reference=self.settings.reference,
            n_reference=self.settings.n_reference,
            negligible=self.settings.negligible,
        )
        self.model, self._budget = other.model, other._budget
        self._signals = other._signals
        self._levels, self._rates = {}, {}
        self._restore_watches(state)
        for watches in (self._levels, self._rates):
            for watch in watches.values():
                watch.judge_by_model()

    def _take(self, value: Value) -> Sequence[Finding]:
        time, machine, signal, which, amount, events = value
        station = self.model.station_of[machine]
        key = (station, signal, which)
        if signal in (CYCLE, REPAIR):
            level = self._levels.get(key)
            if level is None:
                made = self._new_level(key)
                if made is None:
                    return ()
                level = made
            return level.take(time, station if signal == REPAIR else machine, amount)
        rate = self._rates.get(key)
        if rate is None:
            rate = self._new_rate(key)
        return rate.take(time, machine, amount, events)

    def _number(self) -> int:
        return next(self._numbers)

    def _new_level(self, key: Key) -> LevelWatch | None:
        name, signal, which = key
        station = self.model.stations[name]
        if signal == REPAIR and which not in station.stops:
            return None  # a stop on a timetable, or one that the model does not have
        plan = (
            self._repair_plan(station, which) if signal == REPAIR else self._cycles(station, which)
        )
        proposed = functools.partial(self._time_proposal, key)
        self._levels[key] = watch = LevelWatch(plan, proposed, self._number)
        return watch

    def _cycles(self, station: ModelStation, product_format: str) -> LevelPlan:
        law = station.time_law(product_format)
        is_model = self.settings.reference == "model" and law is not None
        return LevelPlan(
            station=station.name,
            elements=station.machines,
            signal=CYCLE,
            which=product_format,
            learning=self.settings.cycles,
            budget=self._budget,
            spacing=None,
            law=Reference.of_law(law, 1.0 / station.speed)
            if is_model and law is not None
            else None,
            model_mean=station.mean_time(product_format),
            negligible=self.settings.negligible,
            trims=True,
        )

    def _repair_plan(self, station: ModelStation, name: str) -> LevelPlan:
        known = station.stops[name]
        # Waiting for a crew may look like the repair, and the model tells the two apart.
        has_law = known.stop.crew is None
        unit = _seconds_for_one(station, known.clock) or 1.0
        return LevelPlan(
            station=station.name,
            elements=(station.name,),
            signal=REPAIR,
            which=name,
            learning=self.settings.repairs,
            budget=self._budget,
            spacing=unit / (known.rate * len(station.machines)),
            law=Reference.of_law(known.stop.duration) if has_law else None,
            model_mean=None,
            negligible=self.settings.negligible,
            trims=False,
        )

    def _new_rate(self, key: Key) -> RateWatch:
        name, signal, which = key
        station = self.model.stations[name]
        if signal == STOPS:
            stop = station.stops[which]
            clock = stop.clock
            rate: float | None = stop.rate
            unit = "1/item" if clock == "items" else "1/s"
        else:
            rate, clock, unit = station.scrap(which), "items", "1"
        plan = RatePlan(
            station=name,
            machines=station.machines,
            signal=signal,
            which=which,
            budget=self._budget,
            spacing=_seconds_for_one(station, clock),
            by_item=signal == SCRAP,
            rate=rate,
            unit=unit,
        )
        proposed = functools.partial(self._rate_proposal, key)
        self._rates[key] = watch = RateWatch(plan, proposed, self._number)
        return watch

    def _time_proposal(  # noqa: PLR0913, PLR0917 - what a watch knows of its finding
        self, key: Key, mean: Estimate, old: float, cv: float | None, reason: str, score: float
    ) -> Proposal:
        name, signal, which = key
        station = self.model.stations[name]
        if signal == CYCLE:
            changes = time_changes(self.model, station, which, mean.value / old, cv)
        elif station.stops[which].stop.crew is not None:
            changes = {}
            reason += " It may be the wait for the crew, so that no number is proposed."
        else:
            changes = repair_changes(self.model, station, which, mean.value)
        return propose(self.model, changes, {f"{name}.{signal}": mean}, reason, score)

    def _rate_proposal(self, key: Key, rate: Estimate, reason: str, score: float) -> Proposal:
        name, signal, which = key
        station = self.model.stations[name]
        if signal == STOPS:
            changes = stop_changes(self.model, station, which, rate.value) if rate.value else {}
        elif station.plan.finds is not None:
            changes = {}
            reason += " It is found here but made elsewhere, so that no number is proposed."
        else:
            changes = scrap_changes(self.model, station, which, rate.value)
        return propose(self.model, changes, {f"{name}.{signal}": rate}, reason, score)

    def state(self) -> dict[str, Any]:
        """Return everything that has to be kept, as plain data for JSON."""
        return {
            "version": _VERSION,
            "signals": self._signals.state(),
            "levels": [[*key, watch.state()] for key, watch in self._levels.items()],
            "rates": [[*key, watch.state()] for key, watch in self._rates.items()],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on exactly from what `state` gave, after a restart of the program.

        Raises
        ------
        StudyError
            If the state is of another version of the watch.
        """
        if state.get("version") != _VERSION:
            message = (
                f"watch, saved state: version {state.get('version')}; must be {_VERSION}. Delete "
                "it, and the watch learns the plant anew."
            )
            raise StudyError(message)
        self._restore_watches(state)
        found = [Finding.from_dict(item) for item in state["findings"]]
        self._found = {finding.number: finding for finding in found}
        self._numbers = itertools.count(max(self._found, default=0) + 1)

    def _restore_watches(self, state: Mapping[str, Any]) -> None:
        self._signals.restore(state["signals"])
        for name, signal, which, kept in state["levels"]:
            station = self.model.stations.get(name)
            level = None if station is None else self._new_level((name, signal, which))
            if level is not None:
                level.restore(kept)
        for name, signal, which, kept in state["rates"]:
            station = self.model.stations.get(name)
            if station is not None and (signal == SCRAP or which in station.stops):
                self._new_rate((name, signal, which)).restore(kept)


def _seconds_for_one(station: ModelStation, clock: str) -> float | None:
    """Return the least mean time in s that a unit of a clock takes a machine, None if not known."""
    if clock != "items":
        return 1.0
    known = [mean for name in station.formats if (mean := station.mean_time(name))]
    return min(known, default=None)
