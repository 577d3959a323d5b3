"""Who listens to a line in a unified namespace."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

from gigatwin.connectors.mqtt.mapping import fitting
from gigatwin.connectors.mqtt.messages import Filter, Heard, Incoming, Outgoing
from gigatwin.connectors.mqtt.ordering import Ordered, Ordering
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.uns.namespace import (
    COMMAND,
    LINE,
    META,
    ONLINE,
    REFRESH,
    SEQUENCE_MODULUS,
    TAGS,
    VALUE_KINDS,
    Namespace,
    Place,
    Told,
    encode,
    read_meta,
    read_value,
    write_time,
)
from gigatwin.connectors.mqtt.wish import Wish
from gigatwin.telemetry.readings import Quality, Reading, Value
from gigatwin.telemetry.tags import Tag, TagType

_MOST_SENDERS = 64
_TYPE_OF = {bool: TagType.BOOLEAN, int: TagType.INTEGER, float: TagType.REAL, str: TagType.TEXT}

_Message = tuple[str, Told]


class NamespaceHost:
    """Follows one line; values that nobody described become tags by their Python types."""

    def __init__(
        self,
        settings: MqttSettings,
        counts: Counter[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Know nothing yet.

        Parameters
        ----------
        settings : MqttSettings
            Root and path of the line; how patient to be.
        counts : Counter
            Where to count what was seen and survived.
        clock : callable
            Wall time. [s]
        """
        self._names = Namespace(settings.root, settings.path)
        self._patience = settings.reorder_patience
        self._counts = counts
        self._clock = clock
        self._tags: dict[str, Tag] = {}
        self._values: dict[str, Value] = {}
        self._orderings: OrderedDict[str, Ordering[_Message]] = OrderedDict()
        self._newest = 0.0
        self._refresh = Wish(settings.birth_patience)
        self.is_alive = False
        """Whether the line is there."""
        # What the tags are comes before their values.
        kinds = (META, *sorted(VALUE_KINDS))
        self.filters: list[Filter] = [(self._names.topic("+", kind, "#"), 1) for kind in kinds]

    @property
    def is_waiting(self) -> bool:
        """Whether time alone makes something happen."""
        return self._refresh.is_open or any(
            ordering.is_waiting for ordering in self._orderings.values()
        )

    def make_will(self) -> Outgoing | None:
        """Return no will: nobody waits for this side."""
        return None

    def greetings(self, now: float) -> list[Outgoing]:
        """Return what asks for all present values."""
        return self.ask(now)

    def farewell(self) -> list[Outgoing]:
        """Return nothing: nobody waits for this side."""
        return []

    def take(self, message: Incoming, now: float) -> list[Heard]:
        """Take a message.

        Raises
        ------
        TelemetryError
            If it is spoiled.
        """
        place = self._names.place(message.topic)
        if place is None:
            return []
        name = f"{place.element}/{place.name}"
        if place.kind == META:
            self._describe(place, message.payload)
        elif place.kind in VALUE_KINDS and message.payload:
            told = read_value(message.payload)
            if place.element != LINE:
                return self._take_value(name, told, now, is_retained=message.is_retained)
            if place.name == ONLINE:
                return self._take_presence(told)
        return []

    def _take_value(self, name: str, told: Told, now: float, *, is_retained: bool) -> list[Heard]:
        self.is_alive = True
        if told.sequence is None or is_retained:
            return [self._heard(name, told, is_snapshot=is_retained)]
        ordering = self._ordering(told.sender)
        ordered = ordering.take(told.sequence, (name, told), now)
        if ordering.is_out_of_step:
            self._counts["gaps"] += 1
            self._refresh.is_open = True
            del self._orderings[told.sender]
            return [self._heard(name, told)]
        return self._heard_all(ordered)

    def expire(self, now: float) -> list[Heard]:
        """Return what waited for a missing message too long."""
        return [
            heard
            for ordering in self._orderings.values()
            for heard in self._heard_all(ordering.expire(now))
        ]

    def ask(self, now: float) -> list[Outgoing]:
        """Return what asks for all present values."""
        self._refresh.ask(now)
        self._refresh.fulfil()  # not every line can answer
        topic = self._names.topic(LINE, COMMAND, REFRESH)
        told = {"ts": write_time(self._clock()), "v": True}
        return [Outgoing(topic, encode(told), quality_of_service=1)]

    def requests(self, now: float) -> list[Outgoing]:
        """Return what asks for all values after a gap; once, for not every line can answer."""
        if not self._refresh.is_due(now):
            return []
        self._counts["refreshes_requested"] += 1
        return self.ask(now)

    def lose(self) -> None:
        """Note that the session is over: messages may be missed from now on."""
        self.is_alive = False
        self._orderings.clear()

    def tags(self) -> list[Tag]:
        """Return the tags that are known by now."""
        return list(self._tags.values())

    def _describe(self, place: Place, payload: bytes) -> None:
        # An empty message takes back what the broker kept.
        described = read_meta(place, payload) if payload else []
        if place.name == TAGS:
            prefix = f"{place.element}/"
            self._tags = {
                name: tag for name, tag in self._tags.items() if not name.startswith(prefix)
            }
        elif not payload:
            self._tags.pop(f"{place.element}/{place.name}", None)
        self._tags.update((tag.name, tag) for tag in described)

    def _take_presence(self, told: Told) -> list[Heard]:
        was_alive, self.is_alive = self.is_alive, told.value is True
        if self.is_alive or not was_alive:
            return []
        self._counts["deaths"] += 1
        stale = [
            Reading(name, value, self._newest, Quality.BAD) for name, value in self._values.items()
        ]
        return [Heard(stale)]

    def _ordering(self, sender: str) -> Ordering[_Message]:
        ordering = self._orderings.get(sender)
        if ordering is None:
            ordering = Ordering(SEQUENCE_MODULUS, self._patience, self._counts)
            self._orderings[sender] = ordering
            if len(self._orderings) > _MOST_SENDERS:
                self._orderings.popitem(last=False)
        return ordering

    def _heard_all(self, ordered: Iterable[Ordered[_Message]]) -> list[Heard]:
        heard = []
        for (name, told), n_lost in ordered:
            if n_lost:
                self._refresh.is_open = True
            heard.append(self._heard(name, told, n_lost))
        return heard

    def _heard(self, name: str, told: Told, n_lost: int = 0, *, is_snapshot: bool = False) -> Heard:
        tag = self._tags.get(name)
        value, quality = told.value, told.quality
        if tag is None:
            if value is not None:
                self._tags[name] = Tag(name, _TYPE_OF[type(value)], told.unit)
        else:
            try:
                value = fitting(value, tag.type)
            except ValueError:
                self._counts["malformed"] += 1
                value, quality = None, Quality.BAD
        when = self._clock() if told.time is None else told.time
        self._newest = max(self._newest, when)
        self._values[name] = value
        is_snapshot = is_snapshot or told.is_snapshot
        return Heard([Reading(name, value, when, quality)], is_snapshot, n_lost)
