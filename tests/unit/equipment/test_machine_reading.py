import random

import pytest

from gigatwin.equipment.model.reading import (
    is_machine,
    load_machine,
    machine_names,
    read_machine_text,
)
from gigatwin.errors import FactoryError
from gigatwin.factory.documents import template_text

MACHINE = """\
name: made
formats:
  small: {height: 80 mm}
  large: {height: 120 mm}
accepts: {height: {low: 50 mm, high: 130 mm}}
settings:
  v: {default: 1 m/s, low: 0.5 m/s, high: 2 m/s}
  dwell: {default: {by_format: {small: 0.5 s, large: 0.6 s}}, low: 0.3 s, high: 1 s}
  heads: {default: 2, low: 2, high: 4, steps: [2, 4], lever: capital}
constants: {lift: height + 30 mm}
axes:
  gantry:
    speed: v
    acceleration: 8 m/s^2
    jerk: 100 m/s^3
    travel: {low: 0 m, high: 0.8 m}
    poses: {left: 50 mm, right: 0.65 m}
    drive: {inertia: 9 kg, friction: 15 N, peak: 170 N, continuous: 75 N, speed: 2.2 m/s}
    vibration: {frequency: 11 Hz, tolerance: 0.6 mm}
  web:
    speed: 2 rad/s
    acceleration: 8 rad/s^2
    jerk: 100 rad/s^3
    web: {core_radius: 2 mm, thickness: 0.4 mm, length: 4 m, inertia: 1 g*m^2, tension: 2 N}
dials:
  table: {law: cycloidal, inertia: 2 kg*m^2, torque: 30 N*m, speed: 6 rad/s, continuous: 20 N*m}
activities:
  fetch:
    overlap: 50 ms
    steps:
      - {move: gantry, stroke: lift}
      - {move: gantry, start: left, end: right}
      - {process: dwell}
  turn:
    after: {fetch: 0}
    places: heads
    steps: [{index: table, stroke: 45 deg}, {timer: 0.1 s}]
circulating: {nest: {count: heads, path: [fetch, turn]}}
zones: {press: [fetch, turn]}
defects:
  crack:
    least: 0.002
    terms: [{cause: wear, of: dwell, below: 0.4 s, scale: 0.1 s, weight: 0.4}]
stops:
  jam: {per_cycle: 0.5 / 1000, duration: 40 s}
energy: {executing: 1 kW, standby: 0.4 kW, per_cycle: 900 J}
limits:
  cylinder: {value: lift / (0.2 s), most: 1 m/s, because: it breaks}
"""


def problems(text):
    with pytest.raises(FactoryError) as caught:
        read_machine_text(text, "machine.yaml")
    return str(caught.value).replace("machine.yaml:", "").split("\n")


def changed(old, new):
    """Return the machine with a text replaced that stands in it once."""
    assert MACHINE.count(old) == 1, old
    return MACHINE.replace(old, new)


def cases(table):
    """Return rows of a text: what is replaced, by what, and how the only message begins."""
    rows = [[part.strip() for part in line.split("|")] for line in table.strip().split("\n")]
    return pytest.mark.parametrize(("old", "new", "expected"), rows)


def assert_only_problem(text, expected):
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_machine_without_a_mistake_is_read():
    model = read_machine_text(MACHINE)
    assert list(model.dimensions) == ["small", "large"]
    assert [activity.name for activity in model.activities] == ["fetch", "turn"]


@cases("""
overlap: 50 ms   | after: {turn: 0}     | 35 activities.turn after: turn -> fetch -> turn; have no
after: {fetch: 0} | after: {turn: 0}     | 35 activities.turn after: turn -> turn; have no token
[fetch, turn]}}  | [fetch, turn]}, t: {path: [turn, fetch]}} | 28 activities.fetch after: fetch ->
count: heads     | count: heads - 2     | 38 circulating.nest count: 0; must be 1 or more
count: heads     | count: 0.9           | 38 circulating.nest count: 0; must be 1 or more
places: heads    | places: heads / 3    | 36 activities.turn places: 0; must be 1 or more
overlap: 50 ms   | overlap: -1 ms       | 29 activities.fetch overlap: -0.001 s with small;
overlap: 50 ms   | overlap: 3 s         | 29 activities.fetch overlap: 3 s with small; must be
""")
def test_graph_that_cannot_go_round_is_refused(old, new, expected):
    assert_only_problem(changed(old, new), expected)


@cases("""
left: 50 mm      | left: -50 mm         | 17 axes.gantry.poses left: -0.05 m with small; must be
right: 0.65 m    | right: height * 8    | 17 axes.gantry.poses right: 0.96 m with large; must be
stroke: lift     | stroke: lift * 6     | 31 activities.fetch.steps[0] stroke: 0.9 m with large;
stroke: lift     | stroke: lift - 1 m   | 31 activities.fetch.steps[0] stroke: -0.89 m with small;
stroke: 45 deg   | stroke: -1 rad       | 37 activities.turn.steps[0] stroke: -1 rad
stroke: lift     | stroke: lift, end_speed: 5 m/s |
speed: v         | speed: 0 m/s         | 13 axes.gantry speed: 0
speed: v         | speed: v - 3 m/s     | 13 axes.gantry speed:
jerk: 100 m/s^3  | jerk: 0 m/s^3        | 15 axes.gantry jerk: 0
torque: 30 N*m   | torque: 0 N*m        | 26 dials.table torque: 0
least: 0.002     | least: -0.002        | 4
0.5 / 1000       | -0.5 / 1000          | 45 stops
duration: 40 s   | duration: -40 s      | 45 stops.jam duration: -40 s
high: 0.8 m}     | high: 0.8 s}         | 16 axes.gantry.travel high: 0.8 s; must be in m, but is
""")
def test_number_that_cannot_be_is_refused(old, new, expected):
    assert_only_problem(changed(old, new), expected)


def test_activity_cannot_take_less_than_no_time():
    assert problems(changed("timer: 0.1 s", "timer: -3 s"))[0].startswith("34 activities turn: ")


@cases("""
gantry, stroke   | gantri, stroke       | 31 activities.fetch.steps[0] move: gantri; must be an
index: table     | index: tabel         | 37 activities.turn.steps[0] index: tabel; must be a dial;
start: left      | start: lefft         | 32 activities.fetch.steps[1] start: lefft; must be a pose
end: right       | end: up              | 32 activities.fetch.steps[1] end: up; must be a pose of
gantry, start    | web, start           | 32 activities.fetch.steps[1] start: left; must be a pose
after: {fetch: 0} | after: {fetsch: 0}   | 35 activities.turn.after fetsch: fetsch; must be an
path: [fetch     | path: [fetsch        | 38 circulating.nest path: fetsch; must be an activity;
press: [fetch    | press: [fetsch       | 39 zones press: fetsch; must be an activity; did you mean
law: cycloidal   | law: cyclodal        | 26 dials.table law: cyclodal; must be 'cycloidal',
accepts: {height | accepts: {heigth     | 5 accepts heigth: heigth; must be a dimension of the
speed: v         | speed: vv            | 13 axes.gantry speed: 'vv' in vv; must be a name of this
lift: height     | lift: heigth         | 10 constants lift: 'heigth' in heigth + 30 mm; must be a
tolerance: 0.6 mm | tolerance: 0.6 mm, colour: red | 19 axes.gantry.vibration colour: unknown
lever: capital   | lever: capitel       | 9 settings.heads lever: capitel; must be 'waits',
""")
def test_unknown_name_is_named_once_with_its_place(old, new, expected):
    assert_only_problem(changed(old, new), expected)


@cases("""
speed: v         | speed: 2 kg          | 13 axes.gantry speed: 2 kg; must be in m/s or rad/s, but
on: 8 m/s^2      | on: 8 m/s            | 14 axes.gantry acceleration: 8 m/s; must be in m/s^2, but
jerk: 100 rad/s^3 | jerk: 100 m/s^3      | 23 axes.web jerk: 100 m/s^3; must be in rad/s^3, but is
left: 50 mm      | left: 50 deg         | 17 axes.gantry.poses left: 50 deg; must be in m, but is in
inertia: 9 kg    | inertia: 9 N         | 18 axes.gantry.drive inertia: 9 N; must be in kg, but is
friction: 15 N   | friction: 15         | 18 axes.gantry.drive friction: 15; must be in N, but is
peak: 170 N      | peak: 170 N*m        | 18 axes.gantry.drive peak: 170 N*m; must be in N, but is
frequency: 11 Hz | frequency: 11 m      | 19 axes.gantry.vibration frequency: 11 m; must be in Hz,
thickness: 0.4 mm | thickness: 0.4       | 24 axes.web.web thickness: 0.4; must be in m, but is in
torque: 30 N*m   | torque: 30 N         | 26 dials.table torque: 30 N; must be in N*m, but is in N
stroke: lift     | stroke: dwell        | 31 activities.fetch.steps[0] stroke: dwell; must be in m,
stroke: 45 deg   | stroke: 45 mm        | 37 activities.turn.steps[0] stroke: 45 mm; must be in
timer: 0.1 s     | timer: 0.1           | 37 activities.turn.steps[1] timer: 0.1; must be in s, but
overlap: 50 ms   | overlap: 50 mm       | 29 activities.fetch overlap: 50 mm; must be in s, but is
places: heads    | places: 2 s          | 36 activities.turn places: 2 s; must be in a plain
least: 0.002     | least: 2 mm          | 42 defects.crack least: 2 mm; must be in a plain number,
scale: 0.1 s,    |                      | 43 defects.crack.terms [0]:
below: 0.4 s     | below: 0.4 m         | 43 defects.crack.terms [0]:
duration: 40 s   | duration: 40         | 45 stops.jam duration: 40; must be in s, but is in no unit
executing: 1 kW  | executing: 1 kg      | 46 energy executing: 1 kg; must be in W
standby: 0.4 kW  | standby: some        | 46 energy standby:
per_cycle: 900 J | per_cycle: 900 W     | 46 energy per_cycle: 900 W; must be in J, but is in W
most: 1 m/s      | most: 1 m            | 48 limits.cylinder most: 1 m; must be in m/s, as its value
high: 2 m/s      | high: 2 s            | 7 settings.v high: 0.5 m/s and 2 s; must have units of
default: 1 m/s   | default: 1 kg        | 7 settings.v default: 0.5 m/s and 1 kg; must have units
steps: [2, 4]    | steps: [2, 4 s]      | 9 settings.heads steps: 2 and 4 s; must have units of one
""")
def test_unit_that_does_not_fit_is_named_with_its_place(old, new, expected):
    assert_only_problem(changed(old, new), expected)


@pytest.mark.parametrize("accepted", ["accepts: {height: {low: 50 mm, high: 130 mm}}", ""])
def test_dimension_has_one_unit_in_all_formats(accepted):
    text = changed("accepts: {height: {low: 50 mm, high: 130 mm}}", accepted)
    found = problems(text.replace("large: {height: 120 mm}", "large: {height: 120 kg}"))
    assert any(problem.startswith("4 formats.large height: 120 kg") for problem in found)


@cases("""
default: 1 m/s   | default: 3 m/s       | 7 settings.v default: 3 m/s; must be from 0.5 m/s to 2 m/s
large: 0.6 s     | large: 6 s           | 8 settings.dwell.default.by_format large: 6 s; must be
, large: 0.6 s   |                      | 8 settings.dwell.default by_format: nothing for large;
large: 0.6 s     | large: 0.6 s, l: 1 s | 8 settings.dwell.default.by_format l:
low: 0.5 m/s     | low: slow            | 7 settings v: slow; must be a number with its unit, e.g.
steps: [2, 4]    | steps: [2, 5]        | 9 settings.heads steps: 5; must be from 2 to 4
default: 2, low  | default: 3, low      | 9 settings.heads default: 3; must be one of 2, 4
{lift: height    | {min: 1, lift: height | 10 constants min: 'min'; is a word of formulas; use
{lift: height    | {v: 1, lift: height  | 10 constants v: 'v'; is the name of settings.v already
{lift: height    | {in: 1, lift: height | 10 constants in: 'in';
{lift: height    | {_1: 1, lift: height | 10 constants._1: '_1'; must be a word of letters, digits
{lift: height    | {a b: 1, lift: height | 10 constants.a b: 'a b'; must be a word of letters,
large: {height   | large: {width: 1 m, height | 3 formats small: no width; must be given, as other
large: {height: 1 | large: {height: 9    | 4 formats.large height: 920 mm; must be from 50 mm to
large: {height: 1 | large: {height: x    | 4 formats.large height: x20 mm; must be a number with
""")
def test_setting_or_format_that_cannot_be_is_refused(old, new, expected):
    assert_only_problem(changed(old, new), expected)


@cases("""
{process: dwell} | {process: dwell, timer: 1 s} | 33 activities.fetch.steps[2]: give exactly one of
{process: dwell} | {name: idle}         | 33 activities.fetch.steps[2]: give exactly one of move
{process: dwell} | {process: dwell, stroke: 1 m} | 33 activities.fetch.steps[2]: stroke, start and
{process: dwell} | {process: dwell, settle: true} | 33 activities.fetch.steps[2]: settle,
{process: dwell} | {process: dwell, times: 0} | 33 activities.fetch.steps[2] times: 0; must be
{process: dwell} | {process: [1 s]}     | 33 activities.fetch.steps[2] process: a list; must be
{process: dwell} | null                 | 33 activities.fetch.steps [2]: nothing; must be a mapp
stroke: lift     | start: left          | 31 activities.fetch.steps[0]: a move needs either stro
stroke: lift     | stroke: lift, start: left | 31 activities.fetch.steps[0]: a move needs either
stroke: lift     | stroke: lift, settle: true | 31 activities.fetch.steps[0] settle: true; needs
[{index: table, stroke: 45 deg}, {timer: 0.1 s}] | []                   | 34 activities.turn: give
, below: 0.4 s   |                      | 43 defects.crack.terms[0]: give either above or below
below: 0.4 s     | below: 0.4 s, above: 1 s | 43 defects.crack.terms[0]: give either above or below
, most: 1 m/s    |                      | 48 limits.cylinder: give most, least or both
""")
def test_description_that_says_too_little_or_too_much_is_refused(old, new, expected):
    assert_only_problem(changed(old, new), expected)


def test_machine_has_either_activities_or_an_fmu():
    both = "energy:", "fmu: {file: a.fmu, cycle_time: t}\nenergy:"
    assert_only_problem(changed(*both), "1: give either activities or fmu")
    assert_only_problem("name: x\nformats: {a: {}}", "1: give either activities or fmu")


def test_index_with_poses_is_told_what_a_dial_needs():
    (found,) = problems(changed("stroke: 45 deg", "start: left, end: right"))
    assert found.startswith("37 activities.turn.steps[0]")
    assert "None" not in found


def test_all_problems_are_reported_at_once_in_the_order_of_the_file():
    text = changed("torque: 30 N*m", "torque: 30 N").replace("friction: 15 N", "friction: 15 s")
    with pytest.raises(FactoryError) as caught:
        read_machine_text(text.replace("most: 1 m/s", "most: 1 kg"), "machine.yaml")
    first, second, third = caught.value.problems
    assert [first.line, second.line, third.line] == [18, 26, 48]
    assert (second.file, second.element, second.field) == ("machine.yaml", "dials.table", "torque")
    assert (second.found, second.required) == ("30 N", "must be in N*m, but is in N")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a", "1: a list; must be a mapping with the fields name, formats and activities"),
        ("hello", "1: only text; must be a mapping"),
        ("name: [x", "2: did not find expected ',' or ']'"),
        (
            "name: x\nformats: {}\nactivities: {a: {steps: [{timer: 1 s}]}}",
            "2 formats: a mapping; must have 1 or more",
        ),
        (
            MACHINE.replace("    jerk: 100 rad/s^3\n", ""),
            "20 axes.web jerk: missing; must be given",
        ),
        (MACHINE.replace("dwell}", "-" * 450 + "dwell}"), "33 activities.fetch.steps[2] process: "),
        (
            MACHINE.replace("dwell}", "1+" * 300 + "dwell}"),
            "33 activities.fetch.steps[2] process: ",
        ),
    ],
    ids=range(7),
)
def test_what_is_no_machine_is_refused(text, expected):
    assert_only_problem(text, expected)


def test_message_about_an_empty_file_does_not_ask_for_a_factory():
    (found,) = problems("")
    assert found.startswith("1: an empty file; ")
    assert "factory" not in found


def test_machine_is_told_from_a_factory(tmp_path):
    made, line = tmp_path / "made.yaml", tmp_path / "line.yaml"
    made.write_text(MACHINE, encoding="utf-8")
    line.write_text("name: line\nstations: {a: {time: 1 s}}\n", encoding="utf-8")
    assert all(map(is_machine, ("winder", made)))
    assert not any(map(is_machine, ("two-machine", line)))


def test_machine_that_is_not_there_is_named():
    with pytest.raises(FactoryError, match="did you mean 'winder'"):
        load_machine("windr")


PIECES = (
    "0", "-1", "1e400", "5 kg", "0 m", "2 s", "x", "[]", "{}", "null", "yes", "9**9**9", "min(1)",
    "1 m + 1 s", "{by_format: {}}", "''", "4680", "height",
)  # fmt: skip


def spoiled(lines, rng):
    """Return lines with one of them lost, given twice, moved, cut, or with another value."""
    k = rng.randrange(len(lines))
    before, line, after = lines[:k], lines[k], lines[k + 1 :]
    match rng.randrange(10):
        case 0:
            return before + after
        case 1:
            return [*before, line, line, *after]
        case 2:
            return [*before, " " * rng.randint(1, 2) + line, *after]
        case 3:
            place = rng.randrange(len(line))
            return [*before, line[:place] + line[place + 1 :], *after]
    fields = line.split(": ")
    place = rng.randrange(len(fields))
    # What closes brackets, or begins the next field, stays.
    value = fields[place]
    end = min([value.find(sign) for sign in ",}]" if sign in value], default=len(value))
    fields[place] = rng.choice(PIECES) + value[end:]
    return [*before, ": ".join(fields), *after]


@pytest.mark.compiled
@pytest.mark.parametrize("name", machine_names())
def test_spoiled_machine_is_read_or_refused(name):
    rng = random.Random(name)  # noqa: S311 - for tests
    text = template_text(name, "machines").splitlines()
    lines = [line for line in text if line.strip() and not line.startswith("#")]
    for _ in range(22):
        made = "\n".join(spoiled(lines, rng))
        try:
            read_machine_text(made)
        except FactoryError:
            continue
        except Exception as error:
            error.add_note(made)
            raise
