import copy
import pickle
import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gigatwin.units import (
    UNITS_AS_TEXT,
    UNITS_REQUIRED,
    Amount,
    Content,
    Items,
    ItemsPerSecond,
    Length,
    PositiveSeconds,
    QuantityError,
    Ratio,
    Seconds,
    find_dimension,
    format_quantity,
    parse_quantity,
    to_text,
)
from gigatwin.units.dimensions import COUNT, DIMENSIONS, LENGTH, TIME


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("12 s", "s", 12.0),
        ("12s", "s", 12.0),
        (" 30 min ", "s", 1800.0),
        ("1 h 30 min", "s", 5400.0),
        ("1.5 h", "s", 5400.0),
        ("250 ms", "s", 0.25),
        ("150 ppm", "item/s", 2.5),
        ("12 items/min", "item/s", 0.2),
        ("12 items per min", "item/s", 0.2),
        ("6/min", "item/s", 0.1),
        ("150 ppm", "1", 0.00015),
        ("0.5 %", "1", 0.005),
        ("0.25", "1", 0.25),
        ("60 m/min", "m/s", 1.0),
        ("3.5 kWh", "J", 12.6e6),
        ("96 Wh", "J", 345_600.0),
        ("20 Wh/item", "J/item", 72_000.0),
        ("1 kWh/m", "J/m", 3.6e6),
        ("60 m", "m", 60.0),
        ("46 mm", "m", 0.046),
        ("200 km", "m", 200_000.0),
        ("355 g", "kg", 0.355),
        ("4 kW", "W", 4000.0),
        ("5000 items", "item", 5000.0),
        ("1e-3 s", "s", 0.001),
    ],
)
def test_text_becomes_si(text, unit, expected):
    assert parse_quantity(text, unit) == pytest.approx(expected, rel=1e-15)


def test_rare_units_are_left_to_pint():
    assert parse_quantity("1 fortnight", "s") == pytest.approx(14 * 86_400)
    assert parse_quantity("10 feet", "m") == pytest.approx(3.048)
    assert parse_quantity("1 foot/minute", "m/s") == pytest.approx(0.3048 / 60)


def test_usual_units_do_not_import_pint():
    code = (
        "import sys; from gigatwin.units import parse_quantity as p; "
        "p('12 s', 's'); p('150 ppm', 'item/s'); p('0.5 %', '1'); p('35 m/min', 'm/s'); "
        "print('pint' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("12", "s", "12; needs a unit, e.g. '12 s'"),
        ("12 kg", "s", "12 kg; must be a time, e.g. '12 s'"),
        ("3 h", "J", "3 h; must be an energy"),
        ("twelve s", "s", "must be a time"),
        ("", "s", "''; must be a time"),
        ("12 ppm", "s", "must be a time"),
        ("1,5 s", "s", "without commas"),
        ("9 s**9**9**9", "s", "must be a time"),
        ("9 blorp", "s", "must be a time"),
        ("1" * 1000, "s", "must be a time"),
    ],
)
def test_what_is_no_quantity_is_refused(text, unit, message):
    with pytest.raises(QuantityError) as caught:
        parse_quantity(text, unit)
    assert message in str(caught.value)


@pytest.mark.parametrize("unit", sorted(DIMENSIONS))
@pytest.mark.parametrize("value", [0.0, 1.0, 1 / 3, 0.1, 12.5, 1800.0, 2.5, 35 / 60, 3.6e6, 1e-9])
def test_written_quantity_reads_back_exactly(unit, value):
    text = to_text(value, unit)
    again = parse_quantity(text, unit) if isinstance(text, str) else text
    assert again == value


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1800.0, "s", "30 min"),
        (90.0, "s", "90 s"),
        (2.5, "item/s", "150 ppm"),
        (35 / 60, "m/s", "35 m/min"),
        (0.005, "1", 0.005),
        (0.046, "m", "46 mm"),
    ],
)
def test_written_quantity_has_a_readable_unit(value, unit, expected):
    assert to_text(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (3725, "s", "1.03 h"),
        (12, "s", "12 s"),
        (0.0123, "s", "12.3 ms"),
        (0, "s", "0 s"),
        (259_200, "s", "3 d"),
        (-7200, "s", "-2 h"),
        (0.5, "1", "50 %"),
        (0.00015, "1", "150 ppm"),
        (2.5, "item/s", "150 items/min"),
        (12_345.6, "kg", "12.3 t"),
        (3.6e6, "J", "1 kWh"),
        (5000, "item", "5000 items"),
    ],
)
def test_quantity_for_people_is_rounded(value, unit, expected):
    assert format_quantity(value, unit) == expected


def refusal(kind: Any, given: object, context: dict[str, Any] | None = None) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(given, context=context)
    errors = caught.value.errors()
    assert len(errors) == 1
    return errors[0]["msg"]


def test_plain_number_is_si_in_python():
    assert TypeAdapter(Seconds).validate_python(12) == 12.0


@pytest.mark.parametrize("given", [12, 12.0, 0, "12", "0"])
def test_plain_number_is_refused_in_a_file(given):
    assert "needs a unit, e.g. '12 s'" in refusal(Seconds, given, UNITS_REQUIRED)


def test_share_and_content_need_no_unit_in_a_file():
    assert TypeAdapter(Ratio).validate_python(0.5, context=UNITS_REQUIRED) == 0.5
    assert TypeAdapter(Amount).validate_python(3, context=UNITS_REQUIRED) == 3.0


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (Seconds, "-3 s", "-3 s; must be 0 s or more"),
        (Seconds, -3.0, "-3.0; must be 0 s or more"),
        (PositiveSeconds, "0 s", "must be more than 0 s"),
        (Ratio, "120 %", "120 %; must be 1 or less"),
        (ItemsPerSecond, "0 ppm", "must be more than 0 ppm"),
        (Seconds, "1e999 s", "must be finite"),
        (Seconds, float("nan"), "must be finite"),
        (Seconds, 10**400, "must be finite"),
        (Seconds, True, "True; must be a time"),
        (Seconds, [1], "must be a time"),
        (Seconds, "{found} s", "{found} s; must be a time"),
    ],
)
def test_bounds_and_kinds_are_kept(kind, given, message):
    assert message in refusal(kind, given)


def test_items_and_lengths_differ_from_seconds():
    assert TypeAdapter(Items).validate_python("5000 items") == Items(5000.0)
    assert TypeAdapter(Length).validate_python("200 km") == Length(200_000.0)
    assert Items(5.0) != Length(5.0)
    assert TypeAdapter(Items).validate_python(Items(3.0)) == Items(3.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5 h", TIME), ("5 items", COUNT), ("5 km", LENGTH), ("5 miles", LENGTH), ("5 kg", None)],
)
def test_dimension_is_found_from_the_unit(text, expected):
    assert find_dimension(text, TIME, COUNT, LENGTH) is expected


def test_content_keeps_its_unit():
    content = parse_quantity("3.9 m", "m, kg or item")
    assert content == 3.9
    for same in (content, copy.deepcopy(content), pickle.loads(pickle.dumps(content))):  # noqa: S301
        assert isinstance(same, Content)
        assert same.unit == "m"
    assert parse_quantity("2900 kg", "m, kg or item").unit == "kg"
    assert to_text(content, "m, kg or item") == "3.9 m"
    assert to_text(Content(2.0), "m, kg or item") == 2.0


def test_quantities_are_written_with_units_when_asked():
    adapter = TypeAdapter(Seconds)
    assert adapter.dump_python(90.0) == 90.0
    assert adapter.dump_python(90.0, context=UNITS_AS_TEXT) == "90 s"


def test_schema_of_a_quantity_names_its_unit():
    schema = TypeAdapter(Seconds).json_schema()
    assert (schema["type"], schema["unit"]) == ("string", "s")
    share = TypeAdapter(Ratio).json_schema()
    assert (share["minimum"], share["maximum"]) == (0, 1)
    assert share["type"] == ["number", "string"]
