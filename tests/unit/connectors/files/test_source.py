"""A log is followed whatever its writer does to it."""

import asyncio
import logging
import time

import polars as pl
import pytest

from gigatwin.connectors.files import FileSettings, FileSink, FileSource
from gigatwin.errors import ConnectorError
from gigatwin.telemetry import Instruction, Quality, Reading, Sink, TagType, TagWrite

PATIENCE = 20.0
LONG = "time,tag,value,quality\n"


def follow(path, steps, n_wanted, **settings):
    """Return the readings of a log while something is done to it, and the diagnostics."""

    async def scenario():
        source = FileSource(FileSettings(path=path, poll=0.002, **settings))
        await source.open()
        found, todo = [], list(steps)
        try:
            async with asyncio.timeout(PATIENCE):
                async for batch in source.batches():
                    found += batch.readings
                    if todo:
                        todo.pop(0)()
                    if len(found) >= n_wanted and not todo:
                        break
            return found, source.diagnostics()
        finally:
            await source.close()

    return asyncio.run(scenario())


async def until(source, is_so):
    """Return what is told of a source once it is so."""
    for _ in range(5000):
        told = source.diagnostics()
        if is_so(told):
            return told
        await asyncio.sleep(0.002)
    message = f"not in time: {told}"
    raise AssertionError(message)


def add(path, text):
    def step():
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return step


def browse(path):
    async def scenario():
        source = FileSource(FileSettings(path=path))
        await source.open()
        try:
            return await source.browse()
        finally:
            await source.close()

    return asyncio.run(scenario())


def values(readings):
    return [reading.value for reading in readings]


def test_long_log_is_read_row_by_row(tmp_path):
    path = tmp_path / "log.csv"
    rows = "5.5,m_1/Status.StateCurrent,6,good\n6,m_1/Admin.StopReason,,0\n7,m_1/x,nan,0x80000000\n"
    path.write_text(LONG + rows, encoding="utf-8")
    found, told = follow(path, [], 3)
    assert found[:2] == [
        Reading("m_1/Status.StateCurrent", 6, 5.5),
        Reading("m_1/Admin.StopReason", "", 6.0),
    ]
    assert found[2].quality is Quality.BAD
    assert told.counts["readings"] == 3


def test_wide_log_has_a_tag_in_each_column(tmp_path):
    path = tmp_path / "press.csv"
    path.write_text(
        "Timestamp,press_1.Status.CurMachSpeed,force\n"
        "2026-01-01T00:00:01Z,11.5,\n2026-01-01T01:00:02+01:00,,3\n",
        encoding="utf-8",
    )
    found, _ = follow(path, [], 2)
    assert found == [
        Reading("press_1/Status.CurMachSpeed", 11.5, 1_767_225_601.0),
        Reading("press/force", 3, 1_767_225_602.0),
    ]


def test_half_written_line_waits_for_its_end(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LONG + "1,a/b,1,\n2,a/b,12", encoding="utf-8")
    found, _ = follow(path, [add(path, "34,good\n")], 2)
    assert values(found) == [1, 1234]


def test_header_may_come_later_and_in_pieces(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,ta", encoding="utf-8")

    async def scenario():
        source = FileSource(FileSettings(path=path, poll=0.002))
        await source.open()
        add(path, "g,value\n1,a/b,5\n")()
        batch = await asyncio.wait_for(anext(source.batches()), PATIENCE)
        await source.close()
        return batch.readings

    assert asyncio.run(scenario()) == (Reading("a/b", 5, 1.0),)


def test_line_break_between_quotes_ends_no_row(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LONG + '1,a/b,"jam\nat the', encoding="utf-8")

    async def scenario():
        source = FileSource(FileSettings(path=path, poll=0.002))
        await source.open()
        add(path, ' left",good\n2,a/b,7,\n')()
        batch = await asyncio.wait_for(anext(source.batches()), PATIENCE)
        await source.close()
        return values(batch.readings)

    assert asyncio.run(scenario()) == ["jam\nat the left", 7]


def test_log_that_is_moved_away_is_read_to_its_end_and_then_the_new_one(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LONG + "1,a/b,1,\n", encoding="utf-8")

    def rotate():
        add(path, "2,a/b,2,\n3,a/b,3,")()
        path.rename(tmp_path / "log.1")
        path.write_text(LONG + "4,a/b,4,\n", encoding="utf-8")

    found, told = follow(path, [rotate], 4)
    assert values(found) == [1, 2, 3, 4]
    assert told.counts["reconnections"] == 1


def test_log_that_is_cut_off_begins_anew(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LONG + "1,a/b,1,\n2,a/b,2,\n", encoding="utf-8")
    found, told = follow(path, [lambda: path.write_text(LONG + "3,a/b,3,\n")], 3)
    assert values(found) == [1, 2, 3]
    assert told.counts["reconnections"] == 1


def test_log_that_is_written_over_and_longer_than_before_begins_anew(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LONG + "1,a/b,1,\n", encoding="utf-8")
    rows = "".join(f"{k},a/b,{k},\n" for k in range(2, 9))
    found, _ = follow(path, [lambda: path.write_text(LONG + rows)], 8)
    assert values(found) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_log_that_vanishes_is_told_once_and_found_again(tmp_path, caplog):
    path = tmp_path / "log.csv"
    path.write_text(LONG + "1,a/b,1,\n", encoding="utf-8")

    async def scenario():
        source = FileSource(FileSettings(path=path, poll=0.002))
        await source.open()
        batches = source.batches()
        first = await anext(batches)
        path.unlink()
        waiting = asyncio.ensure_future(anext(batches))
        told = await until(source, lambda told: not told.is_connected)
        assert "no such file" in told.last_error
        await asyncio.sleep(0.02)
        path.write_text(LONG + "2,a/b,2,\n", encoding="utf-8")
        second = await asyncio.wait_for(waiting, PATIENCE)
        told = source.diagnostics()
        await source.close()
        return values(first.readings + second.readings), told

    with caplog.at_level(logging.INFO):
        found, told = asyncio.run(scenario())
    assert found == [1, 2]
    assert told.counts["reconnections"] == 1
    texts = [record.getMessage() for record in caplog.records if "log.csv" in record.getMessage()]
    assert len(texts) == 2


def test_rows_that_cannot_be_read_are_counted_and_the_rest_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    rows = "noon,a/b,1,\n1,a/b\n2,,3,\n3,a/b,4,\n1e300,a/b,5,\n4,a/b,\x00,\n\n5,a/b,6,\n"
    path.write_bytes((LONG + rows).encode() + b"6,a/b,\xff\xfe,\n")
    found, told = follow(path, [], 3)
    assert 4 in values(found)
    assert 6 in values(found)
    assert told.counts["malformed"] >= 4
    assert "line 6" in told.last_error or "line 7" in told.last_error


def test_semicolons_go_with_decimal_commas(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("Zeit;Tag;Value\n1,5;a/b;2,25\n", encoding="utf-8")
    assert follow(path, [], 1)[0] == [Reading("a/b", 2.25, 1.5)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1767225601", 1_767_225_601.0),
        ("1767225601000", 1_767_225_601.0),
        ("1767225601000000", 1_767_225_601.0),
        ("1767225601000000000", 1_767_225_601.0),
        ("2026-01-01 00:00:01", 1_767_225_601.0),
        ("2026-01-01T00:00:01.250Z", 1_767_225_601.25),
        ("20260101T000001", 1_767_225_601.0),
    ],
)
def test_times_are_read_as_they_are_usually_written(tmp_path, text, time):
    path = tmp_path / "log.csv"
    path.write_text(f"{LONG}{text},a/b,1,\n", encoding="utf-8")
    assert follow(path, [], 1)[0][0].source_time == time


def test_dates_without_an_offset_are_in_the_zone_given(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"{LONG}2026-07-01 12:00:00,a/b,1,\n", encoding="utf-8")
    found, _ = follow(path, [], 1, zone="Europe/Berlin")
    assert found[0].source_time == 1_782_900_000.0


def test_follower_from_the_end_gets_the_present_values_first(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LONG + "1,a/b,1,\n2,a/b,2,\n1,c/d,x,\n", encoding="utf-8")

    async def scenario():
        source = FileSource(FileSettings(path=path, begin="end", poll=0.002))
        await source.open()
        batches = source.batches()
        first = await anext(batches)
        add(path, "3,a/b,3,\n")()
        second = await anext(batches)
        await source.close()
        return first, second

    first, second = asyncio.run(scenario())
    assert first.is_snapshot
    assert {reading.tag: reading.value for reading in first.readings} == {"a/b": 2, "c/d": "x"}
    assert not second.is_snapshot
    assert values(second.readings) == [3]


def test_browsing_tells_what_values_tags_hold(tmp_path):
    path = tmp_path / "log.csv"
    rows = "1,a/i,1,\n1,a/r,1,\n2,a/r,1.5,\n1,a/t,x,\n1,a/b,true,\n1,a/m,1,\n2,a/m,x,\n1,a/n,,bad\n"
    path.write_text(LONG + rows, encoding="utf-8")
    assert {tag.name: tag.type for tag in browse(path)} == {
        "a/i": TagType.INTEGER,
        "a/r": TagType.REAL,
        "a/t": TagType.TEXT,
        "a/b": TagType.BOOLEAN,
        "a/m": TagType.TEXT,
        "a/n": TagType.REAL,
    }


def test_folder_of_parquet_files_is_read_by_name_and_followed(tmp_path):
    def write(name, begin):
        frame = pl.DataFrame(
            {
                "time": pl.Series([begin, begin + 1], dtype=pl.Int64).cast(
                    pl.Datetime("ms", "UTC")
                ),
                "tag": ["a/b", "a/c"],
                "value": [begin / 2, None],
            }
        )
        frame.write_parquet(tmp_path / name)

    write("002.parquet", 3000)
    write("001.parquet", 1000)
    (tmp_path / ".003.parquet.tmp").write_bytes(b"half")
    (tmp_path / "readme.txt").write_text("no log")
    found, _ = follow(tmp_path, [lambda: write("003.parquet", 5000)], 6)
    assert [(r.tag, r.value, r.source_time) for r in found] == [
        ("a/b", 500.0, 1.0),
        ("a/c", None, 1.001),
        ("a/b", 1500.0, 3.0),
        ("a/c", None, 3.001),
        ("a/b", 2500.0, 5.0),
        ("a/c", None, 5.001),
    ]


def test_parquet_file_that_is_not_complete_yet_is_tried_again(tmp_path):
    frame = pl.DataFrame({"time": [1.0, 2.0], "force": [3.0, 4.0]})
    frame.write_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-20])

    async def scenario():
        source = FileSource(FileSettings(path=tmp_path, poll=0.002))
        await source.open()
        batches = source.batches()
        found = list((await anext(batches)).readings)
        waiting = asyncio.ensure_future(anext(batches))
        told = await until(source, lambda told: told.counts.get("malformed"))
        assert "b.parquet: no Parquet file yet" in told.last_error
        (tmp_path / "b.parquet").write_bytes(whole)
        found += (await asyncio.wait_for(waiting, PATIENCE)).readings
        told = source.diagnostics()
        await source.close()
        return found, told

    found, told = asyncio.run(scenario())
    assert values(found) == [3.0, 4.0, 3.0, 4.0]
    assert told.counts["malformed"] == 1
    assert found[0].tag == f"{tmp_path.stem}/force"


def test_log_without_times_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")

    async def scenario():
        source = FileSource(FileSettings(path=path))
        try:
            await source.open()
        finally:
            await source.close()

    with pytest.raises(ConnectorError, match=r"log.csv: columns a, b; needs a column of times"):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    "url",
    [
        "http://x/log.csv",
        "file://other-machine/log.csv",
        "file://",
        "file:///log.csv?poll=0",
        "file:///log.csv?pole=1",
        "file:///log.csv?zone=Atlantis",
        "file:///log.csv?begin=middle",
    ],
)
def test_url_that_cannot_be_used_is_one_error(url):
    with pytest.raises(ConnectorError, match="must be like file:///"):
        FileSource.from_url(url)


def test_url_says_which_log_and_how_it_is_followed():
    settings = FileSettings.from_url("file:///data/my%20log.csv?begin=end&poll=2&zone=Asia/Tokyo")
    assert str(settings.path) == "/data/my log.csv"
    assert (settings.begin, settings.poll, settings.zone) == ("end", 2.0, "Asia/Tokyo")
    assert settings.where == "file:///data/my%20log.csv"


def test_nothing_is_written_to_a_log():
    async def scenario():
        sink = FileSink.from_url("file:///data/log.csv")
        assert isinstance(sink, Sink)
        await sink.open()
        write = TagWrite("a/Command.MachSpeed", 1.0)
        receipt = await sink.send(Instruction("1", (write,), time.time() + 60.0, "Ada"))
        await sink.close()
        return receipt, sink.diagnostics()

    receipt, told = asyncio.run(scenario())
    assert not receipt.is_done
    assert receipt.identity == "1"
    assert "a/Command.MachSpeed not written; a log is read only" in receipt.text
    assert told.last_error == receipt.text
