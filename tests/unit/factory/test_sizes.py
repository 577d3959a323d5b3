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
