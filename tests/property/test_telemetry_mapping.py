"""Any mapping survives being written and read; any text gives a mapping or one error."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.errors import TelemetryError
from gigatwin.telemetry import Quantity, TagMapping, TagMeaning
from gigatwin.telemetry.mapping import NAMED, SCALED, read_mapping_text, text_of

names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
)
factors = st.floats(-1e15, 1e15).filter(bool)


@st.composite
def meanings(draw):
    quantity = draw(st.sampled_from(Quantity))
    return TagMeaning(
        element=draw(names),
        quantity=quantity,
        which=draw(names) if quantity in NAMED else None,
        factor=draw(factors) if quantity in SCALED else 1.0,
    )


@st.composite
def mappings(draw):
    tags = draw(st.dictionaries(names, meanings(), max_size=5))
    ignored = [name for name in draw(st.lists(names, max_size=4, unique=True)) if name not in tags]
    mapping = TagMapping(
        source=draw(st.one_of(st.just(""), names)),
        confirmed_by=draw(st.one_of(st.just(""), names)),
        tags=tags,
        ignored=tuple(ignored),
    )
    return mapping.with_comments({name: draw(st.text(max_size=20)) for name in tags})


@given(mappings())
@settings(max_examples=100)
def test_mapping_is_read_as_it_was_written(mapping):
    assert read_mapping_text(text_of(mapping)) == mapping


VALID = """\
source: opc.tcp://127.0.0.1:4840
confirmed_by: ""
tags:
  winding_1/Status.StateCurrent: {element: winding#1, quantity: state}
  winding_1/Command.MachSpeed: {element: winding#1, quantity: speed_command, factor: 0.0833}
  oven/Temp: {element: drying, quantity: value, which: temperature}
ignored:
  - winding_1/Status.Tool
"""
PIECES = [
    *"{}[]:,-&*!|>'\"%@`#?\n \t",
    "\x00",
    "\x85",
    "\ufeff",
    "\ud800",
    "<<: *a",
    "&a ",
    "---\n",
]
PIECES += ["null", "1e999", "-.inf", "quantity: value", "? ", "!!python/object:os.system ", "tags:"]
PIECES += ["  a: {element: 5, quantity: state}\n", "\r\n", "9" * 400, "\u2028", "0x1f", "- - -"]


@st.composite
def spoiled(draw):
    text = VALID
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.sampled_from([0, 0, 1, 3, 40])))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)))
        text = text[:begin] + piece + text[end:]
    return text


@given(spoiled())
@settings(max_examples=1500)
def test_spoiled_file_gives_a_mapping_or_one_error_with_the_place(text):
    try:
        mapping = read_mapping_text(text, "m.yaml")
    except TelemetryError as error:
        lines = str(error).splitlines()
        assert lines
        assert re.match(r"m\.yaml(:\d+)?[ :]", lines[0])
    else:
        assert read_mapping_text(text_of(mapping)) == mapping


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_text_that_is_no_mapping_is_one_error(text):
    with pytest.raises(TelemetryError, match=r"^m\.yaml"):
        read_mapping_text(text, "m.yaml")
