import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory import read_text


@pytest.mark.parametrize(
    "station",
    [
        "{kind: batch, size: 1000000000, time: 1 h, buffer: {capacity: unlimited}}",
        "{time: 1 s, output: {count: 500000000}}",
    ],
)
def test_station_that_holds_millions_of_items_is_refused(station):
    text = f"name: big\nstations:\n  first: {{time: 1 s}}\n  big: {station}\n"
    with pytest.raises(FactoryError, match=r"text:4 .*big.* items at a time; machines x batch"):
        read_text(text)


def test_count_without_any_format_is_a_problem_of_the_file():
    text = "name: none\nstations:\n  a: {time: 1 s, output: {count: {by_format: {}}}}\n"
    with pytest.raises(FactoryError, match="by_format"):
        read_text(text)
