"""Rows of a log in words."""

import polars as pl

from gigatwin.learning.provenance import rows_text


def test_rows_are_told_by_the_first_the_last_and_their_number():
    assert rows_text(pl.DataFrame({"row": [7, 2, 5]})) == "2-7 (3 rows)"


def test_unknown_rows_are_told_as_nothing():
    assert rows_text(pl.DataFrame({"case": ["a"]})) == ""
    assert rows_text(pl.DataFrame({"row": [None, None]})) == ""


def test_rows_that_are_not_known_do_not_count():
    assert rows_text(pl.DataFrame({"row": [None, 4]})) == "4-4 (1 rows)"
