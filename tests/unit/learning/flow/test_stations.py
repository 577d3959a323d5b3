"""Names of learned stations."""

import polars as pl

from gigatwin.learning.flow.stations import slug, with_stations


def names(pairs: list[tuple[str, str]]) -> list[str]:
    table = pl.DataFrame(pairs, schema=["activity", "machine"], orient="row")
    return with_stations(table)["station"].to_list()


def test_name_is_the_machine_and_the_last_part_of_the_activity():
    assert names([("/ov/burn", "ov_1"), ("/ov/temper", "ov_1")]) == ["ov_1-burn", "ov_1-temper"]


def test_activities_that_end_alike_keep_their_whole_names():
    pairs = [("/a/move", "m"), ("/b/move", "m"), ("/a/move", "n")]
    assert names(pairs) == ["m-a_move", "m-b_move", "n-move"]


def test_activity_that_is_the_machine_gives_its_name_once():
    assert names([("cut", "cut"), ("out", "out")]) == ["cut", "out-2"]


def test_signs_that_a_description_uses_are_replaced():
    assert slug(" Säge 1.2/b ") == "Säge_1_2_b"
    assert slug("...") == "unnamed"


def test_names_that_become_alike_are_numbered():
    assert names([("a b", "m"), ("a.b", "m")]) == ["m-a_b", "m-a_b-2"]
