import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from gigatwin.equipment.fmu import fmu_cycle_times, fmu_variables
from gigatwin.errors import EquipmentError
from tests.unit.equipment.fmu_builder import (
    PLATFORMS,
    VARIABLES,
    write_fmu,
)

fmpy = pytest.importorskip("fmpy", reason="fmpy is not installed: pip install 'gigatwin[fmi]'")

VERSIONS = (2, 3)
both_versions = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Return the folder that stands for the one of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def measure(path, values=None, **changes):
    arguments = {"cycle_time": "cycle_time", "counter": "cycles", "step": 0.1, "cycles": 4}
    return fmu_cycle_times(path, values or {}, **(arguments | changes))


def message(path, values=None, **changes):
    with pytest.raises(EquipmentError) as caught:
        measure(path, values, **changes)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


@both_versions
@pytest.mark.parametrize(
    ("stroke", "speed", "wait"), [(1.0, 1.0, 0.0), (0.35, 0.8, 0.27), (3.0, 0.7, 1.0 / 3.0)]
)
def test_both_versions_give_the_cycle_time(machines, version, stroke, speed, wait):
    times = measure(machines[version], {"stroke": stroke, "speed": speed, "wait": wait})
    np.testing.assert_allclose(times, np.full(4, stroke / speed + wait), rtol=0, atol=1e-12)
    assert times.dtype == np.float64


@both_versions
@pytest.mark.parametrize("counter", ["cycles", "finished"])
def test_jitter_alternates_about_the_mean(machines, version, counter):
    values = {"stroke": 0.5, "speed": 0.5, "wait": 0.2, "jitter": 0.15}
    times = measure(machines[version], values, counter=counter, cycles=20)
    np.testing.assert_allclose(times, 1.2 + 0.15 * np.tile([1, -1], 10), rtol=0, atol=1e-12)
    assert times.mean() == pytest.approx(1.2, abs=1e-12)


@both_versions
def test_skipped_cycles_are_those_at_the_start(machines, version):
    values = {"jitter": 0.25}
    np.testing.assert_array_equal(
        measure(machines[version], values, cycles=2, skip=1), [0.75, 1.25]
    )


@both_versions
@pytest.mark.parametrize("step", [0.01, 0.3, 0.7])
def test_cycle_time_does_not_depend_on_the_step(machines, version, step):
    times = measure(machines[version], {"jitter": 0.25}, step=step)
    np.testing.assert_allclose(times, [1.25, 0.75, 1.25, 0.75], rtol=0, atol=1e-12)


@both_versions
def test_every_kind_of_number_can_be_set(machines, version):
    values = {"is_waiting": 0, "wait": 5.0, "gear": 2, "first_number": 41}
    np.testing.assert_array_equal(measure(machines[version], values), np.full(4, 0.5))


@both_versions
def test_without_a_counter_each_step_gives_a_time(machines, version):
    # Cycles end at 1.25 s, 2 s and 3.25 s; the unit is looked at after 0.5 s, 1 s, 1.5 s ...
    times = measure(machines[version], {"jitter": 0.25}, counter=None, step=0.5)
    np.testing.assert_allclose(times, [1.25, 0.75, 0.75, 0.75], rtol=0, atol=1e-12)


@both_versions
def test_units_of_measure_become_si(libraries, version, tmp_path):
    units = {"speed": "mm/s", "cycle_time": "ms"}
    path = write_fmu(tmp_path / "m.fmu", version, libraries[version], units=units)
    # The machine takes 500 for its speed and gives 2 / 500 as cycle time.
    times = measure(path, {"stroke": 2.0, "speed": 0.5}, step=0.001)
    np.testing.assert_allclose(times, np.full(4, 2 / 500 * 1e-3), rtol=1e-12)


@both_versions
def test_variables_are_listed_with_their_causality(machines, version):
    expected = {variable.name: variable.causality for variable in VARIABLES}
    if version == 3:
        expected |= {"time": "independent", "rows": "parameter"}
    assert fmu_variables(machines[version]) == expected


@both_versions
def test_checker_of_fmpy_finds_no_problem(machines, version):
    from fmpy.validation import validate_fmu  # noqa: PLC0415 - not there without fmpy

    assert validate_fmu(str(machines[version])) == []


@both_versions
def test_simulation_of_fmpy_gives_the_same_times(machines, version):
    values = {"stroke": 0.35, "speed": 0.8, "wait": 0.27, "jitter": 0.1}
    result = fmpy.simulate_fmu(
        str(machines[version]),
        start_values=values,
        stop_time=5.0,
        output_interval=0.1,
        output=["cycle_time", "cycles"],
    )
    rises = np.flatnonzero(np.diff(result["cycles"])) + 1
    assert len(rises) == 6
    times = measure(machines[version], values, cycles=6)
    np.testing.assert_array_equal(times, result["cycle_time"][rises])


@both_versions
def test_nothing_is_printed_and_nothing_is_left(machines, version, temporary, capfd):
    folder = Path.cwd()
    measure(machines[version])
    message(machines[version], {"longest_step": 0.05})
    assert list(temporary.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert Path.cwd() == folder


@both_versions
@pytest.mark.parametrize(
    ("failure", "expected"),
    [(0, ["terminate", "freeInstance"]), (3, ["freeInstance"]), (4, [])],
)
def test_unit_is_ended_as_its_status_allows(machines, version, failure, expected, monkeypatch):
    called = []
    kind = (fmpy.fmi2.FMU2Slave, fmpy.fmi3.FMU3Slave)[version - 2]
    for name in ("terminate", "freeInstance"):
        original = getattr(kind, name)
        monkeypatch.setattr(
            kind, name, lambda self, o=original, n=name: (called.append(n), o(self))
        )
    if failure:
        message(machines[version], {"failure": failure})
    else:
        message(machines[version], most_time=1.0)
    assert called == expected


@both_versions
def test_step_that_the_unit_refuses_is_told_in_its_words(machines, version):
    assert message(machines[version], {"longest_step": 0.05}) == (
        f"fmi{version}DoStep failed with status 2 (discard) at 0 s of simulated time (it says: a "
        "step of 0.1 s is longer than 0.05 s); must accept these values and steps of 0.1 s; change "
        "them."
    )


@both_versions
def test_step_over_several_cycles_is_too_large(machines, version):
    assert message(machines[version], {"stroke": 0.2}, step=0.5) == (
        "cycles goes from 0 to 2 by 0.5 s; must stay or rise by 1 in each step; choose a smaller "
        "step."
    )


@both_versions
def test_running_out_of_time_is_told(machines, version):
    assert message(machines[version], most_time=2.5) == (
        "2 of 4 cycles finished in 2.5 s of simulated time; must be all; check the values, or give "
        "more time with most_time."
    )


def test_time_to_give_up_is_a_thousand_steps_for_each_cycle(machines):
    assert "0 of 2 cycles finished in 20 s" in message(
        machines[2], {"stroke": 100.0}, step=0.01, cycles=1, skip=1
    )


def test_unit_that_ends_by_itself_is_refused(machines):
    assert message(machines[3], {"last": 2.0}) == (
        "it ends by itself at 2 s of simulated time; must go on; ask for fewer cycles, or check "
        "the values."
    )
    np.testing.assert_array_equal(measure(machines[3], {"last": 2.0}, cycles=2), [1.0, 1.0])


@both_versions
@pytest.mark.parametrize(("values", "found"), [({"speed": 0}, "inf"), ({"wait": -3}, "-2")])
def test_cycle_time_must_be_above_0_and_finite(machines, version, values, found):
    assert message(machines[version], values) == (
        f"cycle_time is {found} s at 0.1 s of simulated time; must be above 0 s and finite; check "
        "the values."
    )


@both_versions
@pytest.mark.parametrize(
    ("values", "changes", "expected"),
    [
        (
            {"sped": 1.0},
            {},
            "variable 'sped' is unknown; must be parameter or input; did you mean 'speed'?",
        ),
        (
            {"cycles": 1.0},
            {},
            "variable 'cycles' is of kind output; must be parameter or input; known: failure, ",
        ),
        (
            {},
            {"cycle_time": "cycletime"},
            "variable 'cycletime' is unknown; must be output or local or calculatedParameter; did ",
        ),
        ({}, {"counter": "speed"}, "variable 'speed' is of kind parameter; must be output or "),
        ({"label": 1.0}, {}, "variable 'label' is a String; must be a single number; choose "),
        ({"speed": float("nan")}, {}, "speed is nan; must be finite; give a number."),
        ({"gear": 1.5}, {}, "gear is 1.5; must be a whole number; round it."),
        ({}, {"step": 0.0}, "step 0 s, most_time 0 s, cycles 4, skip 0; must be above 0, "),
        ({}, {"most_time": 0.01}, "step 0.1 s, most_time 0.01 s, cycles 4, skip 0; must be "),
    ],
)
def test_wrong_request_is_told(machines, version, values, changes, expected):
    assert message(machines[version], values, **changes).startswith(expected)


def test_array_is_no_value(machines):
    assert message(machines[3], {"rows": 1.0}) == (
        "variable 'rows' is an array; must be a single number; choose another."
    )


@both_versions
def test_cycle_time_in_metres_is_refused(libraries, version, tmp_path):
    path = write_fmu(tmp_path / "m.fmu", version, libraries[version], units={"cycle_time": "m"})
    assert message(path) == "variable 'cycle_time' is in m; must be a time; choose another."


def test_missing_file_is_told(tmp_path):
    assert message(tmp_path / "no.fmu") == "there is no such file; must be an FMU; check the path."


def test_file_that_is_no_archive_is_told(tmp_path):
    path = tmp_path / "text.fmu"
    path.write_text("not a unit")
    assert message(path) == ("it is no zip archive; must be an FMU, which is one; export it again.")


def test_archive_without_a_description_is_told(tmp_path):
    path = tmp_path / "empty.fmu"
    with ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "")
    assert message(path) == (
        "its description cannot be used (\"There is no item named 'modelDescription.xml' in the "
        'archive"); must be as FMI demands; export it again.'
    )


@both_versions
def test_model_exchange_alone_is_refused(libraries, version, tmp_path):
    path = write_fmu(tmp_path / "m.fmu", version, libraries[version], interface="ModelExchange")
    expected = (
        "it holds no co-simulation; must be for co-simulation, with its own solver; export it as "
        "such."
    )
    assert message(path) == expected
    with pytest.raises(EquipmentError, match="holds no co-simulation"):
        fmu_variables(path)


def test_older_version_is_refused(libraries, tmp_path):
    path = write_fmu(tmp_path / "m.fmu", 1, libraries[2])
    assert message(path) == (
        "it is of FMI 1.0; must be of FMI 2.0 or 3.0; export it as one of these."
    )


@both_versions
def test_unit_for_another_platform_is_refused(libraries, version, tmp_path):
    path = write_fmu(tmp_path / "m.fmu", version, libraries[version], folder="amiga68k")
    assert message(path) == (
        f"it has binaries for amiga68k; must have one for {PLATFORMS[version]}; export it for that."
    )


@both_versions
def test_unit_that_is_not_that_of_its_description_is_refused(libraries, version, tmp_path):
    path = write_fmu(tmp_path / "m.fmu", version, libraries[version], token="{another}")  # noqa: S106
    assert message(path).startswith("it cannot be started (Failed to instantiate ")


@both_versions
def test_broken_binary_leaves_nothing_behind(version, tmp_path, temporary, monkeypatch):
    monkeypatch.chdir(tmp_path)
    library = tmp_path / "broken"
    library.write_bytes(b"no machine code")
    path = write_fmu(tmp_path / "m.fmu", version, library)
    assert message(path).startswith("it cannot be started (Failed to load shared library ")
    assert list(temporary.iterdir()) == []
    assert Path.cwd() == tmp_path


def test_missing_fmpy_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fmpy", None)
    assert message(tmp_path / "m.fmu") == (
        "fmpy, which runs FMUs, is not installed; it must be there. Install it with pip install "
        "'gigatwin[fmi]'."
    )
