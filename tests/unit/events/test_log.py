import numpy as np
import polars as pl
import pytest

from gigatwin.compiler import compile_factory
from gigatwin.events import log
from gigatwin.events.log import EventLogWriter, event_table
from gigatwin.factory import load
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run

pytestmark = pytest.mark.compiled


def records_and_names():
    compiled = compile_factory(load("machine-repair"))
    run = Run(compiled, seed=2, trace=True)
    run.advance(3000.0)
    return run.records(), event_names(compiled)


def test_names_of_a_record_are_those_of_its_numbers():
    records, names = records_and_names()
    table = event_table(records, names)
    assert table["time"].to_list() == records["time"].tolist()
    assert table["kind"].to_list() == [names.kinds[k] for k in records["kind"]]
    assert table["machine"].to_list() == [names.machines[m] for m in records["machine"]]
    stops = table.filter(pl.col("kind") == "STOP")
    assert len(stops)
    assert all("." in detail for detail in stops["detail"])
    assert set(table.filter(pl.col("kind") == "LEAVE")["detail"]) == {"out"}


def test_log_written_in_parts_is_the_log_kept_in_memory(tmp_path, monkeypatch):
    records, names = records_and_names()
    monkeypatch.setattr(log, "_CHUNK", 50)
    monkeypatch.setattr(log, "_CHUNKS_KEPT", 2)
    path = tmp_path / "events.parquet"
    writer = EventLogWriter(names, path)
    for block in np.array_split(records, 17):
        writer.write(block)
    assert any(tmp_path.iterdir())
    assert not path.exists()
    assert writer.close() is None
    assert [found.name for found in tmp_path.iterdir()] == ["events.parquet"]
    assert pl.read_parquet(path).equals(event_table(records, names))


def test_discarded_log_leaves_nothing(tmp_path, monkeypatch):
    records, names = records_and_names()
    monkeypatch.setattr(log, "_CHUNK", 50)
    monkeypatch.setattr(log, "_CHUNKS_KEPT", 2)
    writer = EventLogWriter(names, tmp_path / "events.parquet")
    writer.write(records)
    writer.write(records)
    writer.discard()
    assert list(tmp_path.iterdir()) == []
