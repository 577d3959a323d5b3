"""The virtual plant behind real interfaces: servers and brokers show it, and hand writes to it."""

import time
from collections.abc import Callable, Sequence

from gigatwin.plant.misbehaviour import Misbehaviour
from gigatwin.plant.plant import VirtualPlant
from gigatwin.plant.stepping import Pace, Stepper
from gigatwin.telemetry.ports import Face, TagWrite


async def serve(  # noqa: PLR0913 - each with a usual value
    plant: VirtualPlant,
    faces: Sequence[Face],
    *,
    speed: float = 1.0,
    scan: float = 0.5,
    misbehaviour: Misbehaviour | None = None,
    until: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Show a plant on all its faces, until it is cancelled or a plant time is reached.

    Parameters
    ----------
    plant : VirtualPlant
        The plant.
    faces : sequence of Face
        Where it is shown; every face gets every batch, the first one a snapshot. They are closed
        at the end, whatever happens.
    speed : float
        Plant time over wall time, above 0; infinite: as fast as it goes. [-]
    scan : float
        Plant time between two batches, above 0. [s]
    misbehaviour : Misbehaviour, optional
        What goes wrong before the faces: a lost message never reaches them, so that no protocol
        shows it as a gap.
    until : float, optional
        Plant time since the start at which to end; left out: never. [s]
    on_progress : callable, optional
        Gets the plant time since the start after every scan. [s]

    Raises
    ------
    ConnectorError
        If a face cannot be opened, or fails for good.
    """
    stepper, pace = Stepper(plant, scan, misbehaviour), Pace(speed)

    async def on_write(write: TagWrite) -> str:
        return plant.write(write)

    opened: list[Face] = []
    try:
        for face in faces:
            opened.append(face)
            await face.open(plant.tags(), on_write)
        while until is None or plant.elapsed < until - scan / 2:
            await pace.wait(plant.elapsed)
            for batch in stepper.step(time.time()):
                for face in faces:
                    await face.publish(batch)
            if on_progress is not None:
                on_progress(plant.elapsed)
    finally:
        await _close(opened)


async def _close(faces: list[Face]) -> None:
    """Close all faces, even when one of them fails to."""
    failures: list[Exception] = []
    for face in reversed(faces):
        try:
            await face.close()
        except Exception as error:  # noqa: BLE001 - the others have to be closed all the same
            failures.append(error)
    if failures:
        raise failures[0]
