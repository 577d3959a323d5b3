"""Ask equipment for its tags, and propose what they are."""

import asyncio
from collections.abc import Sequence

from gigatwin.app.connections import open_source
from gigatwin.app.plant_elements import elements_of
from gigatwin.compiler.build import compile_factory
from gigatwin.errors import FactoryError, Problem
from gigatwin.factory.reading import load
from gigatwin.telemetry.mapping import TagMapping
from gigatwin.telemetry.mapping_check import check
from gigatwin.telemetry.proposal import propose
from gigatwin.telemetry.tags import Tag


def browse_tags(url: str) -> tuple[Tag, ...]:
    """Return the tags that a source offers.

    Raises
    ------
    ConnectorError
        If it cannot be reached or refuses.
    """
    return asyncio.run(_browse(url))


async def _browse(url: str) -> tuple[Tag, ...]:
    source = open_source(url)
    await source.open()
    try:
        return tuple(await source.browse())
    finally:
        await source.close()


def propose_mapping(url: str, tags: Sequence[Tag], line: str) -> TagMapping:
    """Return what tags probably are in a factory, for a person to confirm.

    Parameters
    ----------
    url : str
        Where the tags are; kept in the mapping.
    tags : sequence of Tag
        What the source offers.
    line : str
        File of the factory, or its name in the library.
    """
    return propose(tags, elements_of(compile_factory(load(line))), source=url)


def check_mapping(mapping: TagMapping, line: str) -> tuple[Problem, ...]:
    """Return what a mapping will not show of a factory.

    Raises
    ------
    FactoryError
        If it names what the factory does not have, or one quantity twice.
    """
    found = check(mapping, elements_of(compile_factory(load(line))))
    if found.errors:
        raise FactoryError(list(found.errors))
    return found.warnings
