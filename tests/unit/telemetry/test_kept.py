import math

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.telemetry import Quality, Reading
from gigatwin.telemetry.kept import (
    FRAME,
    Kind,
    kept_frame,
    kept_rows,
    numbered_readings,
    reading_of,
)

VALUES = [None, True, False, 0, -1, 2**53, 2**53 + 1, -(2**64), 0.0, -0.5, math.inf, "", "5", "é"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_value_comes_back_with_its_type(value):
    reading = Reading("a/x", value, 12.5, Quality.UNCERTAIN)
    (row,) = kept_rows([reading])
    back = reading_of(row)
    assert back == reading
    assert type(back.value) is type(value)
    assert type(back.quality) is Quality


def test_numbers_and_texts_stand_apart():
    rows = kept_rows([Reading("a/x", value, 1.0) for value in (True, 7, 0.5, "7", None)])
    assert [row[2:4] for row in rows] == [
        (1.0, None),
        (7.0, None),
        (0.5, None),
        (None, "7"),
        (None, None),
    ]
    assert [row[5] for row in rows] == [
        Kind.BOOLEAN,
        Kind.INTEGER,
        Kind.REAL,
        Kind.TEXT,
        Kind.NONE,
    ]


def test_whole_number_that_no_float_holds_keeps_its_digits_beside_the_rounded_value():
    (row,) = kept_rows([Reading("a/x", 2**53 + 1, 1.0)])
    assert row[2:4] == (float(2**53), "9007199254740993")


def test_whole_source_time_becomes_a_float():
    (row,) = kept_rows([Reading("a/x", 1.0, 5)])
    assert type(row[1]) is float


def test_number_of_thousands_of_digits_is_refused():
    with pytest.raises(TelemetryError, match="thousands of digits"):
        kept_rows([Reading("a/x", 10**5000, 1.0)])


def test_table_holds_what_rows_hold():
    readings = [Reading(f"m_{k}/x", value, float(k)) for k, value in enumerate(VALUES)]
    frame = kept_frame([(k, *row) for k, row in enumerate(kept_rows(readings))])
    assert frame.schema == FRAME
    assert numbered_readings(frame) == list(enumerate(readings))


def test_tags_with_numbers_get_their_names():
    frame = kept_frame(
        [(1, 7, 0.5, 1.0, None, 0, 3), (2, 8, 0.5, None, None, 0, 3)], {7: "a", 8: "b"}
    )
    assert frame["tag"].to_list() == ["a", "b"]
    assert math.isnan(frame["value"][1])


def test_empty_table_has_all_columns():
    assert kept_frame([], {}).equals(pl.DataFrame(schema=FRAME))
