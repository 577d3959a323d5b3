"""A process may die before or after anything it writes: the next one comes to the same end."""

import asyncio
import itertools

import pytest

from gigatwin.telemetry import Receipt
from gigatwin.twin.changes import Guard, Status
from gigatwin.twin.changes import record as record_file
from tests.unit.twin.changes.test_carrying_out import START, Line

GUARD = Guard(looks=1, settle=0.0)
PRESSES = ("press_1/Command.MachSpeed", "press_2/Command.MachSpeed")


class Died(BaseException):
    """The process was killed here."""


class Deadly:
    """Dies at a given moment, counted over all that is written to disk and sent."""

    def __init__(self, moment):
        self.left = moment

    def pass_by(self):
        self.left -= 1
        if self.left == 0:
            raise Died


class Plant:
    """Carries out an instruction once, whoever sends it again."""

    def __init__(self):
        self.values = dict.fromkeys(PRESSES, 10.0)
        self.carried_out = []

    def sink(self, deadly):
        plant = self

        class Sink:
            async def send(self, instruction):
                deadly.pass_by()
                if instruction.identity not in plant.carried_out:
                    plant.carried_out.append(instruction.identity)
                    plant.values |= {write.tag: write.value for write in instruction.writes}
                deadly.pass_by()
                return Receipt(instruction.identity, is_done=True)

        return Sink()

    async def read_back(self, tags):
        return {tag: self.values[tag] for tag in tags}


def run(desk, change, sink, plant, rate):
    """Do what the program does, until nothing is open any more."""
    while True:
        asyncio.run(desk.settle(sink, plant.read_back))
        status = desk.find(change).status
        if status is Status.APPROVED:
            asyncio.run(desk.apply(change, sink, plant_time=START))
        elif status is Status.WATCHED:
            desk.observe(Line(rate=rate, step=50.0).between(0, 7500))
        else:
            return status


@pytest.fixture
def both(anna, boris):
    return anna, boris


@pytest.mark.parametrize(("rate", "end"), [(600.0, Status.KEPT), (500.0, Status.ROLLED_BACK)])
def test_whenever_a_process_dies_the_change_comes_to_its_end(
    new_desk, both, monkeypatch, rate, end
):
    written = record_file._append_bytes  # noqa: SLF001 - where the process dies
    n_deaths = 0
    for moment in itertools.count(1):
        change = new_desk().propose({"press.speed": "1.05"}, reason="x", by=both[0], guard=GUARD)
        new_desk().approve(change.change, both[1])
        plant, deadly = Plant(), Deadly(moment)

        def appending(path, content, deadly=deadly):
            deadly.pass_by()
            if deadly.left == 1:
                # Half a line is all that reached the disk.
                written(path, content[: len(content) // 2])
            deadly.pass_by()
            written(path, content)
            deadly.pass_by()

        with monkeypatch.context() as patch:
            patch.setattr(record_file, "_append_bytes", appending)
            try:
                run(new_desk(), change.change, plant.sink(deadly), plant, rate)
                has_died = False
            except Died:
                has_died = True
        desk = new_desk()
        assert run(desk, change.change, plant.sink(Deadly(0)), plant, rate) is end
        proposal = desk.find(change.change).proposal
        expected = proposal.writes if end is Status.KEPT else proposal.rollback
        assert plant.values == {write.tag: pytest.approx(write.value) for write in expected}
        assert len(plant.carried_out) == (1 if end is Status.KEPT else 2)
        assert desk.verify() == (desk.verify()[0], [])
        assert desk.verify()[0].is_whole
        if not has_died:
            break
        n_deaths += 1
    assert n_deaths >= 15
