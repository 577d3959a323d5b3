"""Endless supply or arrivals, and the order of formats."""

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.flow.supply import CASES, Supply, supplies_of
from gigatwin.learning.flow.topology import Flow


def visits(starts: np.ndarray, length: float, formats: list[str] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "case": [str(k) for k in range(len(starts))],
            "station": ["a"] * len(starts),
            "machine": ["m"] * len(starts),
            "start": starts,
            "end": starts + length,
        }
    )
    return frame if formats is None else frame.with_columns(format=pl.Series(formats))


def supply(frame: pl.DataFrame, arcs: dict[str, dict[str, int]] | None = None) -> Supply:
    flow = Flow({}, arcs or {"in": {"a": 9}, "a": {"out": 9}})
    return supplies_of(frame, flow, 1e-6)[CASES]


def test_machine_that_never_waits_has_an_endless_supply():
    found = supply(visits(10.0 * np.arange(50), 10.0))
    assert found.kind == "endless"
    assert found.waiting_ratio == 0.0
    assert found.first == {"a": 50}


def test_machine_that_waits_has_arrivals():
    found = supply(visits(10.0 * np.arange(50), 4.0))
    assert found.kind == "arrivals"
    assert found.intervals.tolist() == [10.0] * 49


def test_entry_that_items_come_back_to_has_arrivals():
    arcs = {"in": {"a": 9}, "a": {"b": 9}, "b": {"a": 1, "out": 8}}
    assert supply(visits(10.0 * np.arange(50), 10.0), arcs).kind == "arrivals"


def test_items_without_starts_came_as_far_apart_as_they_left():
    frame = visits(10.0 * np.arange(5), 4.0).with_columns(start=pl.lit(None, dtype=pl.Float64))
    assert supply(frame).intervals.tolist() == [10.0] * 4


def test_single_item_came_once_in_the_time_of_the_log():
    frame = visits(np.array([5.0]), 40.0)
    assert supply(frame).intervals.tolist() == [40.0]


def test_cases_under_way_when_the_log_began_are_no_arrivals():
    frame = visits(10.0 * np.arange(5), 4.0)
    inside = frame.head(1).with_columns(case=pl.lit("x"), station=pl.lit("b"))
    found = supply(pl.concat([inside, frame]))
    assert found.first == {"a": 5}


def test_formats_have_shares_and_runs():
    found = supply(visits(10.0 * np.arange(8), 10.0, ["x"] * 3 + ["y"] * 4 + ["x"]))
    assert found.formats == pytest.approx({"x": 0.5, "y": 0.5})
    assert found.runs == (("x", 3), ("y", 4), ("x", 1))


def test_formats_that_change_all_the_time_have_runs_of_one():
    assert (
        supply(visits(10.0 * np.arange(8), 10.0, ["x", "y"] * 4)).runs == (("x", 1), ("y", 1)) * 4
    )


def test_one_format_needs_no_name():
    found = supply(visits(10.0 * np.arange(8), 10.0, ["x"] * 8))
    assert (found.formats, found.runs) == ({}, ())
