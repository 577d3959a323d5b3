"""Activities side by side as one station, and unfolded again."""

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.flow.concurrency import find_blocks, folded
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.spoiled_logs import with_jitter

SCHEMA = ["case", "activity", "machine", "start", "end", "success"]


@pytest.fixture(scope="module")
def split():
    """Cases that are prepared, then checked and packed at once, then shipped."""
    random = np.random.default_rng(1)
    rows = []
    for k in range(200):
        begin = 100.0 * k
        check, pack = random.uniform(10, 20, 2)
        after = begin + 10.0 + max(check, pack)
        rows += [
            (str(k), "prepare", "p", begin, begin + 8.0, None),
            (str(k), "check", "c", begin + 10.0, begin + 10.0 + check, None),
            (str(k), "pack", "k", begin + 10.0, begin + 10.0 + pack, True),
            (str(k), "ship", "s", after, after + 5.0, None),
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_activities_side_by_side_are_found(split):
    assert find_blocks(split) == (("check", "pack"),)


def test_block_is_one_visit_from_the_first_start_to_the_last_end(split):
    visits, blocks = folded(split, find_blocks(split))
    assert list(blocks) == ["check + pack"]
    assert visits.columns == split.columns
    assert visits.height == 600
    own = visits.filter(pl.col("activity") == "check + pack")
    inside = split.filter(pl.col("activity").is_in(["check", "pack"])).group_by(
        "case", maintain_order=True
    )
    first = inside.agg(pl.col("start").min(), pl.col("end").max())
    assert own.select("case", "start", "end").equals(first)
    assert own["success"].unique().to_list() == [None]


def test_block_unfolds_to_activities_that_fill_it(split):
    _, blocks = folded(split, find_blocks(split))
    lengths = np.linspace(12.0, 18.0, 50)
    inside = blocks["check + pack"].unfold(lengths)
    assert inside.height == 100
    ends = inside.group_by("number", maintain_order=True).agg(
        end=(pl.col("offset") + pl.col("length")).max(), n=pl.col("activity").n_unique()
    )
    np.testing.assert_allclose(ends["end"].to_numpy(), lengths, rtol=1e-9)
    assert ends["n"].to_list() == [2] * 50
    assert inside.equals(blocks["check + pack"].unfold(lengths))


def test_no_blocks_change_nothing(split):
    visits, blocks = folded(split, ())
    assert visits is split
    assert blocks == {}


def test_serial_line_has_no_blocks():
    visits = random_line(3, n_stations=(4, 4)).simulate(500).visits
    assert find_blocks(visits) == ()


@pytest.mark.parametrize("sigma", [0.02, 2.0])
def test_inexact_clocks_make_no_blocks(sigma):
    visits = random_line(3, n_stations=(4, 4)).simulate(500).visits
    assert find_blocks(with_jitter(visits, sigma)) == ()


def test_parallel_machines_that_items_overtake_at_make_no_blocks():
    random = np.random.default_rng(1)
    rows = []
    for k in range(300):
        begin, work = 10.0 * k, random.uniform(20, 60)
        rows += [
            (str(k), "wash", f"w{k % 6}", begin, begin + work, None),
            (str(k), "dry", "d", begin + work, begin + work + 5.0, None),
        ]
    assert find_blocks(pl.DataFrame(rows, schema=SCHEMA, orient="row")) == ()


def test_half_visits_and_few_cases_make_no_blocks(split):
    assert find_blocks(split.head(32)) == ()
    assert find_blocks(split.with_columns(end=pl.lit(None, dtype=pl.Float64))) == ()
