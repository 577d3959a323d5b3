import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory.checks import check
from gigatwin.factory.factory import Factory
from gigatwin.factory.reading import read_text
from gigatwin.factory.stations import DiscreteStation

HEAD = "name: line\n"


def problems(text):
    with pytest.raises(FactoryError) as caught:
        read_text(HEAD + text, "line.yaml")
    return str(caught.value).split("\n")


def stations(*lines):
    return "stations:\n" + "".join(f"  {line}\n" for line in lines)


A = "a: {time: 1 s}"
FORMATS = "formats: {A: {}, B: {}}\n"
ORDERS = "orders: [{format: A, quantity: 1}, {format: B, quantity: 1}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            stations("wind: {time: 1 s, next: wled}", "weld: {time: 1 s}"),
            "line.yaml:3 stations.wind next: wled; must be a station; did you mean 'weld'?",
        ),
        (
            stations("a: {time: 1 s, next: [{to: b}]}", "c: {time: 1 s}"),
            "line.yaml:3 stations.a.next[0] to: b; must be a station; known: a, c, out",
        ),
        (
            stations("a: {time: 1 s, next: {shortest: [b, out]}}", "b: {time: 1 s}"),
            "line.yaml:3 stations.a.next.shortest [1]: out; must be a station",
        ),
        (
            stations("a: {time: 1 s, next: {shortest: [b, b]}}", "b: {time: 1 s}"),
            "line.yaml:3 stations.a.next shortest: a station twice; must be different stations",
        ),
        (
            stations(
                "a: {time: 1 s, next: b.cam}", "b: {kind: assembly, time: 1 s, inputs: {can: {}}}"
            ),
            "line.yaml:3 stations.a next: b.cam; must be an input of b; did you mean 'b.can'?",
        ),
        (
            stations(A, "b: {kind: assembly, time: 1 s, inputs: {can: {}}}"),
            "line.yaml:4 stations.b.inputs.can: is fed by nothing",
        ),
        (
            stations("i: {kind: inspection, time: 1 s, finds: {rework: r}}", A),
            "line.yaml:3 stations.i.finds rework: r; must be a station",
        ),
        (
            stations("a: {time: 1 s, operators: {resource: crew}}"),
            "line.yaml:3 stations.a.operators resource: crew; must be a resource; there are none",
        ),
        (
            stations(A) + "orders: [{format: B, quantity: 1}]\n",
            "line.yaml:4 orders[0] format: B; must be a format; known: item",
        ),
        (
            stations(A) + "arrivals: {x: {interval: 1 s, formats: {B: 1}, next: a}}\n",
            "line.yaml:4 arrivals.x.formats B: B; must be a format",
        ),
        (
            stations(A) + "arrivals: {x: {interval: 1 s, formats: {item: 0.5}, next: a}}\n",
            "line.yaml:4 arrivals.x formats: shares with a sum of 0.5; must sum to 1",
        ),
        (
            stations(A) + "arrivals: {x: {interval: 1 s, next: out}}\n",
            "line.yaml:4 arrivals.x next: out; must be a station",
        ),
        (
            stations("a: {time: 1 s, next: [{to: b, share: 0.5}, {to: out, share: 0.4}]}", A[:0])
            + "  b: {time: 1 s}\n",
            "line.yaml:3 stations.a next: shares with a sum of 0.9 for item; must sum to 1",
        ),
        (
            FORMATS
            + stations("a: {time: 1 s, next: [{to: b}, {to: out, share: 0.5, formats: [B]}]}")
            + "  b: {time: 1 s}\n"
            + ORDERS,
            "line.yaml:4 stations.a next: shares with a sum of 1.5 for B; must sum to 1",
        ),
        (
            FORMATS
            + stations("a: {time: 1 s, next: [{to: b, formats: [A]}]}", "b: {time: 1 s}")
            + ORDERS,
            "line.yaml:4 stations.a next: no way for B; must have one for every format that comes",
        ),
        (
            FORMATS + stations("a: {time: 1 s, next: [{to: out, formats: [A, C]}]}"),
            "line.yaml:4 stations.a.next[0].formats [1]: C; must be a format; known: A, B",
        ),
        (
            FORMATS + stations("a: {time: {by_format: {A: 1 s}}}"),
            "line.yaml:4 stations.a.time by_format: nothing for B; must have a value for every",
        ),
        (
            FORMATS + stations("a: {time: {by_format: {A: 1 s, B: 1 s, C: 1 s}}}"),
            "line.yaml:4 stations.a.time.by_format C: C; must be a format; known: A, B",
        ),
        (
            "resources: {crew: {capacity: 2}}\n"
            + stations("a: {time: 1 s, operators: {resource: crew, quantity: 3}}"),
            "line.yaml:4 stations.a.operators quantity: 3 of crew; must be 2 at most",
        ),
        (
            "resources: {crew: {capacity: 9, shifts: {steps: [{at: 0 s, capacity: 2}]}}}\n"
            + stations("a: {time: 1 s, operators: {resource: crew, quantity: 3}}"),
            "line.yaml:4 stations.a.operators quantity: 3 of crew; must be 2 at most",
        ),
        (
            stations(A, "b: {kind: batch, size: 4, minimum: 5, time: 1 s, buffer: {capacity: 9}}"),
            "line.yaml:4 stations.b minimum: 5; must be at most the size of a batch (4)",
        ),
        (
            stations(A, "b: {kind: batch, size: 4, time: 1 s, buffer: {capacity: 3}}"),
            "line.yaml:4 stations.b.buffer capacity: 3; must be 4 or more, or no batch ever starts",
        ),
        (
            stations(A, "b: {time: 1 s, buffer: {transfer: 3 s}}"),
            "line.yaml:4 stations.b.buffer capacity: 0; must be 1 or more where there is a",
        ),
        (
            "resources: {cart: {}}\n"
            + stations(A, "b: {time: 1 s, buffer: {capacity: 1, vehicle: {resource: cart}}}"),
            "line.yaml:5 stations.b.buffer transfer: missing; must be given for a vehicle",
        ),
        (
            stations("out: {time: 1 s}"),
            "line.yaml:3 stations.out: 'out'; is where finished items go",
        ),
        (
            stations("'a b': {time: 1 s}"),
            "line.yaml:3 stations.a b: 'a b'; must be a name without dots and spaces",
        ),
        (
            stations("a.b: {time: 1 s}"),
            "line.yaml:3 stations.a.b: 'a.b'; must be a name without dots and spaces",
        ),
        (
            stations("a: {time: 1 s, next: b}", "b: {time: 1 s, next: b}"),
            "line.yaml:2 stations: must lead to 'out'; nothing ever leaves the factory",
        ),
        (
            stations("a: {time: 1 s, changeover: {time: 1 min, initial_format: X}}"),
            "line.yaml:3 stations.a.changeover initial_format: X; must be a format",
        ),
        (
            stations("i: {kind: inspection, time: 1 s, finds: {defects: {burr: 1}}}"),
            "line.yaml:3 stations.i.finds.defects burr: burr; must be a defect that a station",
        ),
        (
            stations("a: {time: 1 s, defects: {burr: 0.1}, repairs: [bur]}"),
            "line.yaml:3 stations.a.repairs [0]: bur; must be a defect that a station makes; did",
        ),
        (
            stations("a: {time: 1 s, stops: {p: {kind: planned, every: 1 h, duration: 60 min}}}"),
            "line.yaml:3 stations.a.stops.p duration: 1 h every 1 h; must be shorter",
        ),
        (
            stations(
                "a: {time: 1 s, output: {content: 2900 kg}, next: b.foil}",
                "c: {time: 1 s, next: b}",
                "b: {kind: assembly, time: 1 s, inputs: {foil: {per_item: 3.9 m}}}",
            ),
            "line.yaml:5 stations.b.inputs.foil per_item: a content in m; must be in kg",
        ),
        (
            stations("a: {time: 1 s, machines: 60000}", "b: {time: 1 s, machines: 60000}"),
            "line.yaml:2 stations: 120000 machines in all; must be 100000 at most",
        ),
        (
            stations(A) + "parameter_sets: {fast: {a.sped: 2}}\n",
            "line.yaml:4 parameter_sets.fast a.sped: sped; must be a field or name in stations.a",
        ),
        (
            stations("a: {time: 1 s, next: a}") + "arrivals: {x: {interval: 1 s, next: a}}\n",
            "line.yaml:2 stations: must lead to 'out'; nothing ever leaves the factory",
        ),
        (
            stations("a: {time: 1 s}")
            + "arrivals: {x: {interval: 1 s, next: a}}\n"
            + "orders: [{format: item, quantity: 1}]\n",
            "line.yaml:5 orders: 1 orders; need a station that nothing leads to",
        ),
    ],
)
def test_what_does_not_fit_is_reported_once_with_its_place(text, expected):
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].replace(":  ", ": ").startswith(expected)


def test_circle_that_nothing_leads_into_is_reported():
    found = problems(
        stations("a: {time: 1 s, next: out}", "b: {time: 1 s, next: c}", "c: {time: 1 s, next: b}")
    )
    assert [line.split(": ", 1)[0] for line in found] == [
        "line.yaml:4 stations.b",
        "line.yaml:5 stations.c",
    ]
    assert all("is never reached" in line for line in found)


def test_stations_without_a_way_out_are_reported():
    found = problems(
        stations(
            "a: {time: 1 s, next: [{to: b, share: 0.5}, {to: out, share: 0.5}]}",
            "b: {time: 1 s, next: c}",
            "c: {time: 1 s, next: b}",
        )
    )
    assert [line.split(": ", 1)[0] for line in found] == [
        "line.yaml:4 stations.b",
        "line.yaml:5 stations.c",
    ]
    assert all("never leave the factory" in line for line in found)


def test_changeover_times_must_name_two_known_formats_once():
    found = problems(
        FORMATS
        + stations(
            "a: {time: 1 s, changeover: {time: 1 h, times: ["
            "{from_format: A, to_format: A, time: 1 h}, "
            "{from_format: A, to_format: B, time: 1 h}, "
            "{from_format: A, to_format: B, time: 2 h}, "
            "{from_format: A, to_format: X, time: 1 h}]}}"
        )
    )
    assert ["must be two formats" in line for line in found] == [True, False, False]
    assert "is given twice" in found[1]
    assert "to_format: X; must be a format" in found[2]


def test_rework_without_a_repair_is_reported():
    lines = (
        "a: {time: 1 s, defects: {burr: 0.1}}",
        "i: {kind: inspection, time: 1 s, finds: {rework: r}, next: out}",
        "r: {time: 1 s, next: i%s}",
    )
    text = stations(*lines)
    (found,) = problems(text % "")
    assert "stations.i.finds rework: r; must repair something before items come back" in found
    assert read_text(HEAD + text % ", repairs: all").stations


def test_format_that_never_comes_needs_no_route():
    text = FORMATS + stations("a: {time: 1 s, next: [{to: out, formats: [A]}]}")
    assert read_text(HEAD + text).stations


def test_batch_at_the_start_needs_no_buffer():
    text = stations("a: {kind: batch, size: 4, time: 1 s}")
    assert read_text(HEAD + text).stations


def test_factory_made_in_python_is_checked_on_request():
    factory = Factory(name="line", stations={"a": DiscreteStation(time=1.0, next="b")})
    with pytest.raises(FactoryError, match=r"^factory stations.a next: b; must be a station"):
        check(factory)
    check(Factory(name="line", stations={"a": DiscreteStation(time=1.0)}))
