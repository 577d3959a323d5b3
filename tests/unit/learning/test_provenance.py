"""Rows of a log in words."""

import polars as pl

from gigatwin.factory.durations import Distribution
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.learning.provenance import rows_text, with_rows


def test_rows_are_told_by_the_first_the_last_and_their_number():
    assert rows_text(pl.DataFrame({"row": [7, 2, 5]})) == "2-7 (3 rows)"


def test_unknown_rows_are_told_as_nothing():
    assert rows_text(pl.DataFrame({"case": ["a"]})) == ""
    assert rows_text(pl.DataFrame({"row": [None, None]})) == ""


def test_rows_that_are_not_known_do_not_count():
    assert rows_text(pl.DataFrame({"row": [None, 4]})) == "4-4 (1 rows)"


def test_estimates_without_rows_get_those_of_their_element():
    known = Estimate(value=7.0, low=7.0, high=7.0, n=4, method="count", rows="2-5 (4 rows)")
    buffer = Buffer(capacity=7, estimates={"capacity": known.model_copy(update={"rows": ""})})
    law = Distribution(distribution="exponential", mean=7.0, estimates={"mean": known})
    station = with_rows(DiscreteStation(time=law, buffer=buffer), "9-12 (4 rows)")
    assert station.time.estimates["mean"].rows == "2-5 (4 rows)"
    assert station.buffer.estimates["capacity"].rows == "9-12 (4 rows)"
