"""The plant behind faces: all of them see everything, and all of them are closed."""

import asyncio

import pytest

from gigatwin.errors import ConnectorError
from gigatwin.plant import Misbehaviour, serve
from gigatwin.telemetry import Face, TagWrite
from tests.unit.plant.lines import plain_plant

LINE = "name: l\nstations: {a: {time: 2 s}, b: {time: 3 s, buffer: {capacity: 5}}}"


class Board:
    """A face that keeps what it is shown."""

    def __init__(self, fails_at="", on_batch=None):
        self.batches = []
        self.tags = ()
        self.n_closed = 0
        self.write = None
        self.fails_at = fails_at
        self.on_batch = on_batch

    async def open(self, tags, on_write):
        if self.fails_at == "open":
            message = "board: nobody there"
            raise ConnectorError(message)
        self.tags, self.write = tags, on_write

    async def publish(self, batch):
        if self.fails_at == "publish":
            message = "board: gone"
            raise ConnectorError(message)
        self.batches.append(batch)
        if self.on_batch is not None:
            await self.on_batch(self)

    async def close(self):
        self.n_closed += 1
        if self.fails_at == "close":
            message = "board: cannot close"
            raise ConnectorError(message)


def test_every_face_sees_every_batch_and_a_snapshot_first_of_all_tags():
    boards = [Board(), Board()]
    assert isinstance(boards[0], Face)
    plant = plain_plant(LINE)
    seen = []
    asyncio.run(
        serve(plant, boards, speed=float("inf"), scan=0.5, until=60.0, on_progress=seen.append)
    )
    assert boards[0].batches == boards[1].batches
    assert list(boards[0].tags) == list(plant.tags())
    shown = {r.tag for b in boards[0].batches if b.is_snapshot for r in b.readings}
    assert shown == {tag.name for tag in plant.tags()}
    assert seen == pytest.approx([0.5 * (k + 1) for k in range(120)])
    assert [board.n_closed for board in boards] == [1, 1]


def test_write_over_a_face_reaches_the_plant_and_its_reason_comes_back():
    reasons = []

    async def on_batch(board):
        if len(board.batches) == 5:
            reasons.append(await board.write(TagWrite("a/Command.MachSpeed", 36.0)))
            reasons.append(await board.write(TagWrite("a/Command.MachSpeed", 99.0)))

    plant = plain_plant(LINE)
    asyncio.run(serve(plant, [Board(on_batch=on_batch)], speed=float("inf"), until=20.0))
    assert reasons[0] == ""
    assert "must be from 15 to 39" in reasons[1]
    values = {reading.tag: reading.value for reading in plant.snapshot()}
    assert values["a/Status.MachSpeed"] == 36.0


@pytest.mark.parametrize("fails_at", ["open", "publish"])
def test_faces_are_closed_when_one_of_them_fails(fails_at):
    boards = [Board(), Board(fails_at)]
    with pytest.raises(ConnectorError, match="board"):
        asyncio.run(serve(plain_plant(LINE), boards, speed=float("inf"), until=20.0))
    assert [board.n_closed for board in boards] == [1, 1]


def test_faces_are_closed_when_one_of_them_cannot_be():
    boards = [Board(), Board("close")]
    with pytest.raises(ConnectorError, match="cannot close"):
        asyncio.run(serve(plain_plant(LINE), boards, speed=float("inf"), until=5.0))
    assert [board.n_closed for board in boards] == [1, 1]


def test_faces_are_closed_when_it_is_cancelled():
    async def on_batch(board):
        if len(board.batches) == 10:
            board.is_full.set()

    board = Board(on_batch=on_batch)

    async def run():
        board.is_full = asyncio.Event()
        task = asyncio.create_task(serve(plain_plant(LINE), [board], speed=float("inf")))
        await board.is_full.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert board.n_closed == 1


def test_plant_misbehaves_before_its_faces():
    board = Board()
    asyncio.run(
        serve(
            plain_plant(LINE), [board], speed=float("inf"), until=100.0, scan=0.5,
            misbehaviour=Misbehaviour(lost=0.5, seed=1),
        )
    )  # fmt: skip
    whole = Board()
    asyncio.run(serve(plain_plant(LINE), [whole], speed=float("inf"), until=100.0, scan=0.5))
    n_plain = sum(not b.is_snapshot for b in board.batches)
    assert 0.3 < n_plain / sum(not b.is_snapshot for b in whole.batches) < 0.7
