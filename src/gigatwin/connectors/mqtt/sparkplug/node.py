"""An edge node as a host application sees it: what it was born with, and what it said last."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from gigatwin.connectors.mqtt.mapping import PYTHON_TYPE, fitting
from gigatwin.connectors.mqtt.messages import Heard
from gigatwin.connectors.mqtt.ordering import Ordered, Ordering
from gigatwin.connectors.mqtt.sparkplug.codec import Metric, Payload, decode, signed
from gigatwin.connectors.mqtt.sparkplug.metrics import DATATYPE, QUALITY, quality_of, tag_of
from gigatwin.connectors.mqtt.sparkplug.topics import (
    ABOUT_COMMANDS,
    BIRTH_SEQUENCE,
    DEVICE_BIRTH,
    DEVICE_DEATH,
    NODE_BIRTH,
    NODE_DEATH,
    REBIRTH,
    SEQUENCE_MODULUS,
    Address,
)
from gigatwin.connectors.mqtt.wish import Wish
from gigatwin.errors import TelemetryError
from gigatwin.telemetry.readings import Quality, Reading, Value
from gigatwin.telemetry.tags import Tag, TagType

_CONTROL = REBIRTH.partition("/")[0]

Numbered = tuple[Address, Payload]


@dataclass(slots=True)
class _Known:
    """A metric that was born; without a tag it is one to pass over."""

    tag: Tag | None
    datatype: int = 0
    value: Value = None


class ListenedNode:
    """Follows one edge node through births, data and deaths.

    Nothing is taken from a node whose birth was not seen; whenever something is missing its births
    are wanted, and asked for at most once in ``patience``.
    """

    def __init__(
        self,
        name: str,
        patience: tuple[float, float],
        counts: Counter[str],
        claim: Callable[[str, str], bool],
    ) -> None:
        """Know nothing yet.

        Parameters
        ----------
        name : str
            Name of the edge node.
        patience : (float, float)
            How long a message may be missing, and how long births may take. [s]
        counts : Counter
            Where to count what was seen and survived.
        claim : callable
            Whether an element (first) may be taken from this node (second).
        """
        self.name = name
        self.is_born = False
        self._patience, pause = patience
        self.births = Wish(pause)
        """Births have to be asked for."""
        self._counts = counts
        self._claim = claim
        self._birth_sequence: object = None
        self._ordering: Ordering[Numbered] = self._new_ordering(0)
        self._by_alias: dict[int, _Known] = {}
        self._by_name: dict[str, _Known] = {}
        self._newest = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether time alone makes something happen."""
        return self.births.is_open or self._ordering.is_waiting

    def tags(self) -> list[Tag]:
        """Return the tags that it was born with."""
        return [known.tag for known in self._by_name.values() if known.tag is not None]

    def take(self, address: Address, data: bytes, now: float) -> list[Heard]:
        """Take one of its messages.

        Raises
        ------
        TelemetryError
            If the message is spoiled.
        """
        payload = decode(data)
        if address.kind == NODE_DEATH:
            return self._die(payload)
        if address.kind == NODE_BIRTH:
            return [*self._flush(), self._begin(address, payload)]
        if payload.seq is None or not 0 <= payload.seq < SEQUENCE_MODULUS:
            message = (
                f"{address.topic}: seq {payload.seq}; must be 0 to {SEQUENCE_MODULUS - 1}. Check "
                "what the edge node writes."
            )
            raise TelemetryError(message)
        if not self.is_born:
            self._counts["before_birth"] += 1
            self.births.is_open = True
            return []
        ordered = self._ordering.take(payload.seq, (address, payload), now)
        if self._ordering.is_out_of_step:
            # Its birth was missed: what the aliases stand for is not known any more.
            self._counts["gaps"] += 1
            self.forget()
            self.births.is_open = True
        return self._apply_all(ordered)

    def expire(self, now: float) -> list[Heard]:
        """Return what waited for a missing message too long."""
        return self._apply_all(self._ordering.expire(now))

    def forget(self) -> None:
        """Take nothing more before the next birth."""
        self.is_born = False
        self._ordering = self._new_ordering(0)

    def _flush(self) -> list[Heard]:
        """Return all that waits for a missing message, before something begins anew."""
        heard = []
        while self._ordering.is_waiting:
            heard += self._apply_all(self._ordering.expire(math.inf))
        return heard

    def _new_ordering(self, expected: int) -> Ordering[Numbered]:
        return Ordering(SEQUENCE_MODULUS, self._patience, self._counts, expected)

    def _begin(self, address: Address, payload: Payload) -> Heard:
        self._by_alias, self._by_name = {}, {}
        self._birth_sequence = _birth_sequence(payload)
        self._ordering = self._new_ordering(((payload.seq or 0) + 1) % SEQUENCE_MODULUS)
        self.is_born = True
        self.births.fulfil()
        self._counts["births"] += 1
        return Heard(self._register(address.node, payload), is_snapshot=True)

    def _die(self, payload: Payload) -> list[Heard]:
        # The last will of an earlier session may come after the birth of this one.
        if not self.is_born or _birth_sequence(payload) != self._birth_sequence:
            return []
        self._counts["deaths"] += 1
        heard = [*self._flush(), Heard(self._stale(self._by_name.values()))]
        self.forget()
        return heard

    def _apply_all(self, ordered: Iterable[Ordered[Numbered]]) -> list[Heard]:
        heard = []
        for (address, payload), n_lost in ordered:
            if n_lost:
                self.births.is_open = True
            heard.append(self._apply(address, payload)._replace(n_lost=n_lost))
        return heard

    def _apply(self, address: Address, payload: Payload) -> Heard:
        element = address.device or address.node
        if address.kind == DEVICE_BIRTH:
            for name in [name for name in self._by_name if name.startswith(f"{element}/")]:
                del self._by_name[name]
            return Heard(self._register(element, payload), is_snapshot=True)
        if address.kind == DEVICE_DEATH:
            self._counts["deaths"] += 1
            prefix = f"{element}/"
            known = (item for name, item in self._by_name.items() if name.startswith(prefix))
            return Heard(self._stale(known))
        return Heard(self._readings(element, payload))

    def _register(self, element: str, payload: Payload) -> list[Reading]:
        is_ours = self._claim(element, self.name)
        for metric in payload.metrics:
            tag = None if _is_internal(metric.name) or not is_ours else tag_of(element, metric)
            known = _Known(tag, metric.datatype)
            self._by_name[f"{element}/{metric.name}"] = known
            if metric.alias is not None:
                self._by_alias[metric.alias] = known
        return self._readings(element, payload)

    def _readings(self, element: str, payload: Payload) -> list[Reading]:
        readings = []
        by_alias, newest = self._by_alias, self._newest
        sent = time.time() if payload.timestamp is None else payload.timestamp / 1000.0
        for metric in payload.metrics:
            _, alias, timestamp, _, given, _, _, _, properties = metric
            known = by_alias.get(alias) if alias is not None else None
            if known is None:
                known = self._by_name.get(f"{element}/{metric.name}")
                if known is None:
                    self._counts["unknown"] += 1
                    self.births.is_open = True
                    continue
            tag = known.tag
            if tag is None:
                continue
            quality = quality_of(properties.get(QUALITY)) if properties else Quality.GOOD
            kind = tag.type
            if kind is TagType.INTEGER or type(given) is not PYTHON_TYPE[kind]:
                value, quality = self._fitted(known, kind, metric, quality)
            else:
                value = cast("Value", given)
            known.value = value
            when = sent if timestamp is None else timestamp / 1000.0
            newest = max(newest, when)
            readings.append(Reading(tag.name, value, when, quality))
        self._newest = newest
        return readings

    def _fitted(
        self, known: _Known, kind: TagType, metric: Metric, quality: Quality
    ) -> tuple[Value, Quality]:
        value = signed(metric.value, known.datatype or DATATYPE[kind])
        if metric.is_null:
            return None, quality
        try:
            if value is not None and not isinstance(value, bytes):
                return fitting(value, kind), quality
        except ValueError:
            pass
        self._counts["malformed"] += 1
        return None, Quality.BAD

    def _stale(self, known: Iterable[_Known]) -> list[Reading]:
        return [
            Reading(item.tag.name, item.value, self._newest, Quality.BAD)
            for item in known
            if item.tag is not None
        ]


def _birth_sequence(payload: Payload) -> object:
    values = (metric.value for metric in payload.metrics if metric.name == BIRTH_SEQUENCE)
    return next(values, None)


def _is_internal(name: str) -> bool:
    return name in ABOUT_COMMANDS or name == BIRTH_SEQUENCE or name.partition("/")[0] == _CONTROL
