"""Lines of MTConnect adapters (SHDR): a time, then items and their values, all between ``|``."""

import re

import polars as pl

from gigatwin.errors import TelemetryError

SHDR_LINE = re.compile(rb"^\s*\d{4}-\d{2}-\d{2}T[^|\s]*\|[^|]+\|")
"""How a line begins."""
COLUMNS = ("timestamp", "item", "value")
"""The columns of the table; also those of a file of changes derived from such lines."""

_CONDITION = re.compile(r"^(unavailable|normal|warning|fault)$", re.IGNORECASE)
_CONDITION_FIELDS = 5
_MESSAGE = 2


def shdr_table(content: bytes, file: str) -> pl.DataFrame:
    """Return the values of SHDR lines, one row each, in the order of the file.

    A line holds one or more pairs of item and value, or one condition, of which level, native
    code, severity, qualifier and text become one value with ``|`` between. Lines of the protocol
    (``* ...``) are passed over.

    Parameters
    ----------
    content : bytes
        The lines.
    file : str
        Name of the file, for messages.

    Returns
    -------
    polars.DataFrame
        Columns timestamp, item, value, all text.

    Raises
    ------
    TelemetryError
        If a line is not of this form, or the text is not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{file}: byte {error.start} is not UTF-8; needs text in UTF-8"
        raise TelemetryError(message) from error
    times: list[str] = []
    items: list[str] = []
    values: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("*"):
            continue
        time, *fields = stripped.split("|")
        pairs = _pairs(fields)
        if not pairs or not time[:1].isdigit():
            message = (
                f"{file} row {number}: {stripped[:80]!r}; needs 'time|item|value', further pairs, "
                "or a condition 'time|item|level|code|severity|qualifier|text'; repair or remove "
                "the line"
            )
            raise TelemetryError(message)
        for item, value in pairs:
            times.append(time)
            items.append(item.strip())
            values.append(value.strip())
    return pl.DataFrame(dict(zip(COLUMNS, (times, items, values), strict=True)))


def _pairs(fields: list[str]) -> list[tuple[str, str]]:
    """Return items and values; conditions take several fields."""
    pairs: list[tuple[str, str]] = []
    at = 0
    while at + 1 < len(fields):
        if _CONDITION.match(fields[at + 1].strip()) and len(fields) - at > _CONDITION_FIELDS:
            pairs.append((fields[at], "|".join(fields[at + 1 : at + 1 + _CONDITION_FIELDS])))
            at += 1 + _CONDITION_FIELDS
        elif len(fields) - at == 1 + _MESSAGE:  # a message: item, native code, text
            pairs.append((fields[at], "|".join(fields[at + 1 :])))
            at = len(fields)
        else:
            pairs.append((fields[at], fields[at + 1]))
            at += 2
    return [] if at < len(fields) else pairs
