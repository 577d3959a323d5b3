import numpy as np
import pytest

from gigatwin.equipment.model.reading import load_machine, machine_names, read_machine_text
from gigatwin.errors import EquipmentError

# A press of two items a cycle; its cycle is 2 s of pressing and 0.5 s of index at the default.
PRESS = """
name: press
items_per_cycle: 2
formats: {thin: {depth: 10 mm}, thick: {depth: 30 mm}}
accepts: {depth: {low: 5 mm, high: 40 mm}}
settings:
  speed: {default: {by_format: {thin: 5 mm/s, thick: 10 mm/s}}, low: 2 mm/s, high: 20 mm/s}
  nests: {default: 1, low: 1, high: 3, steps: [1, 2, 3], lever: capital}
activities:
  press: {after: {index: 0}, places: nests, steps: [{process: depth / speed}]}
  index: {steps: [{timer: 0.25 s, times: 4, probability: 0.5}]}
circulating: {nest: {count: nests, path: [index, press]}}
defects:
  crack: {least: 0.01, terms: [{cause: c, of: speed, above: 4 mm/s, scale: 1 mm/s, weight: 0.03}]}
  dent: {least: 0.05}
  skew: {least: 0.2, is_seen_here: false}
stops:
  jam: {per_cycle: 1 / 100, duration: 20 s, terms: [{cause: c, of: speed, above: 4 mm/s,
        scale: 1 mm/s, weight: 0.5, power: 1}]}
  clean: {per_cycle: 0.002, duration: 1 min}
energy: {executing: 1 kW, per_cycle: 900 J * nests}
"""
ATTRIBUTES = (
    "cycle_time", "scrap", "downtime", "availability", "gross_rate", "net_rate", "good_rate"
)  # fmt: skip


@pytest.fixture(scope="module")
def press():
    return read_machine_text(PRESS)


def test_tiny_machine_by_hand(press):
    found = press.evaluate("thin")
    # 10 mm at 5 mm/s, and half of four timers of 0.25 s, with one nest.
    assert found.cycle_time == pytest.approx(2.5, rel=1e-15)
    assert found.gross_rate == pytest.approx(2 / 2.5, rel=1e-15)
    # A crack at 1 mm/s over the knee: 0.01 + 0.03; seen here are cracks and dents.
    assert found.scrap == pytest.approx(1 - 0.96 * 0.95, rel=1e-13)
    # Jams are half as many again, 1 mm/s over the knee: 0.015 of 20 s, and 0.002 of 60 s.
    assert found.downtime == pytest.approx(0.42, rel=1e-14)
    assert found.availability == pytest.approx(2.5 / 2.92, rel=1e-14)
    assert found.net_rate == pytest.approx(2 / 2.92, rel=1e-14)
    assert found.good_rate == pytest.approx(2 / 2.92 * 0.96 * 0.95, rel=1e-13)


def test_settings_change_what_they_should(press):
    found = press.evaluate("thick", {"speed": 0.004, "nests": 2.0})
    # Two nests: (7.5 + 0.5) / 2; the knees are just not passed.
    assert found.cycle_time == pytest.approx(4.0, rel=1e-15)
    assert found.scrap == pytest.approx(1 - 0.99 * 0.95, rel=1e-13)
    assert found.downtime == pytest.approx(0.2 + 0.12, rel=1e-14)


def test_defaults_differ_by_format(press):
    assert press.defaults("thin") == pytest.approx({"speed": 0.005, "nests": 1.0}, rel=1e-15)
    assert press.defaults("thick") == pytest.approx({"speed": 0.010, "nests": 1.0}, rel=1e-15)
    assert press.evaluate("thick").cycle_time == pytest.approx(3.5, rel=1e-15)


def test_probability_is_never_above_one(press):
    assert press.evaluate("thin", {"speed": 0.020}).scrap == 1.0
    assert press.evaluate("thin", {"speed": 0.020}).good_rate == 0.0


def test_knee_and_weight_can_be_varied(press):
    (crack, _, _), (jam, _) = press.defects, press.stops
    lower = press.evaluate("thin", factors={crack.knees[0]: 0.75})
    assert lower.scrap == pytest.approx(1 - (0.99 - 0.03 * 2**2) * 0.95, rel=1e-12)
    heavier = press.evaluate("thin", factors={jam.weights[0]: 3.0})
    assert heavier.downtime == pytest.approx(0.01 * 2.5 * 20 + 0.12, rel=1e-14)
    longer = press.evaluate("thin", factors={press.activities[0].factor: 1.5})
    assert longer.cycle_time == pytest.approx(3.5, rel=1e-15)


def test_logistic_term_is_half_at_its_knee():
    text = PRESS.replace(
        "scale: 1 mm/s, weight: 0.03", "scale: 1 mm/s, weight: 0.3, shape: logistic"
    )
    model = read_machine_text(text)
    scrap = model.evaluate("thin", {"speed": np.array([0.002, 0.004, 0.006])}).scrap
    rises = (1 - scrap) / 0.95
    assert 1 - rises[1] - 0.01 == pytest.approx(0.15, rel=1e-12)
    assert (1 - rises[0] - 0.01) + (1 - rises[2] - 0.01) == pytest.approx(0.3, rel=1e-12)


def settings_of(model, n):
    """Return n random settings, steps among them, and the ends of every range."""
    rng = np.random.default_rng(7)
    found = {}
    for name, known in model.settings.items():
        if known.steps:
            found[name] = rng.choice(known.steps, n + 2)
        else:
            found[name] = np.concatenate(
                [rng.uniform(known.low, known.high, n), [known.low, known.high]]
            )
    return found


@pytest.mark.parametrize("name", machine_names())
def test_many_settings_at_once_give_what_each_gives_alone(name):
    model = load_machine(name)
    for product_format in model.dimensions:
        table = settings_of(model, 4)
        together = model.evaluate(product_format, table)
        assert together.n == 6
        for row in range(6):
            alone = model.evaluate(
                product_format, {name: float(values[row]) for name, values in table.items()}
            )
            assert alone.n == 1
            for attribute in ATTRIBUTES:
                expected = getattr(alone, attribute)
                assert isinstance(expected, float)
                found = np.broadcast_to(getattr(together, attribute), 6)[row]
                assert found == pytest.approx(expected, rel=1e-12, abs=1e-15), attribute
            for k, value in enumerate(alone.values):
                found = np.broadcast_to(together.values[k], 6)[row]
                assert found == pytest.approx(value, rel=1e-11, abs=1e-14), k


@pytest.mark.parametrize("name", machine_names())
def test_machine_of_the_library_is_sound_in_every_format(name):
    model = load_machine(name)
    for product_format in model.dimensions:
        found = model.evaluate(product_format)
        assert 0 < found.cycle_time < 60
        assert 0 <= found.scrap < 0.01
        assert found.good_rate < found.net_rate < found.gross_rate
        items = model.machine.items_per_cycle
        assert found.gross_rate == pytest.approx(items / found.cycle_time, rel=1e-15)
        assert found.net_rate == pytest.approx(found.gross_rate * found.availability, rel=1e-14)
        assert found.good_rate == pytest.approx(found.net_rate * (1 - found.scrap), rel=1e-15)


def test_carriers_in_the_filler_are_a_quarter_of_its_chambers():
    model = load_machine("filler")
    fill = next(a for a in model.activities if a.name == "fill")
    load = next(a for a in model.activities if a.name == "load")
    chambers = np.array([48.0, 64.0, 80.0])
    # With short wetting loading sets the pace, with long wetting a round over the carriers.
    for wet in (14.0, 40.0):
        found = model.evaluate("4680", {"chambers": chambers, "wet": wet})
        filling, loading = (float(found.values[part.duration]) for part in (fill, load))
        expected = np.maximum(loading, (filling + loading) / (chambers / 4))
        np.testing.assert_allclose(found.cycle_time, expected, rtol=1e-12)


def test_broken_number_of_carriers_is_rounded_down():
    model = load_machine("filler")
    slow = {"wet": 40.0}
    broken = model.evaluate("4680", slow | {"chambers": 51.0})
    assert broken.cycle_time == model.evaluate("4680", slow | {"chambers": 48.0}).cycle_time


def test_capital_setting_keeps_its_steps(press):
    assert press.settings["nests"].steps == (1.0, 2.0, 3.0)
    assert load_machine("filler").settings["chambers"].steps == (48.0, 64.0, 80.0)


def test_setting_knows_the_unit_it_was_written_in(press):
    speed = press.settings["speed"]
    assert (speed.low, speed.high) == pytest.approx((0.002, 0.020))
    assert (speed.unit, speed.written, speed.scale) == ("m/s", "mm/s", pytest.approx(1e-3))
    turning = load_machine("groover").settings["n"]
    assert (turning.unit, turning.written) == ("rad/s", "rpm")
    assert turning.scale == pytest.approx(2 * np.pi / 60)


def test_machine_is_set_up_for_another_format(press):
    model = press.with_format("middle", {"depth": 0.02, "diameter": 0.046})
    assert model.dimensions["middle"] == {"depth": 0.02}
    # Settings are those of the first format: 20 mm at 5 mm/s.
    assert model.evaluate("middle").cycle_time == pytest.approx(4.5, rel=1e-15)
    assert model.evaluate("thin").cycle_time == press.evaluate("thin").cycle_time
    assert "middle" not in press.dimensions


@pytest.mark.parametrize("depth", [0.005, 0.04])
def test_format_at_the_end_of_the_range_is_accepted(press, depth):
    assert press.with_format("other", {"depth": depth}).dimensions["other"] == {"depth": depth}


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"depth": 0.05}, r"press format deep: .* depth: 0\.05; must be from 5 mm to 40 mm"),
        ({"depth": 0.004}, r"depth: 0\.004; must be from 5 mm to 40 mm"),
        ({"diameter": 0.046}, "depth: missing; must be given"),
    ],
)
def test_format_that_the_machine_cannot_make_is_refused(press, dimensions, message):
    with pytest.raises(EquipmentError, match=message):
        press.with_format("deep", dimensions)


@pytest.mark.parametrize("ask", ["evaluate", "defaults", "check_format"])
def test_unknown_format_is_named_with_the_known_ones(press, ask):
    message = "press format thinn: .* must be one of thin, thick.*did you mean 'thin'"
    with pytest.raises(EquipmentError, match=message):
        getattr(press, ask)("thinn")


def test_unknown_setting_is_named(press):
    with pytest.raises(EquipmentError, match="sped"):
        press.evaluate("thin", {"sped": 0.004})


def test_setting_without_a_cycle_is_told(press):
    with pytest.raises(EquipmentError, match="press"):
        press.evaluate("thin", {"speed": 0.0})
