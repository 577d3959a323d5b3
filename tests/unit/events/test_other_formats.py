"""Logs in XES, in OCEL 2.0 and as lines of an MTConnect adapter."""

import gzip
import json

import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import read_case_log
from gigatwin.events.log_files import read_table
from gigatwin.events.log_mapping import CaseMapping
from gigatwin.events.shdr import shdr_table
from gigatwin.events.state_guesses import sniff

EVENT = """<event><string key="concept:name" value="{0}"/><string key="org:resource" value="{1}"/>
<date key="time:timestamp" value="2024-05-01T08:00:{2:02}.000+02:00"/>
<string key="lifecycle:transition" value="{3}"/><int key="n" value="7"><string key="in" value="x"/>
</int></event>"""
XES = f"""<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
<global scope="event"><string key="concept:name" value="none"/></global>
<trace><string key="concept:name" value="part &amp; 1"/><string key="product" value="P"/>
{EVENT.format("cut", "saw", 1, "start")}{EVENT.format("cut", "saw", 9, "complete")}</trace>
<trace><string key="concept:name" value="part 2"/>{EVENT.format("cut", "saw", 10, "complete")}
</trace></log>"""
OCEL = {
    "objectTypes": [],
    "eventTypes": [],
    "objects": [
        {"id": "c1", "type": "cell", "attributes": [{"name": "format", "value": "46"}]},
        {"id": "c2", "type": "cell"},
        {"id": "j1", "type": "jelly roll"},
        {"id": "saw", "type": "Machine"},
    ],
    "events": [
        {
            "id": str(number),
            "type": "insert",
            "time": f"2024-05-01T08:00:{second:02}Z",
            "attributes": [{"name": "lifecycle", "value": word}],
            "relationships": [{"objectId": name, "qualifier": ""} for name in objects],
        }
        for number, (second, word, objects) in enumerate(
            [
                (0, "start", ["c1", "j1", "saw"]),
                (4, "complete", ["c1", "saw"]),
                (5, "start", ["c2", "saw"]),
                (7, "complete", ["c2", "saw"]),
                (8, "start", ["j1"]),
            ]
        )
    ],
}


def written(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_xes_reads_as_visits(tmp_path):
    log = read_case_log(written(tmp_path / "log.xes", XES))
    assert log.visits.rows() == [
        ("part & 1", "cut", "saw", 0.0, 8.0, None, "P", 1),
        ("part 2", "cut", "saw", None, 9.0, None, None, 3),
    ]
    packed = written(tmp_path / "log.xes.gz", gzip.compress(XES.encode()))
    assert read_case_log(packed).visits.equals(log.visits)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (XES[:600], "not readable as XML"),
        ('<!DOCTYPE log [<!ENTITY a "aaaa">]><log>&a;</log>', "has a document type"),
        ("<log></log>", "is XML with <log>, 0 events"),
        ("<html><event/></html>", "is XML with <html>"),
        ('{"events": [', "not readable as JSON"),
        ('{"events": []}', "KeyError 'objects'"),
        (json.dumps({**OCEL, "events": [{"id": 1}]}), "KeyError 'type'"),
        (json.dumps({**OCEL, "events": OCEL["events"][4:]} | {"objects": []}), "no objects but"),
    ],
)
def test_faulty_files_are_told(tmp_path, content, found):
    path = written(tmp_path / "log", content)
    with pytest.raises(TelemetryError) as caught:
        read_case_log(path)
    assert str(caught.value).startswith(str(path))
    assert found in str(caught.value)


def test_damaged_gzip_is_told(tmp_path):
    path = written(tmp_path / "log.xes.gz", gzip.compress(XES.encode())[:-20])
    with pytest.raises(TelemetryError, match=r"log\.xes\.gz"):
        read_case_log(path)


def test_ocel_is_read_from_the_type_of_object_in_most_events(tmp_path):
    log = read_case_log(written(tmp_path / "log.json", json.dumps(OCEL)))
    assert log.visits.drop("row").rows() == [
        ("c1", "insert", "saw", 0.0, 4.0, None, "46", "j1"),
        ("c2", "insert", "saw", 5.0, 7.0, None, None, None),
    ]
    assert log.warnings == (
        "object_type: 'cell', in 4 of 5 events",
        "1 events without an object of type 'cell' left out",
    )


def test_ocel_of_another_type_is_read_on_request(tmp_path):
    path = written(tmp_path / "log.json", json.dumps(OCEL))
    mapping = CaseMapping(
        case="case",
        activity="activity",
        start="timestamp",
        lifecycle="lifecycle",
        object_type="jelly roll",
    )
    log = read_case_log(path, mapping)
    assert log.visits.select("case", "start", "end").rows() == [
        ("j1", 0.0, None),
        ("j1", 8.0, None),
    ]
    with pytest.raises(TelemetryError, match=r"no object of type 'lot'.* has 'Machine', 'cell'"):
        read_case_log(path, mapping.model_copy(update={"object_type": "lot"}))


def test_lines_of_an_adapter_hold_pairs_conditions_and_messages():
    lines = (
        b"2017-02-03T10:00:00Z|execution|ACTIVE|mode|AUTOMATIC\n* adapterVersion: 2\n\n"
        b"2017-02-03T10:00:01Z|servo_cond|Fault|12|HIGH||AXIS|estop|ARMED\n"
        b"2017-02-03T10:00:02Z|message|code|text\n"
    )
    assert shdr_table(lines, "day.txt").select("item", "value").rows() == [
        ("execution", "ACTIVE"),
        ("mode", "AUTOMATIC"),
        ("servo_cond", "Fault|12|HIGH||AXIS"),
        ("estop", "ARMED"),
        ("message", "code|text"),
    ]


def test_line_that_is_none_is_told(tmp_path):
    path = written(tmp_path / "day.txt", "2017-02-03T10:00:00Z|execution|ACTIVE\nnonsense\n")
    with pytest.raises(TelemetryError, match="row 2: 'nonsense'; needs"):
        read_table(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (XES, "cases"),
        (json.dumps(OCEL), "cases"),
        ("case,activity,start,end\na,cut,0,1\n", "cases"),
        ("part,station,status,start,end\na,cut,ok,0,1\n", "cases"),
        ("machine,start,end,status\na,0,1,Idle\na,1,2,Running\n", "states"),
        ("timestamp,item,value\n2024-01-01T00:00:00Z,execution,ACTIVE\n", "shdr"),
        ("2024-01-01T00:00:00Z|execution|ACTIVE\n", "shdr"),
        ("time,machine,kind,state,item\n0,m,START,EXECUTING,1\n", "events"),
    ],
)
def test_kind_of_a_file_is_told_by_its_content(tmp_path, content, kind):
    assert sniff(written(tmp_path / "log", content)) == kind
