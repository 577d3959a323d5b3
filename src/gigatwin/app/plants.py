"""A virtual plant with the interfaces that were asked for."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gigatwin.app.connections import open_face
from gigatwin.errors import ConnectorError
from gigatwin.factory.reading import load
from gigatwin.plant import Misbehaviour, VirtualPlant, serve
from gigatwin.telemetry.ports import Face
from gigatwin.units import format_quantity
from gigatwin.units.reading import QuantityError, parse_quantity

_FAULTS = ("lost", "late", "duplicated", "disordered")
_NEWS_EVERY = 60.0
"""Wall time between two lines about the plant. [s]"""


@dataclass(frozen=True)
class PlantOptions:
    """What plant to run, and where it is shown."""

    line: str
    """File of the factory, or its name in the library."""
    truth: Path | None = None
    """File of the truth; None: drawn by the seed."""
    truth_seed: int = 1
    speed: float = 1.0
    """Plant time over wall time. [-]"""
    scan: float = 0.5
    """Plant time between two batches. [s]"""
    until: float | None = None
    """Plant time at which to end; None: never. [s]"""
    values: int = 2
    """Measured values of each machine."""
    misbehaviour: str = ""
    """``lost=1%,duplicated=1%``"""
    opcua: str | None = None
    sparkplug: str | None = None
    namespace: str | None = None


def run_plant(options: PlantOptions, say: Callable[[str], None]) -> None:
    """Run a plant until its end, or until it is interrupted.

    Parameters
    ----------
    options : PlantOptions
        The plant.
    say : callable
        Gets what a person wants to know meanwhile.
    """
    factory = load(options.line)
    # The plant keeps the hours of this side, so that its records and the clock on the wall agree.
    start = time.time()
    if options.truth is None:
        plant = VirtualPlant(
            factory,
            seed=options.truth_seed,
            values_per_machine=options.values,
            start_time=start,
        )
    else:
        plant = VirtualPlant.from_truth_file(
            factory,
            options.truth,
            seed=options.truth_seed,
            values_per_machine=options.values,
            start_time=start,
        )
    faces = _faces(options)
    bad = misbehaviour_of(options.misbehaviour, options.truth_seed)
    shown = ", ".join(url for url in (options.opcua, options.sparkplug, options.namespace) if url)
    say(f"{factory.name}: {len(plant.tags())} tags at {shown}; Ctrl-C ends it")
    last = time.monotonic()

    def report(elapsed: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _NEWS_EVERY:
            last = time.monotonic()
            say(f"{factory.name}: {format_quantity(elapsed, 's')} of plant time")

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(
            serve(
                plant,
                faces,
                speed=options.speed,
                scan=options.scan,
                misbehaviour=bad,
                until=options.until,
                on_progress=report,
            )
        )


def _faces(options: PlantOptions) -> list[Face]:
    faces = []
    if options.opcua:
        faces.append(open_face(options.opcua))
    if options.sparkplug:
        faces.append(open_face(_with_scheme(options.sparkplug, "sparkplug")))
    if options.namespace:
        faces.append(open_face(_with_scheme(options.namespace, "uns")))
    return faces


def _with_scheme(url: str, scheme: str) -> str:
    if "scheme=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}scheme={scheme}"


def misbehaviour_of(text: str, seed: int) -> Misbehaviour | None:
    """Return the faults that a text asks for, None for an empty one.

    Raises
    ------
    ConnectorError
        If it cannot be read.
    """
    shares: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = part.partition("=")
        try:
            share = parse_quantity(value, "1")
        except QuantityError as error:
            share = -1.0
            found = f"{error.found}"
        else:
            found = value
        if name not in _FAULTS or not 0 <= share <= 1:
            message = (
                f"misbehaviour {part}: {found if name in _FAULTS else name}; must be one of "
                f"{', '.join(_FAULTS)} with a share from 0 to 1, such as lost=1%"
            )
            raise ConnectorError(message)
        shares[name] = share
    if not shares:
        return None
    return Misbehaviour(
        lost=shares.get("lost", 0.0),
        late=shares.get("late", 0.0),
        duplicated=shares.get("duplicated", 0.0),
        disordered=shares.get("disordered", 0.0),
        seed=seed,
    )
