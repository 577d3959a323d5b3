"""Machines given as functional mock-up units (FMI 2.0 and 3.0): the times that their cycles take.

A unit (FMU) is native code: to run one is to run what its author wrote, with all the rights of the
user. Run only those of people you trust. Reading the list of its variables runs nothing.
"""
# ruff: noqa: PLC0415 - fmpy is an extra, imported where it is needed

import math
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn, TypeAlias
from zipfile import ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from gigatwin.errors import EquipmentError
from gigatwin.factory.findings import Findings

if TYPE_CHECKING:
    from fmpy.fmi2 import FMU2Slave, fmi2CallbackFunctions
    from fmpy.fmi3 import FMU3Slave
    from fmpy.model_description import ModelDescription, ModelVariable

Slave: TypeAlias = "FMU2Slave | FMU3Slave"

_SETTABLE = ("parameter", "input")
_READABLE = ("output", "local", "calculatedParameter")
_REALS = ("Real", "Float32", "Float64")
_NO_NUMBERS = ("String", "Binary", "Clock")
_SECOND = {"kg": 0, "m": 0, "s": 1, "A": 0, "K": 0, "mol": 0, "cd": 0, "rad": 0}
_FATAL = 4
_STEPS_PER_CYCLE = 1000


@dataclass
class _Run:
    """How far a run is and what its unit said last, for the messages."""

    path: Path
    step: float = 0.0
    time: float = 0.0
    said: deque[str] = field(default_factory=lambda: deque(maxlen=3))

    def note(self, *arguments: object) -> None:
        """Keep what the unit logs; in both versions of FMI the text is the last argument."""
        if isinstance(arguments[-1], bytes):
            self.said.append(arguments[-1].decode(errors="replace"))

    def refuse(self, found: str, required: str) -> NoReturn:
        """Raise an error on this unit, with what it said itself."""
        own_words = f" (it says: {'; '.join(self.said)})" if self.said else ""
        message = f"{self.path}: {found}{own_words}; {required}"
        raise EquipmentError(message)


@dataclass(frozen=True)
class _Quantity:
    """A variable of a unit; in SI it is ``factor`` times its number plus ``offset``."""

    name: str
    reference: int
    accessor: str
    is_input: bool
    factor: float
    offset: float

    def read(self, slave: Slave) -> float:
        """Return the value in SI."""
        number = getattr(slave, f"get{self.accessor}")([self.reference])[0]
        return self.factor * float(number) + self.offset

    def write(self, slave: Slave, number: float) -> None:
        """Set the number, in the unit of the variable."""
        raw = number if self.accessor in _REALS else int(number)
        getattr(slave, f"set{self.accessor}")([self.reference], [raw])


def fmu_variables(path: Path) -> dict[str, str]:
    """Return the variables of a unit, each with its causality (``input``, ``output`` ...).

    Raises
    ------
    EquipmentError
        If fmpy is not installed, or the file is no unit for co-simulation.
    """
    variables = _describe(_Run(path)).modelVariables
    return {str(variable.name): str(variable.causality) for variable in variables}


def fmu_cycle_times(  # noqa: PLR0913 - keyword arguments of the public call
    path: Path,
    values: Mapping[str, float],
    *,
    cycle_time: str,
    counter: str | None,
    step: float,
    cycles: int,
    skip: int = 0,
    most_time: float | None = None,
) -> NDArray[np.float64]:
    """Run a unit and return how long its successive cycles take.

    Parameters
    ----------
    path : Path
        An ``.fmu`` file with co-simulation for this platform. Its code is run.
    values : mapping
        Parameters, set before the initialisation, and inputs, set during it and then constant.
        [SI; 1 is true]
    cycle_time : str
        Output that tells how long the last finished cycle took.
    counter : str or None
        Output that counts the finished cycles: ``cycle_time`` is taken once each time it rises.
        None for a unit that gives another cycle time with each step: one is taken after each
        step, from the first that is not 0 on. If such a unit kept its output over several steps,
        long cycles would be taken more often than short ones.
    step : float
        Time between two looks at the unit, shorter than its shortest cycle. [s]
    cycles, skip : int
        Number of cycles to return, and of those before them that are left out.
    most_time : float, optional
        Simulated time to give up after; if left out, 1000 steps for each cycle. [s]

    Returns
    -------
    NDArray
        Cycle times in the order of the run. [s], float64, shape (cycles,)

    Raises
    ------
    EquipmentError
        If fmpy is not installed; the file is no unit for co-simulation here; a variable is unknown
        or of the wrong kind; the unit fails, refuses a step or ends by itself; the counter does not
        rise one by one; a cycle time is not above 0 and finite; or the time is over.

    Notes
    -----
    Where the unit defines a variable's unit of measure by base units (ms, mm/s), numbers are
    converted; any other variable is taken to be in SI. What happens between two steps is up to the
    unit: the returned times are as exact as its output, whatever the step.
    """
    run = _Run(path, step)
    wanted = skip + cycles
    most = _STEPS_PER_CYCLE * wanted * step if most_time is None else most_time
    if not (0 < step <= most < math.inf and cycles >= 1 and skip >= 0):
        found = f"step {step:g} s, most_time {most:g} s, cycles {cycles}, skip {skip}"
        run.refuse(found, "must be above 0, a step or more, 1 or more, 0 or more; change them.")
    description = _describe(run)
    settings = _settings(run, description, values)
    length = _find(run, description, cycle_time, _READABLE, is_time=True)
    count = None if counter is None else _find(run, description, counter, _READABLE)
    n_steps = int(most / step * (1 + 1e-12))  # one less would be a matter of rounding
    with _instance(run, description) as slave:
        _initialise(slave, settings)
        times = list(islice(_cycle_times(run, slave, length, count, n_steps), wanted))
    if len(times) < wanted:
        found = f"{len(times)} of {wanted} cycles finished in {run.time:g} s of simulated time"
        run.refuse(found, "must be all; check the values, or give more time with most_time.")
    return np.array(times[skip:], dtype=np.float64)


def _cycle_times(
    run: _Run, slave: Slave, length: _Quantity, count: _Quantity | None, n_steps: int
) -> Iterator[float]:
    finished = 0.0 if count is None else count.read(slave)
    has_begun = count is not None
    for i in range(n_steps):
        run.time = i * run.step
        outcome = slave.doStep(run.time, run.step)
        run.time = (i + 1) * run.step
        before, finished = finished, finished + 1 if count is None else count.read(slave)
        if count is not None and finished - before not in {0, 1}:
            found = f"{count.name} goes from {before:g} to {finished:g} by {run.time:g} s"
            run.refuse(found, "must stay or rise by 1 in each step; choose a smaller step.")
        time = length.read(slave) if finished > before else 0.0
        has_begun = has_begun or time != 0
        if finished > before and has_begun:
            if not 0 < time < math.inf:
                found = f"{length.name} is {time:g} s at {run.time:g} s of simulated time"
                run.refuse(found, "must be above 0 s and finite; check the values.")
            yield time
        if outcome is not None and outcome[1]:  # terminateSimulation of FMI 3.0
            found = f"it ends by itself at {run.time:g} s of simulated time"
            run.refuse(found, "must go on; ask for fewer cycles, or check the values.")


def _describe(run: _Run) -> "ModelDescription":
    try:
        # fmpy prints, instead of warning, where it has no binary to format log messages.
        with redirect_stdout(StringIO()):
            from fmpy import read_model_description
    except ImportError:
        message = (
            f"{run.path}: fmpy, which runs FMUs, is not installed; it must be there. "
            "Install it with pip install 'gigatwin[fmi]'."
        )
        raise EquipmentError(message) from None
    if not run.path.is_file():
        run.refuse("there is no such file", "must be an FMU; check the path.")
    if not is_zipfile(run.path):
        run.refuse("it is no zip archive", "must be an FMU, which is one; export it again.")
    try:
        description = read_model_description(run.path)
    except Exception as error:  # noqa: BLE001 - fmpy raises plain ones
        found = f"its description cannot be used ({' '.join(str(error).split())})"
        run.refuse(found, "must be as FMI demands; export it again.")
    if not str(description.fmiVersion).startswith(("2.", "3.")):
        found = f"it is of FMI {description.fmiVersion}"
        run.refuse(found, "must be of FMI 2.0 or 3.0; export it as one of these.")
    if description.coSimulation is None:
        required = "must be for co-simulation, with its own solver; export it as such."
        run.refuse("it holds no co-simulation", required)
    return description


def _find(
    run: _Run,
    description: "ModelDescription",
    name: str,
    causalities: tuple[str, ...],
    *,
    is_time: bool = False,
) -> _Quantity:
    known = {variable.name: variable for variable in description.modelVariables}
    variable = known.get(name)
    if variable is None or variable.causality not in causalities:
        usable = [other for other in known if known[other].causality in causalities]
        hint = Findings(str(run.path)).suggest(name, usable)
        kind = "is unknown" if variable is None else f"is of kind {variable.causality}"
        run.refuse(f"variable '{name}' {kind}", f"must be {' or '.join(causalities)}; {hint}")
    if variable.shape or variable.type in _NO_NUMBERS:
        found = f"variable '{name}' is {'an array' if variable.shape else f'a {variable.type}'}"
        run.refuse(found, "must be a single number; choose another.")
    factor, offset = _scale(run, description, variable, is_time=is_time)
    enumeration = "Integer" if description.fmiVersion == "2.0" else "Int64"
    return _Quantity(
        name=name,
        reference=variable.valueReference,
        accessor=enumeration if variable.type == "Enumeration" else variable.type,
        is_input=variable.causality == "input",
        factor=factor,
        offset=offset,
    )


def _scale(
    run: _Run, description: "ModelDescription", variable: "ModelVariable", *, is_time: bool
) -> tuple[float, float]:
    declared = variable.declaredType
    name = variable.unit or (declared.unit if declared else None)
    base = next((unit.baseUnit for unit in description.unitDefinitions if unit.name == name), None)
    if base is None:
        return 1.0, 0.0
    if is_time and any(getattr(base, part) != power for part, power in _SECOND.items()):
        run.refuse(f"variable '{variable.name}' is in {name}", "must be a time; choose another.")
    is_relative = variable.relativeQuantity or (declared and declared.relativeQuantity)
    return base.factor, 0.0 if is_relative else base.offset


def _settings(
    run: _Run, description: "ModelDescription", values: Mapping[str, float]
) -> list[tuple[_Quantity, float]]:
    settings = []
    for name, value in values.items():
        quantity = _find(run, description, name, _SETTABLE)
        number = (value - quantity.offset) / quantity.factor
        if not math.isfinite(number):
            run.refuse(f"{name} is {value:g}", "must be finite; give a number.")
        if quantity.accessor not in _REALS and not number.is_integer():
            run.refuse(f"{name} is {value:g}", "must be a whole number; round it.")
        settings.append((quantity, number))
    return settings


def _initialise(slave: Slave, settings: list[tuple[_Quantity, float]]) -> None:
    if hasattr(slave, "setupExperiment"):  # FMI 2.0 only
        slave.setupExperiment()
    for quantity, number in settings:
        if not quantity.is_input:
            quantity.write(slave, number)
    slave.enterInitializationMode()
    for quantity, number in settings:
        if quantity.is_input:
            quantity.write(slave, number)
    slave.exitInitializationMode()


@contextmanager
def _instance(run: _Run, description: "ModelDescription") -> Iterator[Slave]:
    from fmpy.fmi1 import FMICallException

    with TemporaryDirectory(prefix="gigatwin-fmu-", ignore_cleanup_errors=True) as folder:
        slave = _start(run, description, folder)
        status = 0
        try:
            yield slave
        except FMICallException as error:
            status = error.status
            found = f"{str(error).rstrip('.')} at {run.time:g} s of simulated time"
            required = f"must accept these values and steps of {run.step:g} s; change them."
            run.refuse(found, required)
        finally:
            # After an error there is nothing to terminate, after a fatal one nothing may be freed
            # (FMI 2.0, 2.1.3 and 4.2.4, and the same in 3.0).
            if status == 0:
                with suppress(FMICallException):
                    slave.terminate()
            if status != _FATAL:
                slave.freeInstance()


def _start(run: _Run, description: "ModelDescription", folder: str) -> Slave:
    import fmpy
    from fmpy.fmi2 import FMU2Slave
    from fmpy.fmi3 import FMU3Slave

    is_2 = description.fmiVersion == "2.0"
    identifier = description.coSimulation.modelIdentifier
    platform = fmpy.platform if is_2 else fmpy.platform_tuple
    with ZipFile(run.path) as archive:
        names = archive.namelist()
    if f"binaries/{platform}/{identifier}{fmpy.sharedLibraryExtension}" not in names:
        there = {name.split("/")[1] for name in names if name.startswith("binaries/")} - {""}
        found = f"it has binaries for {', '.join(sorted(there)) or 'no platform'}"
        run.refuse(found, f"must have one for {platform}; export it for that.")
    slave: Slave | None = None
    try:
        fmpy.extract(run.path, folder)
        with chdir(Path.cwd()):  # fmpy does not come back when it cannot load a library
            slave = (FMU2Slave if is_2 else FMU3Slave)(
                guid=description.guid, modelIdentifier=identifier, unzipDirectory=folder
            )
        slave.instantiate(**({"callbacks": _callbacks(run)} if is_2 else {"logMessage": run.note}))
    except Exception as error:  # noqa: BLE001 - fmpy raises plain ones
        if slave is not None:
            slave.freeLibrary()
        found = f"it cannot be started ({str(error).rstrip('.')})"
        run.refuse(found, "must run here; export it for this computer.")
    return slave


def _callbacks(run: _Run) -> "fmi2CallbackFunctions":
    from ctypes import byref

    from fmpy import calloc, fmi2, free

    callbacks = fmi2.fmi2CallbackFunctions()
    callbacks.logger = fmi2.fmi2CallbackLoggerTYPE(run.note)
    callbacks.allocateMemory = fmi2.fmi2CallbackAllocateMemoryTYPE(calloc)
    callbacks.freeMemory = fmi2.fmi2CallbackFreeMemoryTYPE(free)
    with suppress(OSError):  # without a formatter for this platform, texts keep their %g
        from fmpy.logging import addLoggerProxy

        addLoggerProxy(byref(callbacks))
    return callbacks
