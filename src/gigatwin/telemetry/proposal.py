"""A mapping proposed from the names of tags; a person has to check it.

A name is cut at the signs between its levels; the last levels are compared with the labels of
PackML and their usual variants, the rest with the names of the elements of the factory.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from gigatwin.telemetry.elements import Elements
from gigatwin.telemetry.mapping import SCALED, TagMapping, TagMeaning
from gigatwin.telemetry.tags import (
    PACKTAGS,
    SETTING_PREFIX,
    VALUE_PREFIX,
    Quantity,
    Tag,
    TagType,
    quantity_of,
)

_Q = Quantity
# The usual names besides PackML's, without the words and signs that are left out before comparing.
_VARIANTS = {
    _Q.STATE: "statecurrent currentstate state machinestate packmlstate currentstatenumber",
    _Q.MODE: "unitmodecurrent currentmode unitmode mode machinemode packmlmode",
    _Q.SPEED: "curmachspeed currentspeed actualspeed speed machspeedactual speedactual",
    _Q.SPEED_SET_POINT: "speedsetpoint setspeed targetspeed speedset",
    _Q.BLOCKED: "blocked isblocked interlockblocked equipmentblocked",
    _Q.STARVED: "starved isstarved interlockstarved equipmentstarved",
    _Q.PROCESSED: "prodprocessedcount processedcount processed productioncount partcount "
    "totalcount itemcount partscounter goodandbadcount",
    _Q.DEFECTIVE: "proddefectivecount defectivecount defective scrapcount rejectcount rejects "
    "badcount rejectedcount",
    _Q.STOP_REASON: "stopreason stopreasonid reason faultreason stopcode alarmtext",
    _Q.FORMAT: "format recipe product currentformat currentrecipe productformat",
    _Q.TRACKING: "tracking itemtracking telegram parttracking",
    _Q.LEVEL: "level filllevel bufferlevel count contents itemsinbuffer",
    _Q.COMMAND: "cntrlcmd controlcommand",
    _Q.SPEED_COMMAND: "commandmachspeed speedcommand",
    _Q.MODE_COMMAND: "commandunitmode modecommand",
    _Q.FORMAT_COMMAND: "commandformat formatcommand",
}
_PER_SECOND = {
    **dict.fromkeys(("1/s", "items/s", "hz", "s-1"), 1.0),
    **dict.fromkeys(("1/h", "items/h", "pieces/h", "pcs/h", "h-1"), 1.0 / 3600.0),
}
"""How often a second a speed of one unit is, by unit; any other is taken as items per minute."""
_SPEEDS = frozenset({_Q.SPEED, _Q.SPEED_SET_POINT, _Q.SPEED_COMMAND})
_NUMERIC = frozenset({TagType.INTEGER, TagType.REAL})
_LEVEL_SIGNS = re.compile(r"[/.|:;]+")
_WORDS = re.compile(r"[A-Za-z]+|\d+")
_EXACT, _VARIANT, _WITHOUT_NUMBER, _SIMILAR = 1.0, 0.85, 0.9, 0.8
_LEAST_SIMILAR = 0.8
_LEAST = 0.5
_FULL = {label: quantity for quantity, label in PACKTAGS.items()}
_MOST_LEVELS = 4

_Key = tuple[str, ...]


@dataclass(frozen=True)
class _Match:
    """Something that a name may mean."""

    confidence: float
    reason: str


@dataclass(frozen=True)
class _Label(_Match):
    quantity: Quantity
    which: str = ""


@dataclass(frozen=True)
class _Element(_Match):
    name: str


def propose(
    tags: Sequence[Tag],
    elements: Elements,
    nominal_rates: Mapping[str, float] | None = None,
    source: str = "",
) -> TagMapping:
    """Return a mapping that a person can check, with how sure each line is as its comment.

    Parameters
    ----------
    tags : sequence of Tag
        What the source offers.
    elements : Elements
        Elements of the factory.
    nominal_rates : mapping of str to float, optional
        Items per second of each machine at speed 1, for the factors of speeds; left out, those of
        the elements. [1/s]
    source : str
        URL of the source.

    Returns
    -------
    TagMapping
        Tags that mean nothing known, or the same as a better one, stand under ``ignored``.
    """
    rates = elements.nominal_rates if nominal_rates is None else nominal_rates
    names = _Names(elements)
    best: dict[tuple[str, Quantity, str], tuple[float, str]] = {}
    meanings: dict[str, TagMeaning] = {}
    comments: dict[str, str] = {}
    ignored: list[str] = []
    for tag in tags:
        if not tag.name or tag.name in comments:
            continue
        found = _meaning_of(tag, names, rates)
        if found is None:
            ignored.append(tag.name)
            comments[tag.name] = "unmatched: neither element nor label is known"
            continue
        meaning, confidence, reason = found
        key = meaning.key
        before = best.get(key)
        if before is not None and before[0] >= confidence:
            ignored.append(tag.name)
            comments[tag.name] = f"{confidence:.2f} left out: means the same as {before[1]}"
            continue
        if before is not None:
            ignored.append(before[1])
            comments[before[1]] = f"{before[0]:.2f} left out: means the same as {tag.name}"
            del meanings[before[1]]
        best[key] = confidence, tag.name
        meanings[tag.name] = meaning
        comments[tag.name] = f"{confidence:.2f} {reason}"
    mapping = TagMapping(source=source, tags=meanings, ignored=tuple(ignored))
    return mapping.with_comments(comments)


def _meaning_of(
    tag: Tag, names: "_Names", rates: Mapping[str, float]
) -> tuple[TagMeaning, float, str] | None:
    best: tuple[float, _Element, _Label] | None = None
    for element_name, label_name in _cuts(tag.name):
        label = _label(label_name, is_writable=tag.is_writable)
        if label is None:
            continue
        element = names.find(element_name, is_buffer=label.quantity is _Q.LEVEL)
        if element is None:
            continue
        confidence = element.confidence * label.confidence
        if best is None or confidence > best[0]:
            best = confidence, element, label
    if best is None or best[0] < _LEAST:
        return None
    confidence, element, label = best
    factor, note = 1.0, ""
    if label.quantity in _SPEEDS and tag.type in _NUMERIC:
        rate = rates.get(element.name, 0.0)
        if rate > 0.0:
            per_second = _PER_SECOND.get(tag.unit.lower().strip(), 1.0 / 60.0)
            factor = float(f"{per_second / rate:.6g}")
            note = f"; speed 1 is {rate / per_second:.4g} {tag.unit or 'items/min'}"
        else:
            confidence, note = confidence * 0.6, "; the nominal speed is not known"
    meaning = TagMeaning(
        element=element.name,
        quantity=label.quantity,
        which=label.which or None,
        factor=factor if label.quantity in SCALED else 1.0,
    )
    return meaning, confidence, f"{element.reason}; {label.reason}{note}"


def _cuts(name: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to cut a name into element and label."""
    head, sign, rest = name.partition("/")
    if sign and head and rest:
        yield head, rest
    levels = [level for level in _LEVEL_SIGNS.split(name) if level]
    for n_label in range(1, min(_MOST_LEVELS, len(levels) - 1) + 1):
        yield "/".join(levels[:-n_label]), ".".join(levels[-n_label:])
    # Sources without levels: Winding_01_StateCurrent.
    last = levels[-1] if levels else ""
    for place in (match.start() for match in re.finditer("_", last)):
        yield "/".join([*levels[:-1], last[:place]]), last[place + 1 :]


def _label(label: str, *, is_writable: bool) -> _Label | None:
    known = quantity_of(label)
    if known is not None:
        return _Label(_EXACT, "label is PackML's", *known)
    dotted = ".".join(level for level in _LEVEL_SIGNS.split(label) if level)
    for prefix, quantity in ((SETTING_PREFIX, _Q.SETTING), (VALUE_PREFIX, _Q.VALUE)):
        if dotted.lower().startswith(prefix.lower()) and len(dotted) > len(prefix):
            reason = f"label begins like PackML's {prefix}"
            return _Label(_VARIANT, reason, quantity, dotted[len(prefix) :])
    plain = _plain(label)
    for full, quantity in _FULL.items():
        if plain == _plain(full):
            return _Label(0.98, f"label is PackML's {full} but for its signs", quantity)
    is_command = plain.startswith("command")
    short = plain
    for word in ("status", "admin", "command", "equipmentinterlock"):
        short = short.removeprefix(word)
    for quantity, words in _VARIANTS.items():
        if short in words.split() or plain in words.split():
            return _directed(quantity, short, is_command=is_command or is_writable)
    return None


def _directed(quantity: Quantity, short: str, *, is_command: bool) -> _Label | None:
    """Return what a variant means; what is written is not what is read."""
    commands = {
        _Q.MODE: _Q.MODE_COMMAND,
        _Q.FORMAT: _Q.FORMAT_COMMAND,
        _Q.SPEED: _Q.SPEED_COMMAND,
        _Q.SPEED_SET_POINT: _Q.SPEED_COMMAND,
    }
    meant = commands.get(quantity, quantity) if is_command else quantity
    return _Label(_VARIANT, f"'{short}' is a usual name for {meant}", meant)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def _key(name: str) -> _Key:
    """Return a name as letters and numbers: ``Winding-A-03`` and ``winding_a#3`` are the same."""
    parts: list[str] = []
    for word in _WORDS.findall(name.lower()):
        if word.isdigit():
            parts.append(str(int(word)) if len(word) < 10 else word)  # noqa: PLR2004 - no serials
        elif parts and not parts[-1].isdigit():
            parts[-1] += word
        else:
            parts.append(word)
    return tuple(parts)


class _Names:
    """The names of elements, in the forms in which sources write them."""

    def __init__(self, elements: Elements) -> None:
        self._by_key: dict[bool, dict[_Key, str]] = {
            False: {_key(name): name for name in elements.machines},
            True: {_key(name): name for name in elements.buffers},
        }
        self._found: dict[tuple[str, bool], _Element | None] = {}

    def find(self, name: str, *, is_buffer: bool) -> _Element | None:
        """Return the element that a name means best."""
        known = self._found
        if (name, is_buffer) not in known:
            known[name, is_buffer] = self._best(name, is_buffer=is_buffer)
        return known[name, is_buffer]

    def _best(self, name: str, *, is_buffer: bool) -> _Element | None:
        levels = name.split("/")
        # The level next to the label first; a name may be spread over two levels.
        forms = [levels[-1], "/".join(levels[-2:]), *reversed(levels[:-1])]
        candidates = [self._match(form, is_buffer=is_buffer) for form in forms]
        found = [candidate for candidate in candidates if candidate is not None]
        return max(found, key=lambda match: match.confidence, default=None)

    def _match(self, form: str, *, is_buffer: bool) -> _Element | None:
        key = _key(form)
        known = self._by_key[is_buffer]
        what = "buffer" if is_buffer else "machine"
        exact = [key]
        if is_buffer:
            exact = [_without_buffer(key), key]
        for index, wanted in enumerate(exact):
            if wanted in known:
                confidence = _EXACT if not index else _VARIANT
                return _Element(confidence, f"'{form}' is {what} {known[wanted]}", known[wanted])
        if not is_buffer and len(key) > 1 and key[-1] == "1" and key[:-1] in known:
            name = known[key[:-1]]
            return _Element(_WITHOUT_NUMBER, f"'{form}' is the only machine {name}", name)
        return self._similar(exact[0], form, known)

    def _similar(self, key: _Key, form: str, known: Mapping[_Key, str]) -> _Element | None:
        """Return an element whose words are nearly the same and whose numbers are the same."""
        numbers = tuple(part for part in key if part.isdigit())
        words = "".join(part for part in key if not part.isdigit())
        best: _Element | None = None
        for other, name in known.items():
            if tuple(part for part in other if part.isdigit()) != numbers or not words:
                continue
            matcher = SequenceMatcher(
                None, words, "".join(part for part in other if not part.isdigit())
            )
            if matcher.real_quick_ratio() < _LEAST_SIMILAR:
                continue
            ratio = matcher.ratio()
            if ratio >= _LEAST_SIMILAR and (best is None or ratio * _SIMILAR > best.confidence):
                best = _Element(ratio * _SIMILAR, f"'{form}' is similar to {name}", name)
        return best


def _without_buffer(key: _Key) -> _Key:
    """Return a key without the word ``buffer`` in front or at the end."""
    if not key:
        return key
    parts = [
        part.removeprefix("buffer").removesuffix("buffer") if not part.isdigit() else part
        for part in key
    ]
    return tuple(part for part in parts if part)
