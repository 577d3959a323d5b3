"""Builds co-simulation units of the machine in fmu_machine.c, for FMI 2.0 and FMI 3.0."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

FMI_VERSIONS = (2, 3)
SOURCE = Path(__file__).with_name("fmu_machine.c")
TOKEN = "{6f2c1d6e-0a4b-4b8e-9a57-3d1f0c5e7a21}"  # noqa: S105 - says which unit it is, no secret
SYSTEMS = {"linux": ("linux", ".so"), "darwin": ("darwin", ".dylib"), "win32": ("windows", ".dll")}
SYSTEM, SUFFIX = SYSTEMS[sys.platform]
IS_ARM = platform.machine().lower() in {"aarch64", "arm64"}
# FMI 2.0 names no processor but its bits.
PLATFORMS = {
    2: f"{SYSTEM.removesuffix('dows')}64",
    3: f"{'aarch64' if IS_ARM else 'x86_64'}-{SYSTEM}",
}
UNITS = {
    "s": 's="1"',
    "ms": 's="1" factor="0.001"',
    "m": 'm="1"',
    "m/s": 'm="1" s="-1"',
    "mm/s": 'm="1" s="-1" factor="0.001"',
}


class Variable(NamedTuple):
    name: str
    reference: int
    kind: str
    causality: str
    variability: str
    start: str = ""
    unit: str = ""


# The references are those of fmu_machine.c.
VARIABLES = [
    Variable("stroke", 1, "Real", "parameter", "fixed", "1", "m"),
    Variable("speed", 2, "Real", "parameter", "tunable", "1", "m/s"),
    Variable("wait", 3, "Real", "input", "continuous", "0", "s"),
    Variable("jitter", 4, "Real", "input", "discrete", "0", "s"),
    Variable("longest_step", 5, "Real", "parameter", "fixed", "1e9", "s"),
    Variable("last", 6, "Real", "parameter", "fixed", "1e9", "s"),
    Variable("cycle_time", 7, "Real", "output", "discrete", unit="s"),
    Variable("finished", 8, "Real", "output", "discrete"),
    Variable("first_number", 9, "Integer", "parameter", "fixed", "0"),
    Variable("failure", 10, "Integer", "parameter", "fixed", "0"),
    Variable("gear", 11, "Enumeration", "parameter", "fixed", "1"),
    Variable("cycles", 12, "Integer", "output", "discrete"),
    Variable("is_waiting", 13, "Boolean", "parameter", "fixed", "true"),
    Variable("label", 14, "String", "parameter", "fixed", "A"),
]
KINDS_3 = {"Real": "Float64", "Integer": "Int32", "String": "String", "Boolean": "Boolean"}


def find_compiler():
    """Return the C compiler of this machine, or None."""
    return shutil.which("cc") or shutil.which("gcc")


def compile_machine(folder: Path, version: int, headers: Path) -> Path:
    """Return the compiled machine for a version of FMI."""
    library = folder / f"machine{version}{SUFFIX}"
    command = [find_compiler(), "-shared", "-fPIC", "-O1", f"-DFMI_VERSION={version}"]
    command += ["-I", headers, SOURCE, "-o", library, "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


def write_fmu(  # noqa: PLR0913, PLR0917 - the parts of a unit
    path: Path,
    version: int,
    library: Path,
    interface: str = "CoSimulation",
    token: str = TOKEN,
    folder: str = "",
    units: Mapping[str, str] | None = None,
) -> Path:
    """Write a unit of the machine; the rest says in what it differs from a good one."""
    variables = [
        variable._replace(unit=(units or {}).get(variable.name, variable.unit))
        for variable in VARIABLES
    ]
    describe = {1: describe_1, 2: describe_2, 3: describe_3}[version]
    with ZipFile(path, "w") as archive:
        archive.writestr("modelDescription.xml", describe(variables, interface, token))
        place = f"binaries/{folder or PLATFORMS.get(version, 'linux64')}/machine{SUFFIX}"
        archive.write(library, place)
    return path


def describe_1(_variables, _interface, token):
    return (
        '<fmiModelDescription fmiVersion="1.0" modelName="machine" modelIdentifier="machine" '
        f'guid="{token}" numberOfContinuousStates="0" numberOfEventIndicators="0"><ModelVariables/>'
        "<Implementation><CoSimulation_StandAlone><Capabilities/></CoSimulation_StandAlone>"
        "</Implementation></fmiModelDescription>"
    )


def describe_2(variables, interface, token):
    outputs = [i for i, other in enumerate(variables, 1) if other.causality == "output"]
    unknowns = "".join(f'<Unknown index="{i}"/>' for i in outputs)
    return (
        f'<fmiModelDescription fmiVersion="2.0" modelName="machine" guid="{token}">'
        f'<{interface} modelIdentifier="machine"/>{unit_definitions()}'
        '<TypeDefinitions><SimpleType name="Gear"><Enumeration><Item name="low" value="1"/>'
        '<Item name="high" value="2"/></Enumeration></SimpleType></TypeDefinitions>'
        f"<ModelVariables>{''.join(map(scalar_2, variables))}</ModelVariables><ModelStructure>"
        f"<Outputs>{unknowns}</Outputs><InitialUnknowns>{unknowns}</InitialUnknowns>"
        "</ModelStructure></fmiModelDescription>"
    )


def describe_3(variables, interface, token):
    outputs = [other.reference for other in variables if other.causality == "output"]
    kinds = ("Output", "InitialUnknown")
    return (
        '<fmiModelDescription fmiVersion="3.0" modelName="machine" '
        f'instantiationToken="{token}"><{interface} modelIdentifier="machine"/>'
        f"{unit_definitions()}"
        '<TypeDefinitions><EnumerationType name="Gear"><Item name="low" value="1"/>'
        '<Item name="high" value="2"/></EnumerationType></TypeDefinitions><ModelVariables>'
        '<Float64 name="time" valueReference="0" causality="independent"/>'
        '<Float64 name="rows" valueReference="99" causality="parameter" variability="fixed" '
        'start="1 2"><Dimension start="2"/></Float64>'
        f"{''.join(map(variable_3, variables))}</ModelVariables><ModelStructure>"
        + "".join(f'<{kind} valueReference="{i}"/>' for kind in kinds for i in outputs)
        + "</ModelStructure></fmiModelDescription>"
    )


def unit_definitions():
    units = "".join(f'<Unit name="{name}"><BaseUnit {si}/></Unit>' for name, si in UNITS.items())
    return f"<UnitDefinitions>{units}</UnitDefinitions>"


def head(variable):
    return (
        f'name="{variable.name}" valueReference="{variable.reference}" '
        f'causality="{variable.causality}" variability="{variable.variability}"'
    )


def value(variable):
    parts = {"start": variable.start, "unit": variable.unit}
    if variable.kind == "Enumeration":
        parts["declaredType"] = "Gear"
    return " ".join(f'{name}="{text}"' for name, text in parts.items() if text)


def scalar_2(variable):
    return f"<ScalarVariable {head(variable)}><{variable.kind} {value(variable)}/></ScalarVariable>"


def variable_3(variable):
    kind = KINDS_3.get(variable.kind, variable.kind)
    if variable.name == "cycles":
        kind = "UInt64"
    if kind == "String":
        return f'<String {head(variable)}><Start value="{variable.start}"/></String>'
    return f"<{kind} {head(variable)} {value(variable)}/>"
