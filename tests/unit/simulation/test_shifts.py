"""A crew with shifts is the calendar of a line, and of what comes into it."""

import polars as pl
import pytest

from gigatwin.factory import read_text
from gigatwin.simulation import throughput_of, trace_of

DAY = 86_400.0
CREW = """
name: two-shifts
resources:
  crew:
    shifts:
      steps: [{at: 6 h, capacity: 1}, {at: 22 h, capacity: 0}]
"""
# From 6 h to 22 h there are 960 min: 137 cycles of 7 min end in time, the one begun then goes on.
CYCLES = 138


def test_station_works_while_its_operators_do_and_ends_what_it_began():
    factory = read_text(CREW + "stations: {only: {time: 7 min, operators: {resource: crew}}}\n")
    assert throughput_of(factory, 10 * DAY) == CYCLES / DAY
    events = trace_of(factory, 3 * DAY)
    starts = events.filter(pl.col("kind") == "START")["time"] % DAY
    assert starts.min() == 6 * 3600
    assert starts.max() == 6 * 3600 + 137 * 420
    ends = events.filter(pl.col("kind") == "LEAVE")["time"] % DAY
    assert ends.max() == 6 * 3600 + CYCLES * 420 > 22 * 3600


def test_gate_lets_items_in_during_the_shift_alone():
    factory = read_text(
        CREW
        + """
stations:
  gate: {time: 7 min, operators: {resource: crew}}
  work: {time: 9 min, buffer: {capacity: unlimited}}
"""
    )
    # The work of a day, 138 x 9 min, is done before the next one begins.
    assert throughput_of(factory, 10 * DAY + 6 * 3600, 6 * 3600) == pytest.approx(CYCLES / DAY)
    events = trace_of(factory, 5 * DAY)
    entered = events.filter((pl.col("kind") == "LEAVE") & (pl.col("machine") == "gate"))["time"]
    within = (entered % DAY - 6 * 3600) / 3600
    assert within.min() == 7 / 60
    assert within.max() == CYCLES * 7 / 60
