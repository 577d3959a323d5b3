import datetime as dt
import random
import uuid

from asyncua import ua

from gigatwin.connectors.opcua.mapping import is_overflow, quality_of, reading_of
from gigatwin.telemetry import Quality, Reading, Tag, TagType

MOMENT = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
TAGS = [Tag(f"a/{kind.value}", kind) for kind in TagType]
ODD = (
    None,
    [1, 2],
    [],
    float("nan"),
    float("-inf"),
    2**70,
    b"\xff",
    "text",
    "",
    True,
    -1,
    3.5,
    uuid.UUID(int=1),
    MOMENT,
    ua.LocalizedText("hello"),
    ua.LocalizedText(None),
    ua.EUInformation(),
    ua.NodeId(5),
    object(),
)


class Raw:
    """Stands for a DataValue with anything in it."""

    def __init__(self, value, status, source, server, is_array):
        self.Value = None if value is Ellipsis else _Variant(value, is_array)
        self.StatusCode = None if status is None else ua.StatusCode(status)
        self.SourceTimestamp, self.ServerTimestamp = source, server


class _Variant:
    def __init__(self, value, is_array):
        self.Value, self.is_array = value, is_array


def test_value_quality_and_source_time_are_kept():
    value = ua.DataValue(ua.Variant(2.5), ua.StatusCode(0x40000000), MOMENT, None)
    wanted = Reading("a/real", 2.5, MOMENT.timestamp(), Quality.UNCERTAIN)
    assert reading_of(Tag("a/real", TagType.REAL), value, 0.0) == wanted


def test_a_value_without_times_has_the_time_at_which_it_came():
    year_1601 = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)
    value = ua.DataValue(ua.Variant(1), ua.StatusCode(), year_1601, None)
    assert reading_of(Tag("a/b", TagType.INTEGER), value, 12.0).source_time == 12.0


def test_what_makes_no_sense_is_no_reading():
    for value in ([1], float("nan"), "1", True, 1.5):
        data = ua.DataValue(ua.Variant(value), ua.StatusCode(), MOMENT)
        assert reading_of(Tag("a/b", TagType.INTEGER), data, 0.0) is None


def test_qualities_are_the_two_top_bits():
    codes = {0: "GOOD", 0x40920000: "UNCERTAIN", 0x80320000: "BAD", 0xFFFFFFFF: "BAD"}
    assert {code: quality_of(code).name for code in codes} == codes


def test_an_overflow_of_the_servers_queue_shows():
    assert is_overflow(0x480)
    assert not is_overflow(0x80)


def test_whatever_comes_is_a_fitting_reading_or_none():
    kinds = {
        TagType.BOOLEAN: bool,
        TagType.INTEGER: int,
        TagType.REAL: float,
        TagType.TEXT: str,
    }
    draw = random.Random(5)  # noqa: S311 - moments of a test
    # Some servers give no zone.
    moments = (
        None,
        MOMENT,
        MOMENT.replace(tzinfo=None),
        dt.datetime(9999, 12, 31),  # noqa: DTZ001 - as asyncua gives them
        dt.datetime(1, 1, 1),  # noqa: DTZ001 - as asyncua gives them
        "x",
        5,
    )
    for _ in range(5000):
        raw = Raw(
            draw.choice((*ODD, ...)),
            draw.choice((None, 0, 0x480, 0x40000000, 2**31, 2**32 - 1, 2**40, -1, "Bad")),
            draw.choice(moments),
            draw.choice(moments),
            draw.choice((False, True)),
        )
        tag = draw.choice(TAGS)
        reading = reading_of(tag, raw, 1.0)
        if reading is not None:
            assert reading.value is None or type(reading.value) is kinds[tag.type]
            assert reading.source_time in {1.0, MOMENT.timestamp()}
