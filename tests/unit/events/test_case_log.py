"""Logs of activities, good and bad."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.events.log_mapping import CaseMapping, read_case_mapping
from gigatwin.testing.generated_log import case_log_of

HEADER = "case,activity,machine,start,end"
PLAIN = f"""{HEADER}
a,cut,saw,2024-05-01 08:00:00,2024-05-01 08:00:20
b,cut,saw,2024-05-01 08:00:30,2024-05-01 08:00:50.5
a,drill,press,2024-05-01 08:00:25,2024-05-01 08:01:00
"""
LIFECYCLE = """part,step,station,event,time,result
a,cut,saw,start,0,
a,cut,saw,complete,20,ok
b,cut,saw,start,30,
a,drill,press,start,25,
b,cut,saw,complete,50,scrap
a,drill,press,complete,60,ok
"""


def written(folder: Path, text: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def message_of(path: Path, mapping: CaseMapping | None = None) -> str:
    with pytest.raises(TelemetryError) as caught:
        read_case_log(path, mapping)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message


def test_rows_with_begin_and_end_become_activities_in_order_of_begin(tmp_path):
    log = read_case_log(written(tmp_path, PLAIN))
    assert log.activities.rows() == [
        ("a", "cut", "saw", 0.0, 20.0, None),
        ("a", "drill", "press", 25.0, 60.0, None),
        ("b", "cut", "saw", 30.0, 50.5, None),
    ]
    assert log.origin == datetime(2024, 5, 1, 8, 0, tzinfo=UTC).replace(tzinfo=None)
    assert log.n_cases == 2
    assert log.warnings == ()


def test_what_was_guessed_is_told(tmp_path):
    log = read_case_log(written(tmp_path, PLAIN))
    assert "start: column 'start'" in log.guesses
    assert "outcome: no such column; failures are not learned" in log.guesses


def test_begins_and_ends_on_rows_of_their_own_are_joined(tmp_path):
    log = read_case_log(written(tmp_path, LIFECYCLE))
    assert log.activities.rows() == [
        ("a", "cut", "saw", 0.0, 20.0, True),
        ("a", "drill", "press", 25.0, 60.0, True),
        ("b", "cut", "saw", 30.0, 50.0, False),
    ]


def test_order_of_the_rows_does_not_matter(tmp_path):
    lines = LIFECYCLE.splitlines()
    shuffled = "\n".join([lines[0], *reversed(lines[1:])])
    ordered = read_case_log(written(tmp_path, LIFECYCLE, "ordered.csv"))
    other = read_case_log(written(tmp_path, shuffled, "shuffled.csv"))
    assert_frame_equal(ordered.activities, other.activities)


def test_repeated_activity_pairs_first_begin_with_first_end(tmp_path):
    text = (
        "case,activity,lifecycle,time\n"
        "a,cut,start,0\na,cut,start,5\na,cut,complete,8\na,cut,complete,15\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.activities.select("start", "end").rows() == [(0.0, 8.0), (5.0, 15.0)]


def test_lost_end_does_not_shift_the_later_pairs(tmp_path):
    text = (
        "case,activity,lifecycle,time\n"
        "a,cut,start,0\na,cut,start,100\na,cut,complete,108\na,cut,start,200\na,cut,complete,207\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.activities.select("start", "end").rows() == [(100.0, 108.0), (200.0, 207.0)]
    assert log.visits.select("start", "end").rows()[0] == (0.0, None)
    assert log.warnings == ("1 visit without an end kept, the end unknown",)


def test_lost_begin_leaves_a_visit_without_a_start_and_with_its_outcome(tmp_path):
    text = (
        "case,activity,machine,lifecycle,time,product,outcome\n"
        "a,cut,saw,complete,8,P,ok\na,drill,press,start,9,P,\na,drill,press,complete,15,P,bad\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.visits.rows() == [
        ("a", "cut", "saw", None, 0.0, True, "P", 2),
        ("a", "drill", "press", 1.0, 7.0, False, "P", 3),
    ]
    assert log.warnings == ("1 visit without a begin kept, the start unknown",)


def test_visits_at_the_same_moment_are_paired_in_turn(tmp_path):
    # One visit ends as the next, of no length, begins; a lost row elsewhere rules out counting.
    text = (
        "case,activity,lifecycle,time,n\na,cut,complete,5,1\na,cut,start,5,2\n"
        "a,cut,complete,5,3\na,cut,start,0,4\nb,cut,start,0,5\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.activities.select("start", "end").rows() == [(0.0, 5.0), (5.0, 5.0)]


@pytest.mark.parametrize(
    ("text", "halves", "warning"),
    [
        ("item,station,exit\na,s1,5\na,s2,9\n", [(None, 0.0), (None, 4.0)], "no begins"),
        ("item,station,timestamp\na,s1,5\na,s2,9\n", [(None, 0.0), (None, 4.0)], "no begins"),
        ("item,station,event,time\na,s1,exit,5\n", [(None, 0.0)], "no begins"),
        ("item,station,enter\na,s1,5\na,s2,9\n", [(0.0, None), (4.0, None)], "no ends"),
        ("item,station,event,time\na,s1,enter,5\n", [(0.0, None)], "no ends"),
    ],
)
def test_log_of_exits_or_entries_alone_gives_half_visits(tmp_path, text, halves, warning):
    log = read_case_log(written(tmp_path, text))
    assert log.visits.select("start", "end").rows() == halves
    assert log.activities.height == 0
    assert len(log.warnings) == 1
    assert warning in log.warnings[0]


def test_few_ends_before_their_begins_are_taken_as_unknown(tmp_path):
    rows = "".join(f"{case},cut,saw,{10 * case},{10 * case + 5}\n" for case in range(39))
    log = read_case_log(written(tmp_path, f"{HEADER}\n{rows}x,cut,saw,500,400\n"))
    assert log.visits.row(-1)[:5] == ("x", "cut", "saw", 500.0, None)
    assert log.warnings[0] == (
        "1 end before the begin taken as unknown (the first: row 41, the end 400 s, the begin "
        "500 s)"
    )


def test_rows_without_any_time_are_left_out_and_counted(tmp_path):
    log = read_case_log(written(tmp_path, f"{HEADER}\na,cut,saw,0,5\nb,cut,saw,,\n"))
    assert log.visits.height == 1
    assert log.warnings == ("1 row left out: no time in 'start' and 'end' (the first: row 3)",)


def test_blank_lines_are_no_rows(tmp_path):
    log = read_case_log(written(tmp_path, f"{HEADER}\n\na,cut,saw,0,5\n\n"))
    assert log.visits["row"].to_list() == [3]


def test_events_at_one_instant_and_one_case_are_read(tmp_path):
    log = read_case_log(written(tmp_path, f"{HEADER}\na,cut,saw,7,7\na,drill,press,7,7\n"))
    assert log.visits.select("start", "end").rows() == [(0.0, 0.0), (0.0, 0.0)]
    assert log.origin == 7.0


def test_further_columns_are_found_by_their_names(tmp_path):
    text = (
        "part id,station,start,end,Variant,Origin Resource,Destination Resource,Part 0,Part 1\n"
        "a,s1,0,1,V1,in,out,x,y\nb,s1,1,2,,,,z,\nc,s1,2,3,,,,,\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.visits.select("format", "origin", "destination", "parts").rows() == [
        ("V1", "in", "out", "x;y"),
        (None, None, None, "z"),
        (None, None, None, None),
    ]
    assert "parts: columns 'Part 0', 'Part 1'" in log.guesses


def test_gzipped_csv_reads_like_csv(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert read_case_log(path).visits.equals(read_case_log(written(tmp_path, PLAIN)).visits)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2/3/2023 08:00:00", "2/14/2023 08:00:20", 11 * 86400 + 20.0),
        ("14/2/2023 08:00", "1/3/2023 08:01", 15 * 86400 + 60.0),
        ("2/13/2023 11:59:59 AM", "2/13/2023 12:00:09 PM", 10.0),
    ],
)
def test_dates_with_slashes_are_read_as_all_values_allow(tmp_path, start, end, seconds):
    log = read_case_log(written(tmp_path, f"{HEADER}\na,cut,saw,{start},{end}\n"))
    assert log.activities["end"].to_list() == [seconds]


def test_ambiguous_dates_ask_for_their_form(tmp_path):
    path = written(tmp_path, f"{HEADER}\na,cut,saw,2/3/2023 08:00,4/3/2023 08:00\n")
    assert "'2/3/2023 08:00' can be month first or day first; give the form" in message_of(path)
    mapping = {"case": "case", "activity": "activity", "start": "start", "end": "end"}
    days = {
        form: read_case_log(path, CaseMapping(**mapping, date_format=form)).activities["end"][0]
        for form in ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M")
    }
    assert days == {"%m/%d/%Y %H:%M": 59 * 86400.0, "%d/%m/%Y %H:%M": 2 * 86400.0}


def test_local_times_of_a_zone_are_put_on_one_clock(tmp_path):
    # Berlin: forward on 2024-03-31 from 02:00 to 03:00, back on 2024-10-27 from 03:00 to 02:00.
    text = (
        f"{HEADER}\na,cut,saw,2024-03-31 01:30:00,2024-03-31 03:30:00\n"
        "b,cut,saw,2024-03-31 02:30:00,2024-03-31 03:45:00\n"
        "c,cut,saw,2024-10-27 01:30:00,2024-10-27 02:30:00\n"
    )
    mapping = CaseMapping(
        case="case", activity="activity", start="start", end="end", time_zone="Europe/Berlin"
    )
    log = read_case_log(written(tmp_path, text), mapping)
    lengths = log.activities.select(pl.col("end") - pl.col("start"))["end"].to_list()
    assert lengths == [3600.0, 900.0, 3600.0]
    assert log.origin == datetime(2024, 3, 31, 0, 30, tzinfo=UTC)
    assert log.warnings == (
        "1 time that the clock of Europe/Berlin showed twice: taken as the earlier",
        (
            "1 time that the clock of Europe/Berlin skipped: taken as on a clock that was not put "
            "forward"
        ),
    )


def test_unknown_time_zone_is_told(tmp_path):
    mapping = CaseMapping(
        case="case", activity="activity", start="start", end="end", time_zone="Mars/Olympus"
    )
    assert "'Mars/Olympus' is not known" in message_of(written(tmp_path, PLAIN), mapping)


def test_end_on_the_row_of_the_begin_is_preferred_to_the_time_of_the_end_row(tmp_path):
    text = (
        "case,activity,lifecycle,timestamp,operation_end_time\n"
        "a,cut,scheduled,2024-05-01T08:00:00,2024-05-01T08:00:01\n"
        "a,cut,start,2024-05-01T08:00:02,2024-05-01T08:00:12\n"
        "a,cut,complete,2024-05-01T08:00:13,2024-05-01T08:00:13\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.activities.select("start", "end").rows() == [(0.0, 10.0)]


def test_log_without_machines_takes_the_activity_as_machine(tmp_path):
    log = read_case_log(written(tmp_path, "case,activity,start,end\na,cut,0,3\n"))
    assert log.activities["machine"].to_list() == ["cut"]


def test_mapping_names_columns_rows_and_good_outcomes(tmp_path):
    text = "Teil;Schritt;von;bis;Art;Ergebnis\n1;A;0;4;x;iO\n2;A;5;8;x;niO\n3;A;6;9;y;iO\n"
    mapping = written(
        tmp_path,
        "case: Teil\nactivity: Schritt\nstart: von\nend: bis\noutcome: Ergebnis\n"
        "success: [iO]\nwhere: {Art: x}\n",
        "map.yaml",
    )
    log = read_case_log(written(tmp_path, text), read_case_mapping(mapping))
    assert log.activities.select("case", "end", "success").rows() == [
        ("1", 4.0, True),
        ("2", 8.0, False),
    ]
    assert log.guesses == ()


def test_numbers_in_a_mapping_are_taken_as_text(tmp_path):
    mapping = written(
        tmp_path, "case: c\nactivity: a\nstart: s\nend: e\nwhere: {line: [3, 4]}\n", "map.yaml"
    )
    log = tmp_path / "log.csv"
    log.write_text("c,a,s,e,line\nx,cut,0,1,3\ny,cut,2,3,5\n", encoding="utf-8")
    assert read_case_log(log, read_case_mapping(mapping)).activities["case"].to_list() == ["x"]


def test_offsets_are_converted_to_one_clock(tmp_path):
    text = (
        f"{HEADER}\na,cut,saw,2024-05-01T10:00:00+02:00,2024-05-01T08:00:20Z\n"
        "b,cut,saw,2024-05-01T03:01:00-05:00,2024-05-01T13:31:30.25+0530\n"
    )
    log = read_case_log(written(tmp_path, text))
    assert log.activities.select("start", "end").rows() == [(0.0, 20.0), (60.0, 90.25)]
    assert log.origin == datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["01.05.2024 08:00:20,5", "2024/05/01 08:00:20.5", "2024-05-01T08:00:20.500"]
)
def test_usual_ways_to_write_a_time_are_read(tmp_path, text):
    table = f'{HEADER}\na,cut,saw,2024-05-01 08:00,"{text}"\n'
    log = read_case_log(written(tmp_path, table))
    assert log.activities["end"].to_list() == [20.5]


def test_parquet_with_dates_reads_like_csv(tmp_path):
    from_csv = read_case_log(written(tmp_path, PLAIN))
    path = tmp_path / "log.parquet"
    pl.read_csv(tmp_path / "log.csv", try_parse_dates=True).write_parquet(path)
    from_parquet = read_case_log(path)
    assert_frame_equal(from_csv.activities, from_parquet.activities)
    assert from_csv.origin == from_parquet.origin


def test_generated_log_survives_writing_and_reading(tmp_path):
    log = case_log_of(n_cases=50)
    path = tmp_path / "log.csv"
    log.activities.write_csv(path)
    assert_frame_equal(read_case_log(path).activities, log.activities, abs_tol=1e-9)


def test_copied_rows_are_an_error_that_names_them(tmp_path):
    row = PLAIN.splitlines()[1]
    path = written(tmp_path, f"{PLAIN}{row}\n{row}\n")
    with pytest.raises(TelemetryError, match=r"row 5, 6: exact copies of earlier rows, 2 in all"):
        read_case_log(path, drop_duplicates=False)


def test_copied_rows_are_dropped_and_reported(tmp_path):
    row = PLAIN.splitlines()[1]
    path = written(tmp_path, f"{PLAIN}{row}\n{row}\n")
    log = read_case_log(path)
    assert log.activities.height == 3
    assert log.warnings == ("2 rows left out as exact copies of another (the first copied: row 2)",)


def test_activity_without_an_end_is_half_a_visit_and_reported(tmp_path):
    log = read_case_log(written(tmp_path, f"{HEADER}\na,cut,saw,0,5\nb,cut,saw,6,\n"))
    assert log.activities.height == 1
    assert log.visits.select("start", "end", "row").rows() == [(0.0, 5.0, 2), (6.0, None, 3)]
    assert log.warnings == ("1 visit without an end kept, the end unknown",)


def test_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(PLAIN, encoding="utf-8-sig")
    assert isinstance(read_case_log(path), CaseLog)


def test_missing_columns_are_told_with_those_there_are(tmp_path):
    message = message_of(written(tmp_path, "part,colour\n1,red\n"))
    assert "no column found for activity and start and end" in message
    assert "'part', 'colour'" in message


def test_column_of_ends_that_are_no_times_is_not_passed_over(tmp_path):
    path = written(tmp_path, "case,activity,start,end\na,cut,0,late\n")
    assert "no column found for end" in message_of(path)


def test_mapping_to_a_missing_column_is_told_with_those_there_are(tmp_path):
    mapping = CaseMapping(case="case", activity="activity", start="begin", end="end")
    message = message_of(written(tmp_path, PLAIN), mapping)
    assert "no column 'begin', which the mapping names" in message
    assert "'start', 'end'" in message


def test_unreadable_time_is_told_with_row_and_text(tmp_path):
    text = f"{PLAIN}c,cut,saw,2024-05-01 09:00:00,noon\nd,cut,saw,2024-05-01 09:00:00,1 pm\n"
    message = message_of(written(tmp_path, text))
    assert "row 5 column 'end': 'noon' is not a time (and 1 more rows)" in message
    assert "2024-05-31T14:05:09.5" in message


def test_day_that_does_not_exist_is_told(tmp_path):
    text = f"{HEADER}\na,cut,saw,2024-02-30 08:00:00,2024-03-01 08:00:00\n"
    assert "row 2 column 'start': '2024-02-30 08:00:00'" in message_of(written(tmp_path, text))


def test_days_of_a_spreadsheet_are_refused_and_seconds_are_not(tmp_path):
    days = [45444.0 + second / 86400.0 for second in range(0, 4000, 400)]
    rows = [f"c{k},cut,saw,{day:.9f},{day + 90 / 86400:.9f}" for k, day in enumerate(days)]
    message = message_of(written(tmp_path, "\n".join([HEADER, *rows]) + "\n"))
    assert "days of a spreadsheet" in message
    rows = [f"c{k},cut,saw,{45444 + 40.37 * k:.3f},{45470.11 + 40.37 * k:.3f}" for k in range(10)]
    assert read_case_log(written(tmp_path, "\n".join([HEADER, *rows]) + "\n")).n_cases == 10


def test_milliseconds_since_1970_are_refused(tmp_path):
    text = f"{HEADER}\na,cut,saw,1714550400000,1714550420000\n"
    assert "milliseconds" in message_of(written(tmp_path, text))


def test_end_before_begin_is_told_with_row_values_and_count(tmp_path):
    text = (
        f"{PLAIN}c,cut,saw,2024-05-01 09:00:10,2024-05-01 09:00:00\n"
        "d,cut,saw,2024-05-01 09:00:30,2024-05-01 09:00:20\n"
    )
    message = message_of(written(tmp_path, text))
    assert "row 5 columns 'start' and 'end'" in message
    assert "2024-05-01 09:00:00, is before the begin, 2024-05-01 09:00:10" in message
    assert "in 2 of 5 activities" in message


def test_times_with_and_without_offset_are_refused(tmp_path):
    text = (
        f"{HEADER}\na,cut,saw,2024-05-01 08:00:00,2024-05-01 08:00:20\n"
        "b,cut,saw,2024-05-01 08:01:00Z,2024-05-01 08:01:20\n"
    )
    message = message_of(written(tmp_path, text))
    assert "row 2 has no offset ('2024-05-01 08:00:00')" in message
    assert "row 3 has one ('2024-05-01 08:01:00Z')" in message


def test_columns_of_different_clocks_are_refused(tmp_path):
    text = f"{HEADER}\na,cut,saw,2024-05-01 08:00:00,2024-05-01 08:00:20Z\n"
    message = message_of(written(tmp_path, text))
    assert "'start' holds dates without an offset and column 'end' dates with an offset" in message


def test_empty_case_is_told_with_its_row(tmp_path):
    message = message_of(written(tmp_path, f"{PLAIN},cut,saw,2024-05-01 09:00,2024-05-01 09:01\n"))
    assert "row 5 column 'case': empty, in 1 row" in message


def test_outcomes_without_a_good_one_ask_for_a_mapping(tmp_path):
    mapping = CaseMapping(case="case", activity="activity", start="start", end="end", outcome="o")
    text = "case,activity,start,end,o\na,cut,0,1,fertig\n"
    message = message_of(written(tmp_path, text), mapping)
    assert "holds 'fertig', and none of" in message
    assert "success: [..]" in message


def test_where_that_fits_no_row_is_told_with_the_values_there_are(tmp_path):
    mapping = CaseMapping(
        case="case", activity="activity", start="start", end="end", where={"machine": "lathe"}
    )
    message = message_of(written(tmp_path, PLAIN), mapping)
    assert "column 'machine': no row with 'lathe'" in message
    assert "'saw', 'press'" in message


def test_log_without_any_time_is_refused(tmp_path):
    mapping = CaseMapping(case="case", activity="activity", start="time", end="until")
    text = "case,activity,time,until\na,cut,,\nb,cut,,\n"
    assert "row 2 column 'time' and 'until': no row has a time" in message_of(
        written(tmp_path, text), mapping
    )


def test_life_cycle_without_a_known_word_is_refused(tmp_path):
    mapping = CaseMapping(case="case", activity="activity", start="time", lifecycle="lc")
    text = "case,activity,lc,time\na,cut,los,1\nb,cut,fertig,2\n"
    assert "holds 'los', 'fertig'; needs rows with 'start'" in message_of(
        written(tmp_path, text), mapping
    )


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (b"", "log.csv", "the file is empty"),
        (f"{HEADER}\n".encode(), "log.csv", "but no rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "log.csv", "binary data"),
        (b"PK\x03\x04\x14\x00", "log.xlsx", "Excel workbook"),
        (PLAIN.encode("utf-16"), "log.csv", "UTF-16"),
        (b"case,activity,start,end\na,s\xe4gen,0,1\n", "log.csv", "UTF-8"),
        (b"case,activity,start,end\na,cut,0,1,2,3\n", "log.csv", "row 2 has 6 columns"),
        (PLAIN.encode(), "log.parquet", "does not begin as a Parquet file does"),
        (b"PAR1 and nothing else", "log.parquet", "damaged Parquet"),
    ],
)
def test_file_of_another_kind_is_refused(tmp_path, content, name, found):
    path = tmp_path / name
    path.write_bytes(content)
    assert found in message_of(path)


def test_missing_file_is_told(tmp_path):
    assert "cannot be opened" in message_of(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("case: [", "cannot be read"),
        ("- case", "holds list"),
        ("case: a\nactivity: b\nstart: c\nmachin: d\n", "machin: Extra inputs"),
        ("case: a\nactivity: b\n", "needs 'start' or 'end'"),
    ],
)
def test_faulty_mapping_is_told_with_its_file(tmp_path, text, found):
    path = written(tmp_path, text, "map.yaml")
    with pytest.raises(TelemetryError) as caught:
        read_case_mapping(path)
    assert str(path) in str(caught.value)
    assert found in str(caught.value)
