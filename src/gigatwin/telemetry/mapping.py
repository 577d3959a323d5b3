"""The mapping file: what the tags of a source are in the factory, checked by a person.

::

    source: opc.tcp://127.0.0.1:4840
    confirmed_by: Ada Lovelace
    tags:
      winding_1/Status.StateCurrent: {element: winding#1, quantity: state}
      winding_1/Command.MachSpeed: {element: winding#1, quantity: speed_command, factor: 0.0833}
    ignored:
      - winding_1/Status.Tool
"""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from gigatwin.errors import FactoryError, TelemetryError
from gigatwin.factory import documents
from gigatwin.factory.described import Name
from gigatwin.factory.findings import Findings
from gigatwin.factory.validation import validate
from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Value
from gigatwin.telemetry.tags import Quantity

MOST_TAGS = 200_000
"""Limit on the tags of a mapping file."""
SCALED = frozenset(
    {
        Quantity.SPEED,
        Quantity.SPEED_SET_POINT,
        Quantity.SPEED_COMMAND,
        Quantity.PROCESSED,
        Quantity.DEFECTIVE,
        Quantity.LEVEL,
        Quantity.SETTING,
        Quantity.VALUE,
    }
)
"""Quantities that are amounts, so that a factor means something."""
NAMED = frozenset({Quantity.SETTING, Quantity.VALUE})
"""Quantities that an element has several of, told apart by name."""

_PLAIN = re.compile(r"[A-Za-z_][\w./#-]*", re.ASCII)
_NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LAST_OF_BYTE, _LAST_OF_TWO = 0xFF, 0xFFFF
_CONFIRMED = re.compile(r"^confirmed_by:.*$", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEAD = """\
# What the tags of a source are in the factory: element and quantity of each tag.
# The value of a tag times its factor is the quantity in the unit of the model; a speed of 1 is the
# nominal one. Check every line, then write your name behind confirmed_by.
"""


class TagMeaning(BaseModel):
    """What one tag is in the factory."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    element: Name
    """Machine or buffer of the factory."""
    quantity: Quantity
    """What the tag says about it, or tells it."""
    which: Name | None = None
    """Name of the setting or value; left out for quantities that an element has once."""
    factor: Annotated[float, Field(ge=-1e15, le=1e15)] = 1.0
    """What the tag's value is multiplied by to be in the unit of the model."""

    @model_validator(mode="after")
    def _is_sensible(self) -> Self:
        problem = ""
        if self.quantity in NAMED and self.which is None:
            problem = f"a {self.quantity} needs 'which', its name"
        elif self.quantity not in NAMED and self.which is not None:
            problem = f"'which' is for settings and values; a {self.quantity} has no name"
        elif not self.factor:
            problem = "factor must not be 0"
        elif self.factor != 1.0 and self.quantity not in SCALED:
            problem = f"a {self.quantity} is no amount, so it has no factor"
        if problem:
            raise ValueError(problem)
        return self

    @property
    def key(self) -> tuple[str, Quantity, str]:
        """Element, quantity and name; each is given by one tag only."""
        return self.element, self.quantity, self.which or ""


class TagMapping(BaseModel):
    """What the tags of a source are in the factory; a proposal until a person has confirmed it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: str
    """URL of where the tags are."""
    confirmed_by: str = ""
    """Name of the person who checked it; empty: it is a proposal."""
    tags: dict[Annotated[str, Field(min_length=1)], TagMeaning]
    """Name of the tag at the source to what it is."""
    ignored: tuple[Name, ...] = ()
    """Tags that are left out."""

    _comments: dict[str, str] = PrivateAttr(default_factory=dict)
    _findings: Findings | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _ignores_no_tag_that_it_uses(self) -> Self:
        both = sorted(self.tags.keys() & set(self.ignored))
        if both:
            message = f"tags {', '.join(both[:5])} must not stand under 'ignored' as well"
            raise ValueError(message)
        return self

    def __eq__(self, other: object) -> bool:
        """Whether another mapping says the same; comments do not count."""
        return isinstance(other, TagMapping) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        """Return a number that is the same for equal mappings."""
        return hash((self.source, self.confirmed_by, self.ignored, len(self.tags)))

    @property
    def is_confirmed(self) -> bool:
        """Whether a person has checked it."""
        return bool(self.confirmed_by.strip())

    @property
    def comments(self) -> Mapping[str, str]:
        """A remark on each tag, such as how sure a proposal is."""
        return self._comments

    def with_comments(self, comments: Mapping[str, str]) -> Self:
        """Return the same mapping with a remark on some tags."""
        copy = self.model_copy()
        copy._comments = dict(comments)  # noqa: SLF001 - our own class
        return copy

    def findings(self) -> Findings:
        """Return an empty list of problems that knows the lines of the file, if it was read."""
        origin = self._findings
        return Findings("mapping") if origin is None else Findings(origin.file, origin.root)

    def tag_of(self, element: str, quantity: Quantity, which: str = "") -> str | None:
        """Return the tag that holds a quantity of an element; None: there is none."""
        wanted = element, quantity, which
        return next((tag for tag, meaning in self.tags.items() if meaning.key == wanted), None)

    def write_for(
        self, element: str, quantity: Quantity, value: Value, which: str = ""
    ) -> TagWrite:
        """Return the write that gives a quantity a value.

        Parameters
        ----------
        element : str
            Machine or buffer.
        quantity : Quantity
            What to write.
        value : bool, int, float, str or None
            In the unit of the model.
        which : str
            Name of the setting.

        Raises
        ------
        TelemetryError
            If no tag of the mapping holds it.
        """
        tag = self.tag_of(element, quantity, which)
        if tag is None:
            name = f"{quantity} {which}".strip()
            where = "mapping" if self._findings is None else self._findings.file
            message = f"{where}: no tag for the {name} of {element}; add one to write it"
            raise TelemetryError(message)
        factor = self.tags[tag].factor
        if factor != 1.0 and isinstance(value, int | float):
            value /= factor
        return TagWrite(tag, value)


def read_mapping(path: str | Path) -> TagMapping:
    """Return the mapping in a YAML file.

    Raises
    ------
    TelemetryError
        With all problems of the file and their lines, or if it cannot be read.
    """
    # A bare word would be taken as the name of a template of the library.
    place = Path(path) if Path(path).suffix else Path(path).absolute()
    if not place.exists():
        message = f"{path}: no such file; make one from the tags of the source, then check it"
        raise TelemetryError(message)
    try:
        document = documents.find(place)
        return read_mapping_text(document.text, document.name)
    except FactoryError as error:
        raise TelemetryError(str(error)) from None


def read_mapping_text(text: str, file_name: str = "mapping") -> TagMapping:
    """Return the mapping that a YAML text holds.

    Parameters
    ----------
    text : str
        The text.
    file_name : str
        Name to use in messages.

    Raises
    ------
    TelemetryError
        With all problems of the text and their lines.
    """
    broken = _SURROGATE.search(text)
    if broken is not None:
        line = text.count("\n", 0, broken.start()) + 1
        message = f"{file_name}:{line}: half a character; must be text in UTF-8"
        raise TelemetryError(message)
    try:
        data, findings = documents.parsed(
            text, file_name, "with the fields source and tags", MOST_TAGS
        )
        mapping = validate(TagMapping, data, findings)
        findings.raise_if_any()
    except FactoryError as error:
        raise TelemetryError(str(error)) from None
    if mapping is None:  # pragma: no cover
        message = "a mapping without problems must give a mapping"
        raise AssertionError(message)
    mapping._findings = findings  # noqa: SLF001 - our own class
    return mapping


def write_mapping(mapping: TagMapping, path: str | Path) -> None:
    """Write a mapping as a YAML file that people can read; its comments stand above the tags.

    The file appears when it is complete.

    Raises
    ------
    TelemetryError
        If it cannot be written.
    """
    _write(text_of(mapping), Path(path))


def confirm_mapping(path: str | Path, name: str) -> TagMapping:
    """Write the name of the person who checked a mapping into its file; all else stays as it is.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str
        Name of the person.

    Returns
    -------
    TagMapping
        The mapping as it is now.

    Raises
    ------
    TelemetryError
        If the file is no mapping, or cannot be written, or the name is empty.
    """
    if not name.strip():
        message = f"{path} confirmed_by: nothing; must be the name of a person"
        raise TelemetryError(message)
    mapping = read_mapping(path)
    text = Path(path).read_text(encoding="utf-8-sig")
    line = f"confirmed_by: {quoted(name.strip())}"
    changed, n_lines = _CONFIRMED.subn(lambda _: line, text)
    if not n_lines:
        changed = f"{line}\n{text}"
    try:
        confirmed = read_mapping_text(changed, str(path))
    except TelemetryError:
        confirmed = mapping
    if confirmed.confirmed_by != name.strip():
        # Written in a way of its own, over several lines or within braces.
        confirmed = mapping.model_copy(update={"confirmed_by": name.strip()})
        changed = text_of(confirmed)
    _write(changed, Path(path))
    return confirmed


def _write(text: str, path: Path) -> None:
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}-", delete=False
        ) as file:
            partial = Path(file.name)
            try:
                file.write(text)
                file.close()
                partial.chmod(0o644)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
    except (OSError, UnicodeEncodeError) as error:
        message = f"{path}: cannot be written ({error}); choose a folder that can"
        raise TelemetryError(message) from error


def text_of(mapping: TagMapping) -> str:
    """Return a mapping as YAML, with its comments."""
    lines = [_HEAD + f"source: {quoted(mapping.source)}"]
    lines += [
        f"confirmed_by: {quoted(mapping.confirmed_by)}",
        "tags:" if mapping.tags else "tags: {}",
    ]
    for tag, meaning in mapping.tags.items():
        lines += _remark(mapping, tag)
        fields = [f"element: {quoted(meaning.element)}", f"quantity: {meaning.quantity.value}"]
        if meaning.which is not None:
            fields.append(f"which: {quoted(meaning.which)}")
        if meaning.factor != 1.0:
            fields.append(f"factor: {float(meaning.factor)!r}")
        lines.append(f"  {quoted(tag)}: {{{', '.join(fields)}}}")
    lines.append("ignored:" if mapping.ignored else "ignored: []")
    for tag in mapping.ignored:
        lines += _remark(mapping, tag)
        lines.append(f"  - {quoted(tag)}")
    return "\n".join(lines) + "\n"


def _remark(mapping: TagMapping, tag: str) -> list[str]:
    remark = mapping.comments.get(tag)
    if not remark:
        return []
    text = "".join(sign if sign.isprintable() else " " for sign in remark)
    return [f"  # {text.strip()}"]


def quoted(text: str) -> str:
    """Return a text as YAML has it, in quotes where it could be read as something else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return "".join(map(_escape, _SURROGATE.sub("\ufffd", text)))


def _escape(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable():
        return sign
    code = ord(sign)
    if code <= _LAST_OF_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_OF_TWO else f"\\U{code:08x}"
