"""Changes and scenarios as they are written on the command line."""

from collections.abc import Iterator, Sequence

from gigatwin.cli.failures import OptionError

_OPENING, _CLOSING = "{[(", ")]}"


def read_changes(texts: Sequence[str], option: str = "--set") -> dict[str, object]:
    """Return field to value from texts such as ``winding.speed=1.1``.

    Raises
    ------
    OptionError
        If a text is not of this form, or a field is given twice.
    """
    changes: dict[str, object] = {}
    for text in texts:
        field, equals, value = text.partition("=")
        field, value = field.strip(), value.strip()
        if not (equals and field and value):
            message = f"{option} {text!r}: must be field=value, for example winding.speed=1.1."
            raise OptionError(message)
        if field in changes:
            message = f"{option} {field}: given twice; must be given once."
            raise OptionError(message)
        changes[field] = value
    return changes


def split_scenario(text: str) -> tuple[str, dict[str, object] | str | None]:
    """Return the name of a scenario and what it is.

    Parameters
    ----------
    text : str
        ``NAME:field=value,field=value``, ``NAME:file`` or ``NAME``.

    Returns
    -------
    str
        The name.
    dict or str or None
        Its changes, its file, or None: the parameter set of this name.
    """
    name, colon, rest = text.partition(":")
    name, rest = name.strip(), rest.strip()
    if not name or (colon and not rest):
        message = (
            f"--scenario {text!r}: must be NAME:field=value[,field=value], NAME:file, or the name "
            "of a parameter set; for example faster:winding.speed=1.05."
        )
        raise OptionError(message)
    if not colon:
        return name, None
    if "=" not in rest:
        return name, rest
    return name, read_changes(list(split_parts(rest)), f"--scenario {name}")


def split_parts(text: str) -> Iterator[str]:
    """Yield the parts between commas that stand outside all brackets."""
    depth, begin = 0, 0
    for place, sign in enumerate(text):
        if sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
        elif sign == "," and depth == 0:
            yield text[begin:place]
            begin = place + 1
    yield text[begin:]
