"""What every connector has to do, as test classes that a connector's own tests subclass.

A subclass gives the other side (a server, a broker, a file) and makes the source or sink that is
under test; the tests are inherited::

    class TestMySource(SourceContract):
        async def start_other_side(self):
            return await MyServer.start()

        def make_source(self, other):
            return MySource(other.url)

        def make_source_to_nowhere(self):
            return MySource("my://127.0.0.1:1")

What a test needs besides (a temporary folder, a broker) comes from a fixture of the subclass with
``autouse=True`` that keeps it in ``self``. Each test runs one event loop of its own.
"""

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from gigatwin.errors import ConnectorError
from gigatwin.telemetry import Instruction, Quality, Sink, Source, TagWrite, Value
from gigatwin.testing.batch_reader import BatchReader
from gigatwin.testing.expectations import require, require_told

_N_CHANGES = 20


class OtherSide(Protocol):
    """The equipment's end of a connection, as a test drives it."""

    tags: Sequence[str]
    """Two or more tags, by the names that the source gives them; all take real numbers and have a
    value from the beginning."""

    async def change(self, tag: str, value: Value) -> None:
        """Give a tag a new value, at the present time."""

    async def restart(self) -> None:
        """Go away without a word and come back after a moment, as after a power cut."""

    async def close(self) -> None:
        """Go away for good; can be called twice."""


class WrittenSide(Protocol):
    """The equipment's end of a connection that takes writes, as a test watches it."""

    tags: Sequence[str]
    """Two or more tags that can be written; all take real numbers."""
    refused: TagWrite
    """A write that it refuses, to a tag that it has."""
    written: list[TagWrite]
    """What was written to it and accepted, in order."""

    async def close(self) -> None:
        """Go away for good; can be called twice."""


class SourceContract(ABC):
    """What every `Source` has to do."""

    patience = 20.0
    """How long a value may take, reconnecting included; wall time. [s]"""
    secrets: Sequence[str] = ()
    """Texts that must not appear in diagnostics."""

    @abstractmethod
    async def start_other_side(self) -> OtherSide:
        """Return the other side, ready to be connected to."""

    @abstractmethod
    def make_source(self, other: OtherSide) -> Source:
        """Return a source for that other side, not yet open."""

    @abstractmethod
    def make_source_to_nowhere(self) -> Source:
        """Return a source whose other side does not exist."""

    def test_it_has_every_method_of_a_source(self) -> None:
        """The port can be checked at run time."""
        require(isinstance(self.make_source_to_nowhere(), Source), "all methods of Source")

    def test_browsing_lists_each_tag_once_with_its_element(self) -> None:
        """Names are ``element/label``, unique, and those of the readings."""

        async def scenario(other: OtherSide, source: Source) -> None:
            tags = await source.browse()
            names = [tag.name for tag in tags]
            require(len(names) == len(set(names)), f"each tag once, got {names}")
            require(set(other.tags) <= set(names), f"{other.tags} to be among {names}")
            for tag in tags:
                require(bool(tag.element and tag.label), f"element/label, got {tag.name!r}")

        self._run(scenario)

    def test_a_change_arrives_with_its_value_quality_and_time(self) -> None:
        """Value, quality and the clock of the source get through."""

        async def scenario(other: OtherSide, source: Source) -> None:
            tag = other.tags[0]
            async with BatchReader(source, self.patience) as reader:
                await reader.wait_for(tag)
                await other.change(tag, 41.5)
                batch, reading = await reader.wait_for(tag, 41.5)
            require(reading.quality is Quality.GOOD, f"good quality, got {reading!r}")
            require(math.isfinite(reading.source_time), f"a source time, got {reading!r}")
            late = abs(time.time() - batch.received)
            require(late < 2 * self.patience, f"received on this side's clock, got {batch!r}")

        self._run(scenario)

    def test_changes_of_a_tag_arrive_in_order_and_none_is_missing(self) -> None:
        """No edge is lost between two readings of the source."""

        async def scenario(other: OtherSide, source: Source) -> None:
            tag = other.tags[0]
            wanted = [float(value) for value in range(100, 100 + _N_CHANGES)]
            async with BatchReader(source, self.patience) as reader:
                await reader.wait_for(tag)
                for value in wanted:
                    await other.change(tag, value)
                await reader.wait_for(tag, wanted[-1])
                got = [value for value in reader.values(tag) if value in wanted]
            require(got == wanted, f"{wanted}, got {got}")
            times = [row.source_time for row in reader.readings if row.tag == tag]
            require(times == sorted(times), f"source times that ascend, got {times}")

        self._run(scenario)

    def test_a_refresh_brings_the_present_values_as_snapshots(self) -> None:
        """After a gap everything is known again."""

        async def scenario(other: OtherSide, source: Source) -> None:
            first, second = other.tags[:2]
            wanted = {first: 7.0, second: 8.0}
            async with BatchReader(source, self.patience) as reader:
                await other.change(first, 7.0)
                await other.change(second, 8.0)
                await reader.wait_for(second, 8.0)
                reader.forget()
                await source.refresh()
                await reader.wait_until(
                    lambda: wanted.items() <= reader.snapshot().items(), f"snapshots with {wanted}"
                )

        self._run(scenario)

    def test_values_flow_again_after_the_other_side_restarts(self) -> None:
        """A source reconnects by itself, and counts it."""

        async def scenario(other: OtherSide, source: Source) -> None:
            tag = other.tags[0]
            async with BatchReader(source, self.patience) as reader:
                await other.change(tag, 1.25)
                await reader.wait_for(tag, 1.25)
                await other.restart()
                await other.change(tag, 2.25)
                await reader.wait_for(tag, 2.25)
            told = source.diagnostics()
            require(told.counts.get("reconnections", 0) >= 1, f"reconnections, got {told}")

        self._run(scenario)

    def test_a_reader_that_pauses_gets_the_newest_value_in_the_end(self) -> None:
        """Nothing blocks while nobody reads."""

        async def scenario(other: OtherSide, source: Source) -> None:
            tag = other.tags[0]
            for value in range(_N_CHANGES):
                await other.change(tag, value + 0.5)
            async with BatchReader(source, self.patience) as reader:
                await reader.wait_for(tag, _N_CHANGES - 0.5)

        self._run(scenario)

    def test_closing_ends_the_batches_and_can_be_repeated(self) -> None:
        """Whoever reads does not wait for ever."""

        async def scenario(other: OtherSide, source: Source) -> None:
            reader = BatchReader(source, self.patience)
            async with reader:
                await reader.wait_for(other.tags[0])
                await source.close()
                await reader.wait_for_end()
            await source.close()
            require(not source.diagnostics().is_connected, "not connected after close")

        self._run(scenario)

    def test_an_other_side_that_is_not_there_is_one_error_that_names_it(self) -> None:
        """The error says where; closing afterwards is harmless."""

        async def scenario() -> None:
            source = self.make_source_to_nowhere()
            said = ""
            try:
                await asyncio.wait_for(source.open(), self.patience)
            except ConnectorError as error:
                said = str(error)
            try:
                told = source.diagnostics()
                require(told.where in said, f"a ConnectorError with {told.where}, got {said!r}")
                require(bool(told.last_error), f"last_error to be told, got {told}")
                require_told(told, self.secrets)
            finally:
                await source.close()

        asyncio.run(scenario())

    def test_diagnostics_count_what_came_and_keep_secrets(self) -> None:
        """A person sees whether values flow."""

        async def scenario(other: OtherSide, source: Source) -> None:
            async with BatchReader(source, self.patience) as reader:
                await other.change(other.tags[0], 3.5)
                await reader.wait_for(other.tags[0], 3.5)
                told = source.diagnostics()
            require(told.is_connected, f"is_connected, got {told}")
            require_told(told, self.secrets)
            for name in ("batches", "readings"):
                require(told.counts.get(name, 0) >= 1, f"a count of {name}, got {told}")

        self._run(scenario)

    def _run(self, scenario: Callable[[OtherSide, Source], Awaitable[None]]) -> None:
        async def all_of_it() -> None:
            other = await self.start_other_side()
            source = self.make_source(other)
            try:
                await source.open()
                await scenario(other, source)
            finally:
                await source.close()
                await other.close()

        asyncio.run(all_of_it())


class SinkContract(ABC):
    """What every `Sink` has to do."""

    secrets: Sequence[str] = ()
    """Texts that must not appear in diagnostics."""

    @abstractmethod
    async def start_other_side(self) -> WrittenSide:
        """Return the other side, ready to be connected to."""

    @abstractmethod
    def make_sink(self, other: WrittenSide, *, is_writing: bool) -> Sink:
        """Return a sink for that other side, not yet open, with writing switched on or off."""

    def test_it_has_every_method_of_a_sink(self) -> None:
        """The port can be checked at run time."""

        async def scenario(_: WrittenSide, sink: Sink) -> None:
            require(isinstance(sink, Sink), "all methods of Sink")

        self._run(scenario)

    def test_it_writes_nothing_unless_writing_is_switched_on(self) -> None:
        """Reading only is the default."""

        async def scenario(other: WrittenSide, sink: Sink) -> None:
            receipt = await sink.send(_instruction("a", TagWrite(other.tags[0], 1.5)))
            require(not receipt.is_done, f"a refusal, got {receipt}")
            require(bool(receipt.text), f"the reason, got {receipt}")
            require(not other.written, f"nothing written, got {other.written}")

        self._run(scenario, is_writing=False)

    def test_writes_arrive_together_in_their_order(self) -> None:
        """The receipt says that they did."""

        async def scenario(other: WrittenSide, sink: Sink) -> None:
            writes = TagWrite(other.tags[1], 2.5), TagWrite(other.tags[0], 1.5)
            receipt = await sink.send(_instruction("a", *writes))
            require(receipt.is_done, f"a receipt that is done, got {receipt}")
            require(receipt.identity == "a", f"identity a, got {receipt}")
            require(other.written == [*writes], f"{writes}, got {other.written}")

        self._run(scenario)

    def test_the_same_instruction_is_carried_out_once(self) -> None:
        """Sending again after a lost receipt is safe."""

        async def scenario(other: WrittenSide, sink: Sink) -> None:
            instruction = _instruction("a", TagWrite(other.tags[0], 1.5))
            receipts = [await sink.send(instruction) for _ in range(3)]
            require(all(receipt.is_done for receipt in receipts), f"done, got {receipts}")
            require(len(other.written) == 1, f"one write, got {other.written}")

        self._run(scenario)

    def test_an_expired_instruction_is_refused(self) -> None:
        """What is late may be wrong by now."""

        async def scenario(other: WrittenSide, sink: Sink) -> None:
            write = TagWrite(other.tags[0], 1.5)
            receipt = await sink.send(_instruction("a", write, expires=time.time() - 1.0))
            require(not receipt.is_done, f"a refusal, got {receipt}")
            require(not other.written, f"nothing written, got {other.written}")

        self._run(scenario)

    def test_a_refusal_names_the_tag(self) -> None:
        """Of the other side, and of a tag that does not exist."""

        async def scenario(other: WrittenSide, sink: Sink) -> None:
            unknown = TagWrite("nowhere_1/Command.MachSpeed", 1.0)
            for identity, write in (("a", other.refused), ("b", unknown)):
                receipt = await sink.send(_instruction(identity, write))
                require(not receipt.is_done, f"a refusal of {write}, got {receipt}")
                require(write.tag in receipt.text, f"{write.tag} in the text, got {receipt}")

        self._run(scenario)

    def test_an_other_side_that_has_gone_is_a_refusal(self) -> None:
        """Sending never raises."""

        async def scenario(other: WrittenSide, sink: Sink) -> None:
            await other.close()
            receipt = await sink.send(_instruction("a", TagWrite(other.tags[0], 1.5)))
            require(not receipt.is_done, f"a refusal, got {receipt}")
            require(bool(receipt.text), f"the reason, got {receipt}")

        self._run(scenario)

    def test_closing_can_be_repeated_and_diagnostics_keep_secrets(self) -> None:
        """Clean shutdown."""

        async def scenario(_: WrittenSide, sink: Sink) -> None:
            require_told(sink.diagnostics(), self.secrets)
            await sink.close()
            await sink.close()
            require(not sink.diagnostics().is_connected, "not connected after close")

        self._run(scenario)

    def _run(
        self, scenario: Callable[[WrittenSide, Sink], Awaitable[None]], *, is_writing: bool = True
    ) -> None:
        async def all_of_it() -> None:
            other = await self.start_other_side()
            sink = self.make_sink(other, is_writing=is_writing)
            try:
                await sink.open()
                await scenario(other, sink)
            finally:
                await sink.close()
                await other.close()

        asyncio.run(all_of_it())


def _instruction(identity: str, *writes: TagWrite, expires: float | None = None) -> Instruction:
    until = time.time() + 3600.0 if expires is None else expires
    return Instruction(identity, writes, until, approved_by="Ada")
