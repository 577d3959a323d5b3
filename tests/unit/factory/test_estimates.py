"""Learned numbers keep their interval and provenance, beside the number they are about."""

import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.reading import read_text
from gigatwin.factory.writing import to_yaml

LEARNED = """
name: learned
formats: {A: {}, B: {}}
resources: {team: {capacity: 2, estimates: {capacity: {value: 2, low: 2, n: 9, method: m}}}}
stations:
  a:
    time:
      distribution: gamma
      mean: 12 s
      cv: 0.3
      estimates:
        mean: {value: 12, low: 11.5, high: 12.5, unit: s, n: 480, method: "likelihood: 'gamma'"}
        cv: {value: 0.3, low: 0.28, high: 0.32, n: 480, method: moments}
    defects: {pore: 2 %}
    stops:
      jam:
        kind: micro_stop
        every: 10 min
        duration:
          samples: [10 s, 20 s]
          estimates: {mean: {value: 15, low: 10, high: 20, n: 2, method: mean}}
        estimates: {every: {value: 600, low: 500, high: 700, unit: s, n: 30, method: counted}}
    estimates:
      defects.pore: {value: 0.02, low: 0.01, high: 0.03, n: 1000, method: share}
    next:
      - {to: b, share: 0.3, estimates: {share: {value: 0.3, low: 0.2, high: 0.4, n: 99, method: m}}}
      - {to: c, share: 0.7}
  b:
    time: {by_format: {A: 12 s, B: 10 s}}
    estimates: {time.by_format.A: {value: 12, low: 11, high: 12.2, n: 9, method: mean}}
    buffer:
      capacity: 7
      estimates: {capacity: {value: 7, low: 7, n: 1, method: most seen, is_identified: false}}
    next: out
  c: {time: 5 s, buffer: {capacity: 2}}
"""
FACTORY = read_text(LEARNED)


def problem(old, new):
    assert LEARNED.count(old) == 1
    with pytest.raises(FactoryError) as caught:
        read_text(LEARNED.replace(old, new))
    return str(caught.value)


def test_learned_factory_reads_back_equal():
    assert read_text(to_yaml(FACTORY)) == FACTORY


def test_estimates_stand_after_the_values_each_on_one_line():
    lines = [line.strip() for line in to_yaml(FACTORY).splitlines()]
    at = lines.index("mean: 12 s")
    assert lines[at + 1 : at + 5] == [
        "cv: 0.3",
        "estimates:",
        (
            "mean: {value: 12.0, low: 11.5, high: 12.5, unit: s, n: 480, "
            "method: 'likelihood: ''gamma'''}"
        ),
        "cv: {value: 0.3, low: 0.28, high: 0.32, n: 480, method: moments}",
    ]


def test_long_estimate_stays_on_its_line():
    law = FACTORY.stations["a"].time
    method = "a method with a long name, " * 20
    changed = law.estimates["mean"].model_copy(update={"method": method, "rows": "2-9 (8 rows)"})
    text = to_yaml(with_changes(FACTORY, {"a.time.estimates.mean": changed}))
    (line,) = [line for line in text.splitlines() if "a long name" in line]
    assert line.count("a long name") == 20
    assert line.endswith("rows: 2-9 (8 rows)}")


def test_numbers_are_kept_to_six_digits():
    estimate = Estimate(value=1 / 3, low=1e-9 / 7, high=123456789.0, n=4, method="mean")
    assert (estimate.value, estimate.low, estimate.high) == (0.333333, 1.42857e-10, 123457000.0)


def test_estimate_of_a_number_changed_by_hand_is_a_finding():
    assert problem("mean: 12 s", "mean: 14 s") == (
        "text:12 stations.a.time.estimates mean: estimate of 12 s, but mean is 14 s; must agree to "
        "1 %; if the number was changed by hand, remove its estimate, or give the one that belongs "
        "to it"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("defects.pore:", "defects.pure:", "did you mean 'defects.pore'?"),
        (
            "defects.pore: {v",
            "buffer: {v",
            "must stand with its number: in the estimates of buffer",
        ),
        ("defects.pore: {v", "time: {v", "estimate of 0.02, but time is 12"),
        ("estimates: {every:", "estimates: {evry:", "did you mean 'every'?"),
        ("estimates: {mean: {value: 15", "estimates: {cv: {value: 15", "known: mean"),
        ("capacity: 7\n", "capacity: unlimited\n", "must be the name of a number beside it"),
        ("[10 s, 20 s]", "[10 s, 30 s]", "estimate of 15, but mean is 20"),
        ("low: 11.5", "low: 12.5", "must be low <= value <= high"),
        ("time.by_format.A:", "time.by_format.C:", "did you mean 'time.by_format.B'?"),
    ],
)
def test_estimate_that_does_not_fit_is_a_finding(old, new, expected):
    assert expected in problem(old, new)


def test_agreement_to_one_per_cent_is_enough():
    assert read_text(LEARNED.replace("mean: 12 s", "mean: 12.1 s")).stations["a"].time.mean == 12.1


def test_changed_number_loses_its_estimate_and_no_other():
    changed = with_changes(FACTORY, {"a.time.mean": "14 s"})
    assert list(changed.stations["a"].time.estimates) == ["cv"]
    back = with_changes(
        changed,
        {"a.time.mean": "12 s", "a.time.estimates": FACTORY.stations["a"].time.estimates},
    )
    assert back == FACTORY


@pytest.mark.parametrize(
    ("changes", "element", "left"),
    [
        ({"a.time": "14 s"}, lambda f: f.stations["a"], ["defects.pore"]),
        ({"a.defects": {"pore": 0.5}}, lambda f: f.stations["a"], []),
        ({"a.defects.pore": "3 %"}, lambda f: f.stations["a"], []),
        ({"a.stops.jam.every": "1 min"}, lambda f: f.stations["a"].stops["jam"], []),
        (
            {"a.stops.jam.duration.samples": ["3 s"]},
            lambda f: f.stations["a"].stops["jam"].duration,
            [],
        ),
        ({"a.next.0.share": 0.4, "a.next.1.share": 0.6}, lambda f: f.stations["a"].next[0], []),
        ({"b.time.by_format.A": "9 s"}, lambda f: f.stations["b"], []),
        ({"b.time.by_format.B": "9 s"}, lambda f: f.stations["b"], ["time.by_format.A"]),
        ({"b.rate": "5 ppm"}, lambda f: f.stations["b"], []),
        ({"b.buffer.capacity": 9}, lambda f: f.stations["b"].buffer, []),
        ({"b.buffer.transfer": "9 s"}, lambda f: f.stations["b"].buffer, ["capacity"]),
        ({"resources.team.capacity": 9}, lambda f: f.resources["team"], []),
    ],
)
def test_change_drops_the_estimates_of_what_it_replaces(changes, element, left):
    assert list(element(with_changes(FACTORY, changes)).estimates) == left


def test_parameter_set_named_uncertain_is_refused():
    text = LEARNED + "parameter_sets: {uncertain: {a.speed: 2}}\n"
    with pytest.raises(FactoryError, match=r"parameter_sets\.uncertain: 'uncertain'; is a word of"):
        read_text(text)
