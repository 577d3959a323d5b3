"""What the watch says: a change of one signal, and what it would change in the model."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from gigatwin.factory.estimates import Estimate
from gigatwin.twin.watch.signals import CYCLE, REPAIR, SCRAP, STOPS
from gigatwin.units import format_quantity

Stage = Literal["alarm", "dismissed", "confirmed", "measured"]
"""A chart called; later values spoke against it; they confirmed it; the new law is learned."""
_NAMES = {
    CYCLE: ("cycle time", "longer", "shorter"),
    REPAIR: ("length of stops", "longer", "shorter"),
    STOPS: ("stops", "more frequent", "rarer"),
    SCRAP: ("scrap", "more frequent", "rarer"),
}
_TWOFOLD, _MANY = 1.0, 0.1


@dataclass(frozen=True)
class Proposal:
    """Changes of the model that follow from a finding; nobody has accepted them yet."""

    changes: Mapping[str, Any]
    """Dotted name to value, as `gigatwin.factory.changes.with_changes` takes them; empty where
    the model has no number for it."""
    estimates: Mapping[str, Estimate]
    """The numbers behind them, in SI, with their 95 % intervals."""
    reason: str
    """Why, in a sentence or two."""
    score: float
    """Log score of the new numbers over the old ones, on values that came after the alarm; e to
    this power is how many times more likely they are."""

    @property
    def text(self) -> str:
        """The proposal in words."""
        if not self.changes:
            return f"No change proposed: {self.reason}"
        said = "; ".join(f"{name} -> {_plain(value)}" for name, value in self.changes.items())
        return f"Proposed: {said}. {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "changes": dict(self.changes),
            "estimates": {name: item.model_dump() for name, item in self.estimates.items()},
            "reason": self.reason,
            "score": self.score,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        estimates = {name: Estimate.model_validate(e) for name, e in data["estimates"].items()}
        return cls(**{**data, "estimates": estimates})


@dataclass(frozen=True)
class Finding:
    """A change of one signal of the plant, as far as it is known by now."""

    number: int
    """Number of the finding; what is learned about it later has the same number."""
    stage: Stage
    """How sure it is."""
    station: str
    machine: str | None
    """The machine that changed; None: the station as a whole."""
    signal: str
    """``cycle_time``, ``repair_time``, ``stops`` or ``scrap``."""
    which: str
    """Format of cycles and scrap, name of the stop of the others."""
    time: float
    """When the chart called. [s]"""
    since: float
    """When the change began. [s]"""
    since_low: float
    """Begin of the 95 % interval of that moment. [s]"""
    since_high: float
    """End of it. [s]"""
    direction: int
    """1: longer or more often; -1: shorter or less often."""
    before: float
    """Level before: s, or stops and spoiled items for each unit of opportunity."""
    level: Estimate | None
    """Level now; None while it is not known."""
    size: Estimate | None
    """Relative change, 0.05 for 5 % more; None while it is not known."""
    reference: str
    """What it was judged by: ``plant``, its own record before, or ``model``."""
    proposal: Proposal | None = None
    """What would change in the model; None unless the change was confirmed."""
    unit: str = field(default="s")
    """Unit of the levels."""

    @property
    def is_open(self) -> bool:
        """Whether it is waiting to be confirmed."""
        return self.stage == "alarm"

    @property
    def text(self) -> str:
        """The finding in words."""
        name, more, less = _NAMES[self.signal]
        place = self.station if self.machine is None else self.machine
        what = f"{place}: {name}{f' ({self.which})' if self.which else ''}"
        way = more if self.direction > 0 else less
        size = "" if self.size is None else f"{_percent(self.size)} "
        levels = f"{_amount(self.before, self)} before"
        if self.level is not None:
            levels += f", {_amount(self.level.value, self)} now"
        judged = (
            "than in the plant's own record" if self.reference == "plant" else "than in the model"
        )
        sentence = f"{what} {size}{way} {judged} ({levels}), since {_moment(self.since)}"
        if self.since_high - self.since_low > 1.0:
            sentence += f" ({_moment(self.since_low)} to {_moment(self.since_high)})"
        ending = {
            "alarm": "; being checked on the values that follow.",
            "dismissed": "; the values that followed do not confirm it. No change proposed.",
            "confirmed": "; confirmed by the values that followed.",
            "measured": "; measured.",
        }[self.stage]
        said = f" {self.proposal.text}" if self.proposal is not None else ""
        return f"{sentence}{ending}{said}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, with its text."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("level", "size"):
            data[name] = None if data[name] is None else data[name].model_dump()
        data["proposal"] = None if self.proposal is None else self.proposal.to_dict()
        return {**data, "text": self.text}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        known = {name: value for name, value in data.items() if name != "text"}
        for name in ("level", "size"):
            known[name] = None if known[name] is None else Estimate.model_validate(known[name])
        known["proposal"] = known["proposal"] and Proposal.from_dict(known["proposal"])
        return cls(**known)


def _percent(size: Estimate) -> str:
    """Return a relative change as a size, without its sign."""
    low, high = size.low, size.value if size.high is None else size.high
    if size.value >= _TWOFOLD:
        return f"{1 + size.value:.2g} times ({1 + low:.2g}-{1 + high:.2g})"
    if low < 0.0 < high:
        reach = f"{_two_digits(low)} to {_two_digits(high)}"
    else:
        reach = "-".join(_two_digits(end) for end in sorted((abs(low), abs(high))))
    return f"{_two_digits(abs(size.value))} % ({reach} %)"


def _two_digits(share: float) -> str:
    return f"{100 * share:.2g}" if abs(share) < _MANY else f"{100 * share:.0f}"


def _amount(value: float, finding: Finding) -> str:
    if finding.unit == "s":
        return format_quantity(value, "s", 4)
    if finding.unit == "1/s":
        return "none" if value <= 0 else f"one in {format_quantity(1.0 / value, 's')}"
    return f"{100 * value:.3g} % of items"


def _moment(time: float) -> str:
    moment = dt.datetime.fromtimestamp(time, dt.UTC)
    return moment.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00") + " UTC"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        samples = value.get("samples") or value.get("quantiles")
        return f"{len(samples)} values" if samples else str(value)
    return str(value)
