import math
from dataclasses import dataclass

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
    "vf": "0.3 m/s",
    "tau": "0.1 s",
    "height": "80 mm",
    "a": "2 m/s^2",
    "h": "3 m",
    "n": "4",
}


def value(text, known=None):
    """Return a formula's value; its names have texts with units."""
    quantities = {name: measure(given) for name, given in (known or KNOWN).items()}
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
        ("180 deg", math.pi, "rad"),
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
        ("5 m / vf * tau", 5 / 0.3 * 0.1),
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
        ("(height / (80 mm))^1.2", 1.0),
        ("sqrt(4 m * h) ^ 2", 12.0),
        ("exp(log(n))", 4.0),
        ("over(h - 2 m)", 1.0),
        ("over(2 m - h)", 0.0),
        ("whole(n / 3)", 1.0),
        ("whole(0.1 * 30)", 3.0),
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
        "vf.real",
        "(5 m).magnitude",
        "().__class__.__base__.__subclasses__()",
        "vf[0]",
        "lambda: 1",
        "[x for x in vf]",
        "(x for x in vf)",
        "min(vf, key=tau)",
        "min(*vf)",
        "min(**vf)",
        "f'{vf}'",
        "(y := 5)",
        "y = 5",
        "vf; tau",
        "vf, tau",
        "[vf]",
        "{vf}",
        "'vf'",
        "b'vf'",
        "vf < tau",
        "vf == vf",
        "vf and tau",
        "not vf",
        "vf if tau else h",
        "vf // tau",
        "n % 3",
        "n @ n",
        "n & 3",
        "~n",
        "n!",
        "True",
        "None",
        "...",
        "await n",
        "yield",
        "__import__('os')",
        "__builtins__",
        "__class__",
        "_0 + 5",
        "eval('1')",
        "print(n)",
        "abs(n)",
        "vf(3)",
        "2(3)",
        "min",
        "min()",
        "sqrt(1, 2)",
        "roll_length(2 mm, 22 mm)",
        "2 n",
        "3 tau",
        "0x10",
        "1_000",
        "1j",
        "1.5.5",
        "5 m^2.5",
        "",
        " ",
        "+",
        "(1",
        "\0",
        "\ud800",
        "1 \\\n+",
        "1 2",
        "5 m m",
        "10 N m",
    ],
)
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(FormulaError):
        value(text)


def test_nothing_is_executed(tmp_path):
    trace = tmp_path / "trace"
    for text in (f"open('{trace}', 'w')", f"__import__('pathlib').Path('{trace}').touch()"):
        assert "must" in message(text)
    assert not trace.exists()


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "9^9^9^9^9",
        "1e999",
        "0 * 1e999",
        "9" * 400,
        "1 / 0",
        "1 / (n - 4)",
        "log(0)",
        "exp(1e6)",
        "sqrt(-1)",
        "(-8)^(1/3)",
    ],
)
def test_formula_without_a_value_is_refused(text):
    assert "value" in message(text)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 480 + "1",
        "(" * 240 + "1" + ")" * 240,
        "1" + "+1" * 240,
        "n" + "^n" * 240,
        "sqrt(" * 80 + "1" + ")" * 80,
        "-" * 100_000 + "1",
        "(" * 100_000,
        "1" + "+1" * 50_000,
    ],
    ids=lambda text: f"{text[:6]} {len(text)}",
)
def test_deep_and_long_formulas_have_a_value_or_are_refused(text):
    try:
        found = value(text)
    except FormulaError as error:
        assert "must" in str(error) or "value" in str(error)
    else:
        assert math.isfinite(found.magnitude)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tauu * 3", "'tauu' in tauu * 3; must be a name of this machine; did you mean 'tau'?"),
        ("zzz", "known: a, h, height, n, tau, vf"),
        ("3 xyz", "3 xyz; 'xyz' is no unit"),
        ("cos(n)", "cos() in cos(n); must use the functions exp, log, max, min, over"),
        ("20 degC", "'degC' is no unit"),
        ("20 °C + 3 K", "'°C' is no unit"),
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


# A formula beside a function that calculates it, and beside the size of its largest parts, which
# rounding is measured by.
@dataclass
class Made:
    text: str
    kind: str
    of: object


UNITS = {
    "length": {"mm": 1e-3, "cm": 1e-2, "m": 1.0},
    "time": {"ms": 1e-3, "s": 1.0, "min": 60.0},
    "number": {"": 1.0, "%": 0.01},
}
NAMES = {"length": ("l1", "l2"), "time": ("t1",), "number": ("n1", "n2")}
KINDS = st.sampled_from(sorted(UNITS))
ROWS = 3


@st.composite
def leaves(draw, kind):
    if draw(st.booleans()):
        name = draw(st.sampled_from(NAMES[kind]))
        return Made(name, kind, lambda known: (known[name], known[name]))
    number, unit = draw(st.integers(1, 9999)) / 100, draw(st.sampled_from(sorted(UNITS[kind])))
    si = number * UNITS[kind][unit]
    return Made(f"{number} {unit}".strip(), kind, lambda _: (si, si))


def joined(parts, text, kind, function, size):
    def of(known):
        values, sizes = zip(*(part.of(known) for part in parts), strict=True)
        return function(*values), size(*sizes)

    return Made(text, kind, of)


@st.composite
def formulas(draw, kind, depth=3):
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(leaves(kind))
    one = draw(formulas(kind, depth - 1))
    number = draw(formulas("number", depth - 1))
    leaf = draw(leaves(kind))
    x, y = one.text, leaf.text
    choices = {
        "add": lambda: joined([one, leaf], f"({x} + {y})", kind, lambda a, b: a + b, _sum),
        "subtract": lambda: joined([leaf, one], f"({y} - {x})", kind, lambda a, b: a - b, _sum),
        "scale": lambda: joined(
            [number, one], f"{number.text} * {x}", kind, lambda a, b: a * b, lambda a, b: a * b
        ),
        "negate": lambda: joined([one], f"(-{x})", kind, lambda a: -a, _sum),
        "least": lambda: joined([one, leaf], f"min({x}, {y})", kind, min, _sum),
        "most": lambda: joined([leaf, one], f"max({y}, {x})", kind, max, _sum),
        "over": lambda: joined([one], f"over({x})", kind, lambda a: max(a, 0.0), _sum),
    }
    if kind == "number":
        length, width = draw(formulas("length", depth - 1)), draw(leaves("length"))
        choices |= {
            "ratio": lambda: joined(
                [length, width],
                f"{length.text} / ({width.text})",
                kind,
                lambda a, b: a / b,
                lambda a, b: a / b,
            ),
            "square": lambda: joined([one], f"({x})^2", kind, lambda a: a * a, lambda a: a * a),
            "root": lambda: joined([leaf], f"sqrt({y})", kind, math.sqrt, lambda a: 1 + a),
            "exp": lambda: joined(
                [one], f"exp(min({x}, 2))", kind, lambda a: math.exp(min(a, 2)), lambda a: 9 + 9 * a
            ),
            "log": lambda: joined(
                [one],
                f"log(1 + over({x}))",
                kind,
                lambda a: math.log(1 + max(a, 0)),
                lambda a: 1 + a,
            ),
            "whole": lambda: joined(
                [leaf], f"whole({y})", kind, lambda a: math.floor(a + 1e-9), _sum
            ),
        }
    made = choices[draw(st.sampled_from(sorted(choices)))]()
    return made


def _sum(*sizes):
    return sum(sizes)


settings_of_names = st.fixed_dictionaries(
    {
        name: st.lists(st.integers(1, 9999).map(lambda n: n / 100), min_size=ROWS, max_size=ROWS)
        for names in NAMES.values()
        for name in names
    }
)


@given(KINDS.flatmap(formulas), settings_of_names)
@settings(max_examples=200)
def test_checked_scalar_and_vector_value_are_what_the_formula_says(made, known):
    si = {"length": "m", "time": "s", "number": ""}
    units = {name: si[kind] for kind, names in NAMES.items() for name in names}
    rows = [{name: values[k] for name, values in known.items()} for k in range(ROWS)]
    environment = {name: measure(f"{value!r} {units[name]}") for name, value in rows[0].items()}
    findings = Findings("made")
    code = Code({"only": environment}, findings)
    variable, quantities = code.formula(made.text, ("made",), si[made.kind])
    assert findings.problems == []
    scalar, vector = code.functions()
    position = code.position(variable)
    alone = [scalar(tuple(row[name] for name in code.parameters))[position] for row in rows]
    arrays = tuple(np.array(known[name]) for name in code.parameters)
    together = np.broadcast_to(vector(arrays)[position], ROWS)
    expected = [made.of(row) for row in rows]
    assert quantities["only"].magnitude == pytest.approx(expected[0][0], abs=1e-12 * expected[0][1])
    for one, same, (wanted, size) in zip(alone, together, expected, strict=True):
        assert one == pytest.approx(wanted, rel=0, abs=1e-12 * size)
        assert same == pytest.approx(one, rel=0, abs=1e-12 * size)


TOKENS = st.sampled_from(
    [*"+-*/^()[]{}.,:;=<>!%_'\"\\ \n1290", "**", "//", "1e9", "1e-999", "0.15", "²", "min", "max",
     "sqrt", "exp", "log", "over", "whole", "roll_radius", "roll_length", "m", "s", "mm/rev", "h",
     "vf", "tau", "n", "lambda", "if", "else", "for", "in", "not", "_0", "__class__", "°C", "µ"]
)  # fmt: skip


@given(st.text(max_size=60) | st.lists(TOKENS, max_size=25).map("".join))
@settings(max_examples=500)
def test_any_text_is_a_formula_or_an_error_that_says_so(text):
    quantities = {name: measure(given) for name, given in KNOWN.items()}
    try:
        formula = compile_formula(text, KNOWN)
        assert isinstance(formula, Formula)
        assert math.isfinite(formula.quantity(quantities).magnitude)
    except FormulaError as error:
        assert error.found or not text
        assert error.required
