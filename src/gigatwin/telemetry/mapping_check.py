"""What is wrong with a mapping, or missing from it, for the factory that it is meant for."""

from collections import defaultdict
from dataclasses import dataclass

from gigatwin.errors import Problem
from gigatwin.telemetry.elements import Elements
from gigatwin.telemetry.mapping import TagMapping
from gigatwin.telemetry.tags import Quantity

_SHARED = frozenset({Quantity.VALUE, Quantity.SETTING})
"""Quantities that buffers have as well as machines."""


@dataclass(frozen=True)
class MappingCheck:
    """The problems of a mapping, in the order of the file."""

    errors: tuple[Problem, ...]
    """What makes it unusable."""
    warnings: tuple[Problem, ...]
    """What the twin will not see."""


def check(mapping: TagMapping, elements: Elements) -> MappingCheck:
    """Return what is wrong with a mapping, or missing from it, for a factory.

    Parameters
    ----------
    mapping : TagMapping
        The mapping.
    elements : Elements
        Elements of the factory.
    """
    errors = mapping.findings()
    machines, buffers = set(elements.machines), set(elements.buffers)
    tags_of: dict[tuple[str, Quantity, str], list[str]] = defaultdict(list)
    for tag, meaning in mapping.tags.items():
        place = ("tags", tag, "element")
        quantity = meaning.quantity
        if quantity is Quantity.LEVEL:
            known, what = buffers, "a buffer of the factory"
        elif quantity in _SHARED:
            known, what = machines | buffers, "a machine or buffer of the factory"
        else:
            known, what = machines, "a machine of the factory"
        if meaning.element not in known:
            errors.add_unknown(place, meaning.element, known, what)
        tags_of[meaning.key].append(tag)
    for (element, quantity, which), tags in tags_of.items():
        for tag in tags[1:]:
            name = f"{quantity} {which}".strip()
            required = f"must be one tag only; remove it or '{tags[0]}'"
            found = f"a second tag for the {name} of {element}"
            errors.add(("tags", tag), found, required, is_element=True)
    return MappingCheck(tuple(errors.problems), tuple(_missing(mapping, elements)))


def _missing(mapping: TagMapping, elements: Elements) -> list[Problem]:
    findings = mapping.findings()
    has = {(meaning.element, meaning.quantity) for meaning in mapping.tags.values()}
    for machine in elements.machines:
        if (machine, Quantity.STATE) not in has:
            required = "has no tag for its state; its stops will not be seen"
            findings.add(("tags", machine), "", required, is_element=True)
        if (machine, Quantity.TRACKING) not in has:
            required = "has no tag for tracking; its items will not be seen"
            if (machine, Quantity.PROCESSED) in has:
                required = "has no tag for tracking; its items will be counted, not followed"
            findings.add(("tags", machine), "", required, is_element=True)
        elif (machine, Quantity.PROCESSED) not in has:
            required = "has no counter; what lost telegrams said cannot be made up for"
            findings.add(("tags", machine), "", required, is_element=True)
    return findings.problems
