"""A plant, a broker and a twin in one process: a drift is found, a change made and watched."""

import asyncio
import contextlib
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from gigatwin.app.connections import open_face, open_sink, open_source
from gigatwin.app.historians import open_historian
from gigatwin.app.plant_elements import elements_of
from gigatwin.app.tag_book import MappedTags
from gigatwin.compiler.build import compile_factory
from gigatwin.connectors.mqtt.broker import EmbeddedBroker
from gigatwin.errors import SimulationError
from gigatwin.factory.factory import Factory
from gigatwin.factory.reading import load
from gigatwin.plant import Shock, VirtualPlant, serve
from gigatwin.telemetry.mapping import write_mapping
from gigatwin.telemetry.ports import Sink
from gigatwin.telemetry.proposal import propose
from gigatwin.twin.changes import (
    ChangeDesk,
    Effect,
    Guard,
    Right,
    Signer,
    Status,
    make_key,
)
from gigatwin.twin.changes.baselines import seen_before
from gigatwin.twin.changes.people import Person
from gigatwin.twin.changes.steady import SteadyState
from gigatwin.twin.following import Following, Rhythm
from gigatwin.twin.live import LiveTwin
from gigatwin.twin.store import TwinStore
from gigatwin.twin.watch import Finding
from gigatwin.units import format_quantity

_LINE = "assembly-46"
_STATION = "terminal_weld"
_SPEED = 30.0
_SCAN = 5.0
_DRIFT = Shock(_STATION, after=600.0, factor=1.06)
_PATIENCE = 300.0
_BEFORE = 3600.0
"""Plant time from which the baseline of the prediction comes, at most. [s]"""
_GUARD = Guard(stations=(_STATION,), watch=1800.0, looks=3, settle=60.0)
Say = Callable[[str], None]


@dataclass(frozen=True)
class LiveDemo:
    """What a demonstration showed."""

    wall_time: float
    """How long it took. [s]"""
    plant_time: float
    """Plant time at its end, since the start. [s]"""
    finding: Finding
    """The drift that was found."""
    found_after: float
    """Plant time from the drift to the first alarm. [s]"""
    status: Status
    """What became of the change."""
    readings: int
    differences: int
    """Machines whose count in the twin is not the plant's."""


class _Equipment:
    """The plant and the broker, in a thread and an event loop of their own, as if elsewhere."""

    def __init__(self, factory: Factory) -> None:
        self.plant = VirtualPlant(
            factory, seed=46, shocks=[_DRIFT], start_time=time.time(), record_truth=True
        )
        self.url = ""
        self.failure: BaseException | None = None
        self._is_up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._is_quiet = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="equipment", daemon=True)

    def start(self) -> None:
        """Begin, and wait until the broker listens."""
        self._thread.start()
        self._is_up.wait()
        if self.failure is not None:
            raise self.failure

    def silence(self) -> None:
        """Let the plant stand still; the broker goes on."""
        if self._loop is not None and self._serving is not None:
            self._loop.call_soon_threadsafe(self._serving.cancel)

    def stop(self) -> None:
        """End both, and wait until they have ended."""
        self.silence()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._is_quiet.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - told to who waits for it
            self.failure = error
        finally:
            self._is_up.set()

    async def _serve(self) -> None:
        async with EmbeddedBroker() as broker:
            self._loop = asyncio.get_running_loop()
            self.url = f"{broker.url}/demo:site:cells/line_1"
            self._serving = asyncio.create_task(
                serve(self.plant, [open_face(self.url)], speed=_SPEED, scan=_SCAN)
            )
            self._is_up.set()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
            await self._is_quiet.wait()


class _Stage:
    """The demonstration while it runs."""

    def __init__(self, folder: Path, say: Say) -> None:
        self.say = say
        self.began = time.monotonic()
        self.factory: Factory = load(_LINE)
        self.equipment = _Equipment(self.factory)
        self.plant = self.equipment.plant
        self.store = TwinStore(folder)
        self.historian = open_historian(str(self.store.historian))

    @property
    def url(self) -> str:
        """Where the plant is."""
        return self.equipment.url

    def tell(self, text: str) -> None:
        """Say what happens, with the time by the plant's clock."""
        wall = time.monotonic() - self.began
        self.say(f"[{wall:5.1f} s, plant {format_quantity(self.plant.elapsed, 's'):>8}] {text}")

    async def twin(self) -> LiveTwin:
        """Browse the plant, propose and confirm a mapping, and make the twin."""
        source = open_source(self.url)
        await source.open()
        tags = await source.browse()
        await source.close()
        mapping = propose(tags, elements_of(compile_factory(self.factory)), source=self.url)
        mapping = mapping.model_copy(update={"confirmed_by": "Ada (demonstration)"})
        write_mapping(mapping, self.store.mapping)
        self.tell(f"{len(tags)} tags browsed, {len(mapping.tags)} of them known to the model")
        desk = ChangeDesk(
            self.store.folder,
            self.factory,
            book=MappedTags(mapping, self.historian),
        )
        return LiveTwin(self.factory, mapping, self.historian, self.store, desk=desk)

    def people(self, desk: ChangeDesk) -> tuple[Signer, Signer]:
        """Return two people: one who may propose, one who may approve."""
        ada, grace = make_key("ada"), make_key("grace")
        for signer, rights in (
            (grace, (Right.PEOPLE, Right.APPROVE)),
            (ada, (Right.PROPOSE,)),
        ):
            person = Person(public_key=signer.public_key, rights=rights)
            desk.people.add(signer.name, person, None if signer is grace else grace)
        return ada, grace

    def counted_otherwise(self, twin: LiveTwin) -> int:
        """Return for how many machines the twin's count is not the plant's."""
        truth = self.plant.true_state().machines
        return sum(
            truth[name].processed != counter.count
            for name, counter in zip(twin.compiled.machines, twin.mirror.processed, strict=True)
        )


async def show(folder: Path, say: Say) -> LiveDemo:
    """Run the demonstration.

    Parameters
    ----------
    folder : Path
        Store of the twin.
    say : callable
        Gets what happens, as it happens.

    Raises
    ------
    SimulationError
        If the drift is not found, or the change comes to no end, in time.
    """
    stage = _Stage(folder, say)
    stage.equipment.start()
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _story(stage)
    except TimeoutError:
        message = f"the demonstration came to no end in {_PATIENCE:g} s; try an idle machine."
        raise SimulationError(message) from None
    finally:
        stage.equipment.stop()
        stage.historian.close()


async def _story(stage: _Stage) -> LiveDemo:
    stage.tell(f"the plant runs {_SPEED:g} times as fast as real, behind a broker (Sparkplug B)")
    twin = await stage.twin()
    sink = open_sink(stage.url, is_writable=True)
    rhythm = Rhythm(settle=0.5)
    following = Following(twin, open_source(stage.url), sink, rhythm, say=stage.tell)
    task = asyncio.create_task(following.run())
    desk = twin.desk
    assert desk is not None  # noqa: S101 - it was given one
    try:
        finding = await _drift(stage, twin, task)
        await _change(stage, desk, sink, twin)
        change = next(iter(desk.changes()))
        async for _ in _looks(stage, task):
            if not desk.find(change).status.is_open:
                break
        status = desk.find(change).status
        stage.tell(f"the change is {status}: {_last_look(desk, change)}")
        stage.equipment.silence()
        await _drained(twin)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return LiveDemo(
        wall_time=time.monotonic() - stage.began,
        plant_time=stage.plant.elapsed,
        finding=finding,
        found_after=finding.time - (stage.plant.now - stage.plant.elapsed + _DRIFT.after),
        status=status,
        readings=twin.intake.counts.readings,
        differences=stage.counted_otherwise(twin),
    )


async def _drift(stage: _Stage, twin: LiveTwin, task: "asyncio.Task[None]") -> Finding:
    """Return the finding that the drift is, once later values have confirmed it."""
    async for _ in _looks(stage, task):
        for finding in twin.watch.findings:
            if _is_the_drift(finding) and finding.stage in {"confirmed", "measured"}:
                return finding
    raise AssertionError  # looks never end


async def _drained(twin: LiveTwin) -> None:
    """Wait until nothing comes any more."""
    row = -1
    while row != twin.row:
        row = twin.row
        await asyncio.sleep(2.0)


def _is_the_drift(finding: Finding) -> bool:
    return finding.station == _STATION and finding.reference == "plant" and finding.direction > 0


async def _looks(stage: _Stage, task: "asyncio.Task[None]") -> AsyncIterator[None]:
    """Look again and again; raise what ended the twin or the plant."""
    while True:
        if task.done():
            await task
        if stage.equipment.failure is not None:
            raise stage.equipment.failure
        yield
        await asyncio.sleep(0.2)


async def _change(stage: _Stage, desk: ChangeDesk, sink: Sink, twin: LiveTwin) -> None:
    ada, grace = stage.people(desk)
    assert desk.book is not None  # noqa: S101 - it was given one
    seen = seen_before(stage.factory, [_STATION], desk.book, stage.historian, twin.now, _BEFORE)
    desk.predict = SteadyState(days=0.5, replications=6, baselines=seen)
    stage.tell("ada proposes to run the welder 5 % faster; the model is asked what that does")
    history = await asyncio.to_thread(
        desk.propose,
        {f"{_STATION}.speed": 1.05},
        reason="cycle time drifted by 6 %",
        by=ada,
        guard=_GUARD,
    )
    if history.prediction is not None:
        for effect in history.prediction.effects[:3]:
            stage.tell(_predicted(effect))
    stage.tell(f"change {history.change} is {history.status}")
    history = await asyncio.to_thread(desk.approve, history.change, grace)
    stage.tell("grace approves it with her key")
    history = await desk.apply(history.change, sink, by="ada", plant_time=twin.now)
    stage.tell(f"written to the plant; {history.status} for {_GUARD.watch / 60:g} plant minutes")


def _predicted(effect: Effect) -> str:
    interval = (
        "" if effect.low is None else f"difference {effect.low:+.4g} to {effect.high:+.4g} (95 %)"
    )
    return (
        f"predicted {effect.name}: {effect.before:.5g} -> {effect.after:.5g} {effect.unit}, "
        f"{interval} {effect.verdict}"
    )


def _last_look(desk: ChangeDesk, change: str) -> str:
    looks = [e for e in desk.find(change).entries if e.kind == "observed"]
    return str(looks[-1].data.get("text", "")) if looks else "no look"


def run_live_demo(store: Path | None, say: Say) -> LiveDemo:
    """Run the demonstration in a store, or in a temporary one.

    Parameters
    ----------
    store : Path or None
        Folder to keep; None: everything goes at the end.
    say : callable
        Gets what happens.
    """
    with contextlib.ExitStack() as stack:
        folder = store or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys = stack.enter_context(tempfile.TemporaryDirectory())
        # Keys of people who do not exist must not end among those of people who do.
        before = os.environ.get("GIGATWIN_KEYS")
        os.environ["GIGATWIN_KEYS"] = keys
        try:
            return asyncio.run(show(folder, say))
        finally:
            if before is None:
                del os.environ["GIGATWIN_KEYS"]
            else:
                os.environ["GIGATWIN_KEYS"] = before
