import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.equipment.description.formulas import (
    Formula,
    FormulaError,
    compile_formula,
    read_measure,
)
from gigatwin.equipment.description.measures import measure, same_kind
from gigatwin.equipment.model.code import Code
from gigatwin.factory.findings import Findings

KNOWN = {
    "vf": "0.3 m/s", "tau": "0.1 s", "height": "80 mm", "a": "2 m/s^2", "h": "3 m", "n": "4"
}  # fmt: skip


def value(text):
    """Return the value of a formula over these names."""
    quantities = {name: measure(text) for name, text in KNOWN.items()}
    return compile_formula(text, quantities).quantity(quantities)


def message(text):
    with pytest.raises(FormulaError) as caught:
        value(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "si", "unit"),
    [
        ("3", 3.0, "%"),
        (".5 m + 5. cm", 0.55, "m"),
        ("1e-3 m", 0.001, "m"),
        ("5 min", 300.0, "s"),
        ("90 mm/min", 0.0015, "m/s"),
        ("6 ml/min / (2 ml)", 0.05, "Hz"),
        ("1100 rpm", 1100 * 2 * math.pi / 60, "rad/s"),
        ("0.1 mm/rev", 1e-4 / (2 * math.pi), "m"),
        ("1 turn", 2 * math.pi, "rad"),
        ("45 deg", math.pi / 4, "rad"),
        ("45 °", math.pi / 4, "rad"),
        ("8 ml/s", 8e-6, "m^3/s"),
        ("3 m/s²", 3.0, "m/s^2"),
        ("3 m/s^2", 3.0, "m/s^2"),
        ("2 m³", 2.0, "m^3"),
        ("3 µm", 3e-6, "m"),
        ("3 μm", 3e-6, "m"),
        ("2 kg*m^2", 2.0, "kg*m^2"),
        ("2 kg·m²", 2.0, "kg*m^2"),
        ("100 m/s/s", 100.0, "m/s^2"),
        ("50 %", 0.5, "%"),
        ("50%", 0.5, "%"),
        ("5 kWh", 1.8e7, "J"),
        ("3 bar", 3e5, "Pa"),
    ],
)
def test_numbers_with_units_become_si(text, si, unit):
    found = value(text)
    assert found.magnitude == pytest.approx(si, rel=1e-14)
    assert same_kind(found, measure(f"1 {unit}"))


@pytest.mark.parametrize(
    ("text", "si"),
    [
        ("0.15 m / vf", 0.5),
        ("0.15 m / vf + 2 * tau", 0.7),
        ("6 m / h", 2.0),
        ("3 m * a / a", 3.0),
        ("6 m / min(h, 2 m)", 3.0),
        ("6 m / max (h, 2 m)", 2.0),
        ("height / 80 mm", 1.0),
        ("1.2 / 3 m", 0.4),
        ("2 m^2 / h", 2 / 3),
        ("n^2 - -n", 20.0),
        ("-n^2", -16.0),
        ("2^n^0.5", 4.0),
        ("(height / (40 mm))^1.2", 2**1.2),
        ("sqrt(4 m * h) ^ 2", 12.0),
        ("exp(log(n))", 4.0),
        ("over(h - 2 m)", 1.0),
        ("over(2 m - h)", 0.0),
        ("whole(n / 3)", 1.0),
        ("whole((0.1 + 0.7) * 10)", 8.0),
        ("min(n, 7, 2)", 2.0),
        ("max(n)", 4.0),
        ("roll_length(2 mm, 22 mm, 0.37 mm)", 480e-6 * math.pi / 0.37e-3),
        ("roll_radius(2 mm, 0.5 mm, 0 m)", 0.002),
    ],
)
def test_name_after_a_unit_is_a_name(text, si):
    assert value(text).magnitude == pytest.approx(si, rel=1e-12)


def test_power_of_a_unit_is_the_same_however_it_is_written():
    assert value("5 m**2").magnitude == value("5 m^2").magnitude == value("5 m²").magnitude == 5.0


def test_formula_knows_what_it_depends_on():
    formula = compile_formula("0.15 m / vf + max(tau, 2 * tau)", KNOWN)
    assert formula.names == {"vf", "tau"}
    assert formula.code == "0.15 / vf + max(tau, 2.0 * tau)"


@pytest.mark.parametrize(
    "text",
    [
        "vf.real", "(5 m).magnitude", "().__class__.__base__.__subclasses__()", "vf[0]",
        "lambda: 1", "[x for x in vf]", "(x for x in vf)", "await n", "yield", "(y := 5)", "y = 5",
        "min(vf, key=tau)", "min(*vf)", "min(**vf)", "vf; tau", "vf, tau", "[vf]", "{vf}",
        "f'{vf}'", "'vf'", "b'vf'", "True", "None", "...", "vf < tau", "vf == vf", "vf and tau",
        "not vf", "vf if tau else h", "vf // tau", "n % 3", "n @ n", "n & 3", "~n", "n!",
        "__import__('os')", "__builtins__", "__class__", "_0 + 5", "eval('1')", "print(n)",
        "abs(n)", "vf(3)", "2(3)", "min", "min()", "sqrt(1, 2)", "roll_length(2 mm, 22 mm)", "2 n",
        "0x10", "1_000", "1j", "1.5.5", "5 m^2.5", "5 m m", "1 2", "", " ", "+", "(1", "\0",
        "\ud800", "1 \\\n+",
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused(text):
    assert message(text)


def test_nothing_is_executed(tmp_path):
    trace = tmp_path / "trace"
    for text in (f"open('{trace}', 'w')", f"__import__('pathlib').Path('{trace}').touch()"):
        assert "must" in message(text)
    assert not trace.exists()


@pytest.mark.parametrize(
    "text",
    ["9**9**9**9", "9^9^9^9^9", "1e999", "0 * 1e999", "9" * 400, "1 / 0", "1 / (n - 4)", "log(0)",
     "exp(1e6)", "sqrt(-1)", "(-8)^(1/3)"],
)  # fmt: skip
def test_formula_without_a_value_is_refused(text):
    assert "value" in message(text)


@pytest.mark.parametrize(
    "text",
    ["-" * 480 + "1", "(" * 240 + "1" + ")" * 240, "1" + "+1" * 240, "n" + "^n" * 240,
     "sqrt(" * 80 + "1" + ")" * 80, "-" * 100_000 + "1", "(" * 100_000, "1" + "+1" * 5_000],
    ids=lambda text: f"{text[:6]} {len(text)}",
)  # fmt: skip
def test_deep_and_long_formulas_have_a_value_or_are_refused(text):
    assert_value_or_error(text)


def assert_value_or_error(text):
    try:
        formula = compile_formula(text, KNOWN)
        found = formula.quantity({name: measure(given) for name, given in KNOWN.items()})
    except FormulaError:
        return
    assert isinstance(formula, Formula)
    assert math.isfinite(found.magnitude)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tauu * 3", "'tauu' in tauu * 3; must be a name of this machine; did you mean 'tau'?"),
        ("zzz", "known: a, h, height, n, tau, vf"),
        ("3 xyz", "3 xyz; 'xyz' is no unit"),
        ("cos(n)", "cos() in cos(n); must use the functions exp, log, max, min, over"),
        ("20 degC", "20 degC; 'degC' "),
        ("20 °C + 3 K", "20 °C + 3 K; '°C' "),
        ("2 m + 3 s", "2 m + 3 s; has units that do not fit: meter together with second"),
        ("height - vf", "has units that do not fit"),
        ("min(2 m, 3 s)", "has units that do not fit"),
        ("n + 3 m", "has units that do not fit"),
        ("exp(3 m)", "has units that do not fit"),
        ("whole(3 m)", "has units that do not fit"),
        ("2^(3 m)", "has units that do not fit"),
    ],
)
def test_mistake_is_named(text, expected):
    assert expected in message(text)


@pytest.mark.parametrize("given", ["", "m", "3 xyz", "3 +", "3 vf", "1e999 m", "inf", "nan", True])
def test_measure_is_a_number_with_a_unit(given):
    with pytest.raises(FormulaError):
        read_measure(given)


@pytest.mark.parametrize(("given", "si"), [(3, 3.0), (-0.5, -0.5), ("-3 mm", -0.003), ("+2", 2.0)])
def test_measure_may_be_negative_or_plain(given, si):
    assert read_measure(given).magnitude == pytest.approx(si, rel=1e-15)


class Number:
    """A number beside the size of its largest parts, by which its rounding is judged."""

    def __init__(self, value, size=None):
        self.value, self.size = value, value if size is None else size

    def __add__(self, other):
        return Number(self.value + other.value, self.size + other.size)

    def __neg__(self):
        return Number(-self.value, self.size)

    def __mul__(self, other):
        return Number(self.value * other.value, self.size * other.size)

    def over(self, other):
        return Number(self.value / other.value, self.size / other.value)

    def mapped(self, function, slope=1.0):
        return Number(function(self.value), slope * (1.0 + self.size))


UNITS = {
    "length": {"mm": 1e-3, "cm": 1e-2, "m": 1.0},
    "time": {"ms": 1e-3, "s": 1.0, "min": 60.0},
    "number": {"": 1.0, "%": 0.01},
}
NAMES = {"l1": "length", "l2": "length", "t1": "time", "n1": "number", "n2": "number"}
SI = {"length": "m", "time": "s", "number": ""}
# Templates over x (of the kind wanted), y (the same, and a leaf), n (a number), l (a length), w
# (a length, and a leaf).
OF_ANY_KIND = {
    "({x} + {y})": lambda p: p["x"] + p["y"],
    "({y} - {x})": lambda p: p["y"] + -p["x"],
    "{n} * {x}": lambda p: p["n"] * p["x"],
    "(-{x})": lambda p: -p["x"],
    "min({x}, {y})": lambda p: p["x"].mapped(lambda x: min(x, p["y"].value)),
    "max({y}, {x})": lambda p: p["x"].mapped(lambda x: max(x, p["y"].value)),
    "over({x})": lambda p: p["x"].mapped(lambda x: max(x, 0.0)),
}
OF_NUMBERS = OF_ANY_KIND | {
    "{l} / ({w})": lambda p: p["l"].over(p["w"]),
    "({x})^2": lambda p: p["x"] * p["x"],
    "sqrt({y})": lambda p: p["y"].mapped(math.sqrt),
    "exp(min({x}, 2))": lambda p: p["x"].mapped(lambda x: math.exp(min(x, 2)), slope=9.0),
    "log(1 + over({x}))": lambda p: p["x"].mapped(lambda x: math.log(1.0 + max(x, 0.0))),
    "whole({y})": lambda p: p["y"].mapped(lambda y: math.floor(y + 1e-9)),
}


@st.composite
def formulas(draw, kind, depth=3):
    """Return a formula, and a function from the values of its names to its own."""
    if depth == 0:
        names = [name for name, known in NAMES.items() if known == kind]
        name = draw(st.sampled_from([*names, None, None]))
        if name is not None:
            return name, lambda known: Number(known[name])
        number, unit = draw(st.integers(1, 9999)) / 100, draw(st.sampled_from(sorted(UNITS[kind])))
        return f"{number} {unit}".strip(), lambda _: Number(number * UNITS[kind][unit])
    templates = OF_NUMBERS if kind == "number" else OF_ANY_KIND
    template = draw(st.sampled_from(sorted(templates)))
    sources = {"x": (kind, depth - 1), "y": (kind, 0), "n": ("number", depth - 1),
               "l": ("length", depth - 1), "w": ("length", 0)}  # fmt: skip
    parts = {
        key: draw(formulas(*source)) for key, source in sources.items() if f"{{{key}}}" in template
    }
    text = template.format(**{key: part for key, (part, _) in parts.items()})
    return text, lambda known: templates[template]({k: of(known) for k, (_, of) in parts.items()})


cases = st.sampled_from(sorted(SI)).flatmap(lambda kind: st.tuples(st.just(kind), formulas(kind)))
values_of_names = st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(1, 9999).map(float)))


@given(cases, st.lists(values_of_names, min_size=3, max_size=3))
@settings(max_examples=120)
def test_checked_scalar_and_vector_value_are_what_the_formula_says(case, rows):
    kind, (text, oracle) = case
    defaults = {name: measure(f"{rows[0][name]} {SI[known]}") for name, known in NAMES.items()}
    findings = Findings("made")
    code = Code({"only": defaults}, findings)
    variable, quantities = code.formula(text, ("made",), SI[kind])
    assert findings.problems == []
    scalar, vector = code.functions()
    position = code.position(variable)
    alone = [scalar(tuple(row[name] for name in code.parameters))[position] for row in rows]
    columns = tuple(np.array([row[name] for row in rows]) for name in code.parameters)
    together = np.broadcast_to(vector(columns)[position], len(rows))
    for row, one, same in zip(rows, alone, together, strict=True):
        expected = oracle(row)
        precision = 1e-12 * expected.size
        assert one == pytest.approx(expected.value, rel=0, abs=precision)
        assert same == pytest.approx(one, rel=0, abs=precision)
    checked, first = quantities["only"].magnitude, oracle(rows[0])
    assert checked == pytest.approx(first.value, rel=0, abs=1e-12 * first.size)


TOKENS = st.sampled_from(
    [*"+-*/^()[]{}.,:;=<>!%_'\"\\ \n1290", "**", "//", "1e9", "1e-999", "0.15", "²", "min", "max",
     "sqrt", "exp", "log", "over", "whole", "roll_radius", "roll_length", "m", "s", "mm/rev", "h",
     "vf", "tau", "n", "lambda", "if", "else", "for", "in", "not", "_0", "__class__", "°C", "µ"]
)  # fmt: skip


@given(st.text(max_size=60) | st.lists(TOKENS, max_size=25).map("".join))
@settings(max_examples=400)
def test_any_text_is_a_formula_or_an_error_that_says_so(text):
    assert_value_or_error(text)
