"""From fields of the factory to values of tags, and back again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gigatwin.factory.factory import Factory
from gigatwin.factory.paths import resolve
from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Value, is_usable
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.changes.machine_settings import common_setting
from gigatwin.twin.changes.proposal import Values

_N_SPEED, _N_SETTING = 3, 4
_CLOSE = 1e-6
"""Values nearer than this are the same: some tags have single precision."""
_DIFFERENT = 0.005
_FORMAT = Quantity.FORMAT_COMMAND


class TagBook(Protocol):
    """Which tag a quantity has, and what it says now."""

    def tag_for(
        self, element: str, quantity: Quantity, which: str = ""
    ) -> tuple[str, float] | None:
        """Return the tag of a quantity and its factor, None if it has none.

        The value of the tag times the factor is the quantity in the unit of the model.
        """

    def present(self, tag: str) -> Value:
        """Return what a tag said last, in its own unit; None where it said nothing usable."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, and what must be done by hand."""

    writes: tuple[TagWrite, ...]
    rollback: tuple[TagWrite, ...]
    """Old values, the last write first."""
    by_hand: tuple[str, ...]
    problems: tuple[str, ...]
    """What speaks against writing: no old value to go back to."""
    remarks: tuple[str, ...]
    """Where the plant is not as the model: it runs at another speed."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A quantity that is to get a value at one machine."""

    element: str
    command: Quantity
    which: str
    value: float | str
    """In the unit of the model."""
    before: float | str | None
    """What the model has now; None: it says nothing."""
    shown_by: tuple[Quantity, ...]
    """Quantities that say what it is now, the best first."""


_SHOWN = {
    Quantity.SPEED_COMMAND: (Quantity.SPEED_SET_POINT, Quantity.SPEED_COMMAND),
    Quantity.FORMAT_COMMAND: (Quantity.FORMAT, Quantity.FORMAT_COMMAND),
    Quantity.SETTING: (Quantity.SETTING,),
}


def machines_of(factory: Factory, station: str) -> tuple[str, ...]:
    """Return the machines of a station by the names that the compiled factory gives them."""
    n = int(getattr(factory.stations[station], "machines", 1))
    return (station,) if n == 1 else tuple(f"{station}#{k + 1}" for k in range(n))


def plan_writes(
    factory: Factory,
    changed: Factory,
    values: Values,
    product_format: str | None,
    book: TagBook | None,
) -> Plan:
    """Return what has to be written for a change.

    Parameters
    ----------
    factory, changed : Factory
        Before and after.
    values : mapping
        The fields that are changed.
    product_format : str, optional
        Format that all machines with such a tag change over to.
    book : TagBook, optional
        The tags; without it everything is to be done by hand.
    """
    by_hand: list[str] = []
    problems: list[str] = []
    remarks: list[str] = []
    pairs: list[tuple[TagWrite, TagWrite]] = []
    groups = [
        (f"{field} = {value}", _wishes(factory, changed, field)) for field, value in values.items()
    ]
    if product_format is not None:
        groups.append((f"format {product_format}", _format_wishes(factory, product_format)))
    for what, wishes in groups:
        found = [(wish, _tag_of(book, wish)) for wish in wishes]
        tagged = [(wish, tag) for wish, tag in found if tag is not None]
        # Machines without a format tag take what comes; of a speed or setting none may miss.
        if not tagged or (len(tagged) < len(found) and found[0][0].command != _FORMAT):
            by_hand.append(what)
            continue
        for wish, (tag, factor) in tagged:
            if book is None:  # pragma: no cover
                break
            old = _old_value(book, wish, factor)
            if old is None:
                problems.append(
                    f"{tag}: what it has now is not known, so that nothing could be rolled back"
                )
                continue
            new = _tag_value(wish.value, factor, old)
            remarks += _remark(wish, tag, factor, old)
            pairs.append((TagWrite(tag, new), TagWrite(tag, old)))
    return Plan(
        writes=tuple(new for new, _ in pairs),
        rollback=tuple(old for _, old in reversed(pairs)),
        by_hand=tuple(by_hand),
        problems=tuple(problems),
        remarks=tuple(remarks),
    )


def is_same(one: Value, other: Value) -> bool:
    """Return whether two values of a tag are the same, up to single precision."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= _CLOSE * max(abs(one), abs(other))
    return one == other


def _wishes(factory: Factory, changed: Factory, field: str) -> list[_Wish]:
    """Return what a field means at the machines; nothing: it has no tag."""
    path = resolve(factory, field)
    if path[0] != "stations" or path[1] not in changed.stations:
        return []
    station = str(path[1])
    machines = machines_of(factory, station)
    if len(path) == _N_SPEED and path[2] == "speed":
        before = float(getattr(factory.stations[station], "speed", 1.0))
        after = float(getattr(changed.stations[station], "speed", 1.0))
        return [_wish(machine, Quantity.SPEED_COMMAND, "", after, before) for machine in machines]
    if len(path) == _N_SETTING and path[2] == "settings":
        name = str(path[3])
        after_or_none = common_setting(changed, station, name)
        if after_or_none is None:
            return []
        before_or_none = common_setting(factory, station, name)
        return [
            _wish(machine, Quantity.SETTING, name, after_or_none, before_or_none)
            for machine in machines
        ]
    return []


def _format_wishes(factory: Factory, product_format: str) -> list[_Wish]:
    return [
        _wish(machine, _FORMAT, "", product_format, None)
        for station in factory.stations
        for machine in machines_of(factory, station)
    ]


def _wish(
    machine: str, command: Quantity, which: str, value: float | str, before: float | str | None
) -> _Wish:
    return _Wish(machine, command, which, value, before, _SHOWN[command])


def _tag_of(book: TagBook | None, wish: _Wish) -> tuple[str, float] | None:
    return None if book is None else book.tag_for(wish.element, wish.command, wish.which)


def _old_value(book: TagBook, wish: _Wish, factor: float) -> Value:
    """Return what the tag of a wish would be written with to leave everything as it is."""
    for quantity in wish.shown_by:
        found = book.tag_for(wish.element, quantity, wish.which)
        value = None if found is None else book.present(found[0])
        if found is None or not is_usable(value) or value == "":
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # Commands that nobody gave yet are 0, and a speed of 0 would stop the machine.
        if wish.command == Quantity.SPEED_COMMAND and not (is_number and float(value or 0) > 0):
            continue
        if is_number and isinstance(value, int | float) and found[1] != factor:
            return value * found[1] / factor
        return value
    return None


def _tag_value(value: float | str, factor: float, old: Value) -> Value:
    if isinstance(value, str):
        return value
    scaled = value / factor
    is_whole = isinstance(old, int) and not isinstance(old, bool)
    nearest = round(scaled)
    return nearest if is_whole and abs(scaled - nearest) <= _CLOSE * abs(scaled) else scaled


def _remark(wish: _Wish, tag: str, factor: float, old: Value) -> Iterator[str]:
    if not isinstance(wish.before, float) or not isinstance(old, int | float):
        return
    plant = old * factor
    if abs(plant - wish.before) > _DIFFERENT * abs(wish.before):
        yield (
            f"{tag} says {plant:.4g} where the model has {wish.before:.4g}: the effect is "
            "predicted from the model"
        )
