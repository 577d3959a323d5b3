import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory.durations import Distribution
from gigatwin.factory.reading import library_names, load, read_text
from gigatwin.factory.stations import DiscreteStation, WebStation
from gigatwin.units import Items, Length

HEAD = "name: line\nstations:\n"


def problems(text):
    with pytest.raises(FactoryError) as caught:
        read_text(text, "line.yaml")
    return str(caught.value).split("\n")


def test_quantities_become_si():
    factory = read_text(
        HEAD
        + """
  coat:
    kind: web
    rate: 60 m/min
    stops: {splice: {kind: planned, every: 200 km, duration: 5 min, startup_scrap: 60 m}}
  wind:
    rate: 12 ppm
    buffer: {capacity: 4, transfer: 30 s}
    scrap: 0.5 %
    stops:
      jam: {kind: micro_stop, every: 5000 items,
            duration: {distribution: gamma, mean: 30 s, cv: 1.2}}
"""
    )
    coat, wind = factory.stations["coat"], factory.stations["wind"]
    assert isinstance(coat, WebStation)
    assert coat.rate == 1.0
    assert coat.stops["splice"].every == Length(200_000.0)
    assert isinstance(wind, DiscreteStation)
    assert (wind.rate, wind.scrap, wind.buffer.transfer) == (0.2, 0.005, 30.0)
    assert wind.stops["jam"].every == Items(5000.0)
    assert isinstance(wind.stops["jam"].duration, Distribution)


def test_format_names_may_look_like_numbers():
    factory = read_text(
        "name: line\nformats: {4680: {}, 4695: {}}\n"
        "stations:\n  wind: {time: {by_format: {4680: 5 s, 4695: 6 s}}}\n"
        "orders: [{format: 4695, quantity: 3}]\n"
    )
    assert list(factory.formats) == ["4680", "4695"]
    assert factory.orders[0].format == "4695"


def test_words_that_yaml_1_1_takes_for_truth_stay_names():
    factory = read_text(
        HEAD + "  on: {time: 1 s, next: off}\n  off: {time: 1 s}\n  no: {time: 1 s}"
    )
    assert list(factory.stations) == ["on", "off", "no"]
    assert factory.stations["on"].next == "off"


def test_merge_keys_and_anchors_are_followed():
    factory = read_text(
        HEAD
        + "  a: &welder {time: 1 s, machines: 3, scrap: 0.1}\n"
        + "  b: {<<: *welder, scrap: 0.2}\n"
        + "  c: {<<: [{scrap: 0.3}, *welder]}\n"
    )
    a, b, c = factory.stations.values()
    assert isinstance(b, DiscreteStation)
    assert isinstance(c, DiscreteStation)
    assert (b.machines, b.time, a.scrap, b.scrap, c.scrap) == (3, 1.0, 0.1, 0.2, 0.3)


def test_line_of_a_merged_value_is_where_it_stands():
    found = problems(HEAD + "  a: &x\n    time: 1\n  b:\n    <<: *x\n")
    assert found == [
        "line.yaml:4 stations.a time: 1; needs a unit, e.g. '12 s'",
        "line.yaml:4 stations.b time: 1; needs a unit, e.g. '12 s'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line.yaml:1: an empty file; must be a description"),
        ("# nothing\n", "an empty file; must be a description"),
        ("- a\n", "line.yaml:1: a list; must be a mapping with the fields name and stations"),
        ("hello", "only text; must be a mapping"),
        ("name: x\n", "line.yaml:1 stations: missing; must be given"),
        ("name: x\nstations:\n", "line.yaml:2 stations: nothing; must be a mapping"),
        ("name: x\nstations: {}\n", "stations: a mapping; must have 1 or more entries"),
        ("name: [x\nstations: 3", "line.yaml:2: did not find expected ',' or ']'"),
        ("name: x\nstations:\n\ta: 1\n", "line.yaml:3: a tab at the beginning of the line"),
        ("name: a\x01\n", "line.yaml:1: a control character; must be plain text"),
        (HEAD + "  a: {time: 1 s}\n---\nb: 1\n", "line.yaml:4: a second document"),
        (HEAD + "  a: *b\n", "line.yaml:3: *b; has no anchor"),
        (HEAD + "  a: &a [*a]\n", "line.yaml:3: *a; has no anchor"),
        ("[" * 100_000, "line.yaml:1: must not be nested deeper than 40 levels"),
    ],
)
def test_what_is_no_description_is_refused(text, expected):
    found = problems(text)
    assert len(found) == 1
    assert expected in found[0].replace(":  ", ": ")


@pytest.mark.parametrize(
    ("station", "expected"),
    [
        ("time: 12", "stations.a time: 12; needs a unit, e.g. '12 s'"),
        ("time: 0", "stations.a time: 0; needs a unit"),
        ("time: -3 s", "stations.a time: -3 s; must be 0 s or more"),
        ("time: 3 kg", "stations.a time: 3 kg; must be a time, e.g. '12 s'"),
        ("tim: 3 s", "stations.a tim: unknown field; did you mean 'time'?"),
        ("{}", "stations.a: give either time or rate"),
        ("time: 1 s, rate: 3 ppm", "stations.a: give either time or rate"),
        ("kind: batsch, time: 1 s", "stations.a kind: batsch; must be a kind of station; "),
        ("kind: 7, time: 1 s", "stations.a kind: 7; must be one of discrete, assembly"),
        ("kind: assembly, time: 1 s", "stations.a: an assembly station needs inputs"),
        ("kind: web", "stations.a rate: missing; must be given"),
        ("kind: storage, capacity: 5, dwell: 1 h, machines: 2", "stations.a machines: unknown"),
        ("time: 1 s, machines: yes", "stations.a machines: yes; must be a valid integer"),
        ("time: 1 s, machines: 2.5", "stations.a machines: 2.5; must be a valid integer"),
        ("time: 1 s, machines: 0", "stations.a machines: 0; must be greater than or equal to 1"),
        ("time: 1 s, speed: fast", "stations.a speed: fast; must be a valid number"),
        ("time: 1 s, scrap: 3", "stations.a scrap: 3; must be 1 or less"),
        ("time: 1 s, scrap: [3]", "stations.a scrap: a list; must be a share"),
        ("time: {distribution: gamma, mean: 1 s}", "stations.a.time: a gamma distribution needs"),
        ("time: {distribution: gama, mean: 1 s, cv: 1}", "stations.a.time distribution: gama; "),
        ("time: {mean: 3 s, cv: 1}", "stations.a.time distribution: missing; must be given"),
        ("time: {lo: 3 s}", "stations.a time: a mapping; must be a time, e.g. '12 s', or a law"),
        ("time: [3 s]", "stations.a time: a list; must be a time"),
        ("time: {samples: []}", "stations.a.time samples: a list; must have 1 or more entries"),
        ("time: {samples: [1 s, 2]}", "stations.a.time.samples [1]: 2; needs a unit"),
        ("time: 1 s, buffer: {capacity: many}", "stations.a.buffer capacity: many; must be"),
        ("time: 1 s, repairs: al", "stations.a repairs: al; must be 'all'"),
        ("time: 1 s, next: 3.5", "stations.a next: 3.5; must be text"),
        ("time: 1 s, next: []", "stations.a next: a list; must have 1 or more entries"),
        (
            "time: 1 s, stops: {j: {kind: breakdown, every: 3 kg, duration: 1 min}}",
            "stations.a.stops.j every: 3 kg; must be a time ('8 h'), a number of items",
        ),
        (
            "time: 1 s, stops: {j: {kind: planned, every: -3 items, duration: 1 min}}",
            "stations.a.stops.j every: -3 items; must be more than 0 items",
        ),
        (
            "time: 1 s, stops: {j: {kind: brakedown, every: 3 h, duration: 1 min}}",
            "stations.a.stops.j kind: brakedown; must be 'breakdown', 'micro_stop' or 'planned'",
        ),
    ],
)
def test_one_mistake_gives_one_message_with_its_place(station, expected):
    text = station if station == "{}" else f"{{{station}}}"
    found = problems(f"{HEAD}  b: {{time: 1 s}}\n  a: {text}\n")
    assert len(found) == 1
    assert found[0].startswith(f"line.yaml:4 {expected}")


@pytest.mark.parametrize(
    ("station", "shown"), [("12", "12"), ("text", "text"), ("[1]", "a list"), ("null", "nothing")]
)
def test_station_that_is_no_mapping_is_refused(station, shown):
    assert problems(f"{HEAD}  a: {station}\n") == [
        f"line.yaml:3 stations a: {shown}; must be a mapping with the fields of a station"
    ]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file():
    text = HEAD + "  a:\n    time: 12\n    machins: 2\n  b:\n    rate: 3 kg\n  a: {}\n"
    found = problems(text)
    assert [line.split(" ")[0].rstrip(":") for line in found] == [
        "line.yaml:4",
        "line.yaml:5",
        "line.yaml:7",
        "line.yaml:8",
    ]
    assert "'a' for the second time; is given in line 3 already" in found[3]


def test_problem_knows_its_parts():
    with pytest.raises(FactoryError) as caught:
        read_text(HEAD + "  a:\n    time: 12\n", "line.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("line.yaml", 4)
    assert (problem.element, problem.field) == ("stations.a", "time")
    assert (problem.found, problem.required) == ("12", "needs a unit, e.g. '12 s'")


def test_tags_are_refused_and_nothing_is_executed():
    text = "name: !!python/object/apply:os.getcwd []\n" + "stations: {a: {time: 1 s}}"
    assert "is not supported; leave the tag out" in problems(text)[0]


def test_bomb_of_aliases_is_refused():
    levels = "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (found,) = problems("k0: &k0 [x, x, x]\n" + levels)
    assert "more than 3000000 values; must be fewer" in found


def test_chain_of_anchors_cannot_be_too_deep():
    chain = "".join(f"k{n}: &k{n} [*k{n - 1}]\n" for n in range(1, 60))
    assert "must not be nested deeper" in problems("k0: &k0 [x]\n" + chain)[0]


def test_million_stations_are_refused_before_they_are_all_read():
    text = HEAD + "".join(f"  a{n}: {{time: 1 s}}\n" for n in range(1_000_000))
    (found,) = problems(text)
    assert found.startswith("line.yaml:10003: more than 10000 in one mapping; must be 10000")


def test_text_of_more_than_50_mb_is_refused():
    assert "must be at most 50 MB" in problems("#" * 50_000_001)[0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "an empty file"),
        (b"name: \xff\xfe", "bytes that are not text; must be a text file in UTF-8"),
        (b"\x00\x01\x02", "a binary file; must be a text file in UTF-8"),
    ],
)
def test_file_that_is_no_text_is_refused(tmp_path, content, expected):
    path = tmp_path / "line.yaml"
    path.write_bytes(content)
    with pytest.raises(FactoryError, match=expected) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "line.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: line\nstations: {a: {time: 1 s}}\n")
    assert load(str(path)).name == "line"


def test_large_file_is_refused_without_being_read(tmp_path):
    path = tmp_path / "line.yaml"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(FactoryError, match="60 MB; must be at most 50 MB"):
        load(path)


def test_missing_file_names_the_templates(tmp_path):
    with pytest.raises(FactoryError, match=r"no such file; must exist; templates are: .*serial-10"):
        load(tmp_path / "line.yaml")


def test_folder_is_refused(tmp_path):
    with pytest.raises(FactoryError, match="a folder; must be a file"):
        load(tmp_path)


def test_misspelt_template_gets_a_suggestion():
    with pytest.raises(FactoryError, match="did you mean 'two-machine'"):
        load("two-machin")


@pytest.mark.parametrize("name", library_names())
def test_template_can_be_loaded(name):
    assert load(name).stations


def test_number_too_large_for_a_machine_word_is_refused():
    (found,) = problems(f"{HEAD}  a: {{time: 1 s, buffer: {{capacity: {10**30}}}}}\n")
    assert "stations.a.buffer capacity: 1000000" in found
    assert found.endswith("must be less than or equal to 1000000000")
