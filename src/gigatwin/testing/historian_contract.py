"""What every historian has to do, as a test class that its own tests subclass.

A subclass gives the store; the tests are inherited::

    class TestMyHistorian(HistorianContract):
        @pytest.fixture(autouse=True)
        def _store(self, tmp_path):
            self.folder = tmp_path

        def open(self):
            return MyHistorian(self.folder)
"""

from abc import ABC, abstractmethod
from contextlib import closing, suppress

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.telemetry import Historian, Quality, Reading
from gigatwin.testing.expectations import require

_BEGIN = 1_800_000_000.0
_READINGS = (
    Reading("winding_1/Status.StateCurrent", 6, _BEGIN),
    Reading("winding_1/Status.CurMachSpeed", 11.75, _BEGIN + 0.125),
    Reading("winding_1/Status.EquipmentInterlock.Starved", value=True, source_time=_BEGIN + 0.25),
    Reading("winding_1/Admin.StopReason", "paper jam; 'é'", _BEGIN + 0.5),
    Reading("winding_1/Admin.StopReason", "", _BEGIN + 0.75),
    Reading("winding_1/Status.CurMachSpeed", None, _BEGIN + 1.0, Quality.BAD),
    Reading("winding_1/Admin.ProdProcessedCount", 2**40, _BEGIN + 1.5, Quality.UNCERTAIN),
)
_COLUMNS = ["time", "value", "text", "quality"]


class HistorianContract(ABC):
    """What every `Historian` has to do."""

    @abstractmethod
    def open(self) -> Historian:
        """Return the historian under test; within one test always with the same store."""

    def test_readings_come_back_as_they_were_in_their_order(self) -> None:
        """Values, texts, times and qualities survive."""
        with closing(self.open()) as historian:
            last = historian.append(_READINGS)
            kept = historian.after(0)
        require([reading for _, reading in kept] == [*_READINGS], f"{_READINGS}, got {kept}")
        kinds = [isinstance(reading.quality, Quality) for _, reading in kept]
        require(all(kinds), f"qualities of type Quality, got {kept}")
        require(kept[-1][0] == last, f"the last row to be {last}, got {kept[-1]}")

    def test_numbers_of_rows_grow(self) -> None:
        """A number says what is new; nothing appended is nothing new."""
        with closing(self.open()) as historian:
            numbers = [historian.append([reading]) for reading in _READINGS]
            same = historian.append([])
            kept = [row for row, _ in historian.after(0)]
        require(numbers == sorted(set(numbers)), f"numbers that grow, got {numbers}")
        require(kept == numbers, f"{numbers}, got {kept}")
        require(same == numbers[-1], f"{numbers[-1]} again, got {same}")

    def test_after_returns_what_is_new_a_part_at_a_time(self) -> None:
        """Whoever reads on from the last row that it got sees each row once."""
        with closing(self.open()) as historian:
            historian.append(_READINGS)
            row, seen = 0, []
            while part := historian.after(row, limit=2):
                require(len(part) <= 2, f"at most 2 rows, got {part}")  # noqa: PLR2004 - the limit
                seen += [reading for _, reading in part]
                row = part[-1][0]
        require(seen == [*_READINGS], f"{_READINGS}, got {seen}")

    def test_latest_is_the_newest_by_source_time(self) -> None:
        """A reading that comes late does not replace a newer one."""
        tag = "winding_1/Status.CurMachSpeed"
        newer, late = Reading(tag, 2.0, _BEGIN + 9.0), Reading(tag, 1.0, _BEGIN + 5.0)
        with closing(self.open()) as historian:
            historian.append([*_READINGS, newer])
            historian.append([late])
            latest = historian.latest()
        require(latest[tag] == newer, f"{newer}, got {latest[tag]}")
        require(set(latest) == {reading.tag for reading in _READINGS}, f"all tags, got {latest}")

    def test_one_tag_is_read_between_two_times(self) -> None:
        """By time, the begin included and the end not."""
        tag = "a_1/Status.Value.force"
        steps = (3, 0, 2, 1, 4)
        with closing(self.open()) as historian:
            historian.append([Reading(tag, float(step), _BEGIN + step) for step in steps])
            historian.append([Reading("b_1/Status.Value.force", 7.0, _BEGIN + 2.0)])
            table = historian.read(tag, _BEGIN + 1.0, _BEGIN + 4.0)
            none = historian.read("c_1/Status.Value.force", _BEGIN, _BEGIN + 9.0)
        require(table.columns == _COLUMNS, f"columns {_COLUMNS}, got {table.columns}")
        times = table["time"].to_list()
        require(times == [_BEGIN + step for step in (1, 2, 3)], f"times by order, got {times}")
        values = table["value"].to_list()
        require(values == [1.0, 2.0, 3.0], f"values 1 to 3, got {values}")
        require(none.columns == _COLUMNS and none.is_empty(), f"an empty table, got {none}")

    def test_texts_and_values_stand_in_columns_of_their_own(self) -> None:
        """A value is null for text, a text for anything else."""
        with closing(self.open()) as historian:
            historian.append(_READINGS)
            texts = historian.read("winding_1/Admin.StopReason", _BEGIN, _BEGIN + 9.0)
            states = historian.read("winding_1/Status.StateCurrent", _BEGIN, _BEGIN + 9.0)
            speeds = historian.read("winding_1/Status.CurMachSpeed", _BEGIN, _BEGIN + 9.0)
        require(texts["text"].to_list() == ["paper jam; 'é'", ""], f"texts, got {texts}")
        require(texts["value"].to_list() == [None, None], f"no values, got {texts}")
        require(states["value"].to_list() == [6.0], f"6.0, got {states}")
        require(states["text"].to_list() == [None], f"no text, got {states}")
        require(speeds["value"].to_list() == [11.75, None], f"11.75 and null, got {speeds}")
        qualities = [int(quality) for quality in speeds["quality"]]
        require(qualities == [0, 2], f"qualities 0 and 2, got {speeds}")

    def test_a_query_sees_everything_that_was_appended(self) -> None:
        """In the table readings."""
        with closing(self.open()) as historian:
            historian.append(_READINGS)
            counted = historian.query(
                "SELECT tag, count(*) AS n FROM readings GROUP BY tag ORDER BY tag"
            )
            columns = historian.query(
                'SELECT "row", tag, time, value, text, quality FROM readings'
            ).columns
        wanted = [
            ("winding_1/Admin.ProdProcessedCount", 1),
            ("winding_1/Admin.StopReason", 2),
            ("winding_1/Status.CurMachSpeed", 2),
            ("winding_1/Status.EquipmentInterlock.Starved", 1),
            ("winding_1/Status.StateCurrent", 1),
        ]
        require(counted.rows() == wanted, f"{wanted}, got {counted.rows()}")
        names = ["row", "tag", "time", "value", "text", "quality"]
        require(columns == names, f"columns {names}, got {columns}")

    def test_a_query_that_is_none_is_one_error(self) -> None:
        """The historian can be used afterwards."""
        with closing(self.open()) as historian:
            historian.append(_READINGS)
            with suppress(TelemetryError):
                historian.query("SELEKT nothing")
                require(is_true=False, what="TelemetryError from query()")
            n_rows = historian.query("SELECT count(*) AS n FROM readings")["n"].to_list()
        require(n_rows == [len(_READINGS)], f"{len(_READINGS)} rows, got {n_rows}")

    def test_what_was_acknowledged_is_there_after_opening_again(self) -> None:
        """Numbers of rows go on where they were."""
        with closing(self.open()) as historian:
            first = historian.append(_READINGS[:3])
        with closing(self.open()) as historian:
            second = historian.append(_READINGS[3:])
            kept = historian.after(0)
            new = historian.after(first)
            latest = historian.latest()
        require([reading for _, reading in kept] == [*_READINGS], f"{_READINGS}, got {kept}")
        require([reading for _, reading in new] == [*_READINGS[3:]], f"the new ones, got {new}")
        require(second > first, f"more than {first}, got {second}")
        require(len(latest) == len({reading.tag for reading in _READINGS}), f"all, got {latest}")

    def test_many_readings_are_kept(self) -> None:
        """More than one part of whatever the store has parts of."""
        n_rows, n_tags = 20_000, 50
        rows = [
            Reading(f"m_{i % n_tags}/Status.Value.x", float(i), _BEGIN + i) for i in range(n_rows)
        ]
        with closing(self.open()) as historian:
            for begin in range(0, n_rows, 1000):
                historian.append(rows[begin : begin + 1000])
            table = historian.read("m_7/Status.Value.x", _BEGIN, _BEGIN + n_rows)
            total = historian.query("SELECT sum(value) AS total FROM readings")["total"][0]
        wanted = pl.Series([float(i) for i in range(7, n_rows, n_tags)])
        require((table["value"] == wanted).all(), f"{len(wanted)} values, got {table}")
        require(total == n_rows * (n_rows - 1) / 2, f"the sum of all values, got {total}")

    def test_closing_can_be_repeated(self) -> None:
        """Clean shutdown."""
        historian = self.open()
        historian.append(_READINGS)
        historian.close()
        historian.close()
