"""The plant as a source and a sink in the same process."""

import asyncio
import time

import pytest

from gigatwin.errors import SimulationError
from gigatwin.plant import Misbehaviour, PlantFeed, Restart
from gigatwin.telemetry import Instruction, Sink, Source, TagWrite
from tests.unit.plant.lines import TANGLED, by_tag, hidden_plant, plain_plant

LINE = "name: l\nstations: {a: {time: 2 s}, b: {time: 3 s, buffer: {capacity: 5}}}"
LATER = time.time() + 1e6
SPEED = "a/Command.MachSpeed"


def feed_of(text=LINE, **options):
    return PlantFeed(plain_plant(text), **options)


def instruction(*writes, identity="1", expires=LATER):
    return Instruction(identity, tuple(TagWrite(*write) for write in writes), expires, "Kim")


def send(feed, order):
    return asyncio.run(feed.send(order))


def test_feed_is_a_source_and_a_sink():
    assert isinstance(feed_of(), Source)
    assert isinstance(feed_of(), Sink)


def test_first_message_is_a_snapshot_of_every_tag():
    feed = feed_of(scan=0.5)
    first, second, *_ = feed.scans(1.0)
    assert (first.is_snapshot, second.is_snapshot) == (True, False)
    assert [r.tag for r in first.readings] == [tag.name for tag in feed.plant.tags()]
    assert all(reading.source_time == first.received for reading in first.readings)


def test_who_listens_later_gets_the_values_of_that_time_first():
    plant = plain_plant(LINE)
    plant.advance(60.0)
    values = plant.snapshot()
    first = next(PlantFeed(plant).scans(1.0))
    assert list(first.readings) == values


def test_scans_hold_what_the_plant_says_and_nothing_else():
    alone = plain_plant(TANGLED).advance(600.0)
    fed = [
        reading
        for batch in feed_of(TANGLED, scan=0.25).scans(600.0)
        if not batch.is_snapshot
        for reading in batch.readings
    ]
    assert fed == alone


def test_each_scan_is_one_batch_that_is_received_when_it_ends():
    plant = plain_plant(LINE)
    start = plant.now
    for batch in PlantFeed(plant, scan=0.5).scans(60.0):
        assert batch.received == (start if batch.is_snapshot else plant.now)
        assert ((batch.received - start) / 0.5) == pytest.approx(
            round((batch.received - start) / 0.5)
        )
        if not batch.is_snapshot:
            assert all(batch.received - 0.5 <= r.source_time <= batch.received
                       for r in batch.readings)  # fmt: skip


def test_gap_is_told_and_followed_by_a_snapshot():
    feed = PlantFeed(hidden_plant(TANGLED), scan=0.5, misbehaviour=Misbehaviour(lost=0.02, seed=2))
    batches = list(feed.scans(1800.0))
    counts = feed.diagnostics().counts
    assert counts["caused_lost"] > 20
    gaps = [k for k, batch in enumerate(batches) if batch.n_lost]
    assert len(gaps) == counts["gaps"]
    assert sum(batches[k].n_lost for k in gaps) == pytest.approx(counts["caused_lost"], abs=1)
    followed = sum(any(b.is_snapshot for b in batches[k : k + 4]) for k in gaps[:-1])
    # A snapshot may be lost itself.
    assert followed >= 0.9 * len(gaps) - 1


def test_values_are_right_again_after_gaps():
    bad = Misbehaviour(lost=0.05, duplicated=0.05, disordered=0.05, late=0.02, seed=4)
    plant = hidden_plant(TANGLED, seed=3)
    feed = PlantFeed(plant, scan=0.5, misbehaviour=bad)
    newest = {}

    def follow(batches):
        for batch in batches:
            for reading in batch.readings:
                known = newest.get(reading.tag)
                if known is None or reading.source_time >= known.source_time:
                    newest[reading.tag] = reading

    follow(feed.scans(1200.0))
    asyncio.run(feed.refresh())
    feed.stepper.channel.misbehaviour = Misbehaviour()
    follow(feed.scans(0.5))
    assert newest == {reading.tag: reading for reading in plant.snapshot()}


def test_restart_is_followed_by_a_snapshot():
    feed = feed_of(scan=1.0, misbehaviour=Misbehaviour(restarts=(Restart(20.0, 10.0),)))
    begin = feed.plant.now
    batches = list(feed.scans(60.0))
    silent = [b for b in batches if 20.0 <= b.received - begin < 30.0]
    after = next(b for b in batches if b.received - begin >= 30.0)
    assert silent == []
    assert (after.is_snapshot, after.n_lost) == (True, None)
    assert feed.diagnostics().counts["caused_restarts"] == 1


def test_refresh_brings_a_snapshot():
    feed = feed_of()
    list(feed.scans(5.0))
    asyncio.run(feed.refresh())
    assert sum(batch.is_snapshot for batch in feed.scans(5.0)) == 1


def test_two_feeds_of_the_same_seeds_are_the_same():
    bad = Misbehaviour(lost=0.1, late=0.1, duplicated=0.1, disordered=0.1)
    one, other = (
        list(PlantFeed(hidden_plant(TANGLED), misbehaviour=bad).scans(120.0)) for _ in range(2)
    )
    assert one == other


def test_batches_go_on_until_the_feed_is_closed():
    async def listen():
        feed = feed_of()
        await feed.open()
        assert feed.diagnostics().is_connected
        assert list(await feed.browse()) == list(feed.plant.tags())
        seen = []
        async for batch in feed.batches():
            seen.append(batch)
            if len(seen) == 30:
                await feed.close()
                await feed.close()
        assert not feed.diagnostics().is_connected
        return feed, seen

    feed, seen = asyncio.run(listen())
    counts = feed.diagnostics().counts
    assert counts["batches"] >= 30
    assert counts["readings"] >= sum(len(batch.readings) for batch in seen)


def test_batches_end_with_the_duration():
    async def listen():
        feed = feed_of(duration=20.0)
        await feed.open()
        return feed, [batch async for batch in feed.batches()]

    feed, seen = asyncio.run(listen())
    assert feed.plant.elapsed == pytest.approx(20.0)
    assert by_tag(seen[-1].readings)


def test_pace_keeps_plant_time_in_step_with_the_wall_clock():
    class Clock:
        """An event loop's clock and sleep without waiting."""

        def __init__(self):
            self.now = 100.0
            self.slept = []

    clock = Clock()

    async def listen():
        loop = asyncio.get_running_loop()
        loop.time = lambda: clock.now

        async def sleep(seconds):
            clock.slept.append(seconds)
            clock.now += seconds

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gigatwin.plant.stepping.asyncio.sleep", sleep)
            feed = feed_of(speed=10.0, scan=0.5, duration=10.0)
            await feed.open()
            async for _ in feed.batches():
                pass

    asyncio.run(listen())
    assert clock.now - 100.0 == pytest.approx(0.95)
    assert clock.slept[1:] == pytest.approx([0.05] * 19)


def test_instruction_is_carried_out_in_order():
    feed = feed_of(is_writable=True)
    receipt = send(feed, instruction((SPEED, 36.0), ("b/Command.MachSpeed", 22.0)))
    assert receipt.is_done
    values = by_tag(feed.plant.snapshot())
    assert values["a/Status.MachSpeed"] == [36.0]
    assert values["b/Status.MachSpeed"] == [22.0]


def test_same_instruction_is_carried_out_once():
    feed = feed_of(is_writable=True)
    first = send(feed, instruction((SPEED, 36.0)))
    send(feed, instruction((SPEED, 30.0), identity="2"))
    assert send(feed, instruction((SPEED, 36.0))) == first
    assert by_tag(feed.plant.snapshot())["a/Status.MachSpeed"] == [30.0]


def test_refused_write_ends_an_instruction_and_gives_the_reason():
    feed = feed_of(is_writable=True)
    receipt = send(feed, instruction((SPEED, 36.0), (SPEED, 999.0), (SPEED, 20.0)))
    assert not receipt.is_done
    assert "must be from 15 to 39 items/min (1 of 3 writes were done before)" in receipt.text
    assert by_tag(feed.plant.snapshot())["a/Status.MachSpeed"] == [36.0]


def test_expired_instruction_is_refused():
    feed = feed_of(is_writable=True)
    receipt = send(feed, instruction((SPEED, 36.0), expires=time.time() - 1.0))
    assert (receipt.is_done, receipt.text) == (False, "the instruction has expired")
    assert by_tag(feed.plant.snapshot())["a/Status.MachSpeed"] == [30.0]


def test_feed_writes_nothing_unless_it_was_made_for_it():
    feed = feed_of()
    receipt = send(feed, instruction((SPEED, 36.0)))
    assert not receipt.is_done
    assert "switched off" in receipt.text


@pytest.mark.parametrize("options", [{"scan": 0.0}, {"speed": 0.0}, {"speed": float("nan")}])
def test_paces_that_lead_nowhere_are_refused(options):
    with pytest.raises(SimulationError, match="must be more than 0"):
        feed_of(**options)
