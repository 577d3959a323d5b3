"""Co-simulation units of a small machine, built once."""

from pathlib import Path

import fmpy
import pytest

from tests.unit.equipment.fmu_builder import (
    FMI_VERSIONS,
    compile_machine,
    find_compiler,
    write_fmu,
)


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    if find_compiler() is None:
        pytest.skip("FMUs are built here: there is no C compiler (cc or gcc); install one.")
    folder = tmp_path_factory.mktemp("libraries")
    headers = Path(fmpy.__file__).parent / "c-code"
    return {version: compile_machine(folder, version, headers) for version in FMI_VERSIONS}


@pytest.fixture(scope="session")
def machines(libraries, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    return {
        version: write_fmu(folder / f"machine{version}.fmu", version, library)
        for version, library in libraries.items()
    }
