"""Commands around a plant: what they refuse, and what they show of a store."""

import json
import os

import pytest

from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.twin.store import TwinStore

STATUS = {
    "line": "two-machine",
    "written": 0.0,
    "plant_time": 1_767_250_900.0,
    "counts": {"readings": 12, "duplicates": 3, "late": 0},
    "tags": {"n": 4, "never_seen": 0, "doubtful": ["a/b"], "n_doubtful": 1},
    "output": {"item": 7},
    "machines": [
        {
            "name": "first",
            "state": "blocked",
            "since": 1_767_250_800.0,
            "stop": "",
            "items": [4],
            "format": "item",
            "speed": None,
            "processed": 9,
            "defective": 1,
            "doubt": "",
        }
    ],
    "buffers": [{"name": "second", "level": 2, "capacity": 2}],
    "findings": [{"number": 1, "station": "first", "stage": "alarm", "text": "first: slower"}],
    "source": {"where": "mqtt://here", "is_connected": False, "counts": {}, "last_error": "gone"},
}


def test_plant_without_an_interface_says_how_to_give_one(call):
    result = call("plant", "two-machine", code=2)
    assert "Give --opcua opc.tcp://127.0.0.1:4840" in result.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "fast"])
def test_plant_refuses_a_speed_that_is_none(call, speed):
    result = call(
        "plant", "two-machine", "--opcua", "opc.tcp://127.0.0.1", "--speed", speed, code=2
    )
    assert f"--speed {speed}: must be a number above 0, or max" in result.stderr


def test_sync_without_a_mapping_says_how_to_propose_one(call):
    result = call("sync", "two-machine", "--source", "mqtt://127.0.0.1", "--store", "twin", code=2)
    assert "gigatwin connect browse mqtt://127.0.0.1 --line two-machine -o" in result.stderr


def test_only_one_process_follows_into_a_store(call, folder):
    tags = "tags:\n  a/Status.StateCurrent: {element: first, quantity: state}\n"
    (folder / "twin").mkdir()
    (folder / "twin" / "mapping.yaml").write_text(
        f"source: mqtt://127.0.0.1\nconfirmed_by: me\n{tags}"
    )
    sync = ("sync", "two-machine", "--source", "mqtt://127.0.0.1:9", "--store", "twin")
    historian = EmbeddedHistorian(folder / "twin" / "historian")
    try:
        assert f"process {os.getpid()} writes to this historian" in call(*sync, code=2).stderr
    finally:
        historian.close()
    assert not (folder / "twin" / "line.yaml").exists()


def test_browse_writes_no_mapping_without_a_factory(call):
    result = call("connect", "browse", "mqtt://127.0.0.1", "-o", "map.yaml", code=2)
    assert "give one with --line" in result.stderr


def test_confirm_refuses_a_mapping_for_another_factory(call, folder):
    text = "source: mqtt://here\ntags:\n  press/State: {element: press, quantity: state}\n"
    (folder / "map.yaml").write_text(text)
    result = call("connect", "confirm", "map.yaml", "--line", "two-machine", "--by", "me", code=2)
    assert "map.yaml:3" in result.stderr
    assert (folder / "map.yaml").read_text() == text


def test_confirm_signs_a_mapping_and_says_what_it_does_not_see(call, folder):
    text = (
        "source: mqtt://here\ntags:\n  a/Status.StateCurrent: {element: first, quantity: state}\n"
    )
    (folder / "map.yaml").write_text(text)
    result = call("connect", "confirm", "map.yaml", "--line", "two-machine", "--by", "Ada Lovelace")
    assert "1 tags confirmed by Ada Lovelace" in result.stdout
    assert "not seen: " in result.stdout
    assert 'confirmed_by: "Ada Lovelace"' in (folder / "map.yaml").read_text()


def test_status_of_no_store_says_where_one_comes_from(call, folder):
    assert "Start one with sync" in call("status", "--store", "nothing", code=2).stderr
    (folder / "empty").mkdir()
    assert "no status yet" in call("status", "--store", "empty", code=2).stderr


def test_status_shows_what_the_twin_said(call, folder):
    TwinStore(folder / "twin").keep_status(STATUS)
    shown = call("status", "--store", "twin").stdout
    for text in (
        "two-machine at mqtt://here: NOT CONNECTED",
        "the twin is not running",
        "12 readings, of these 3 duplicates",
        "blocked",
        "0:01:40",
        "7 of item",
        "Finding 1 (alarm): first: slower",
    ):
        assert text in shown
    assert json.loads(call("status", "--store", "twin", "--json").stdout) == STATUS
