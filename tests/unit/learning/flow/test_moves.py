"""Moves between places."""

import polars as pl

from gigatwin.learning.flow.moves import without_transports


def test_row_with_two_places_is_a_move():
    visits = pl.DataFrame(
        {
            "machine": ["saw", "agv", "agv", "agv", "saw"],
            "origin": ["saw", "store", "agv", "store", None],
            "destination": ["saw", "saw", "saw", "agv", "saw"],
        }
    )
    stays, moves = without_transports(visits)
    assert stays["machine"].to_list() == ["saw", "saw"]
    assert moves["move"].to_list() == ["carry", "unload", "load"]


def test_log_without_places_has_no_moves():
    visits = pl.DataFrame({"machine": ["saw"]})
    stays, moves = without_transports(visits)
    assert stays.equals(visits)
    assert moves.height == 0
    assert "move" in moves.columns
