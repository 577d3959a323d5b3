"""Markers from the folder, no network, shared data, and no skips where services are required."""

import ipaddress
import os
import socket
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DATA_ABSENT = "Data absent:"
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}
SERVICES_REQUIRED = os.environ.get("GIGATWIN_REQUIRE_SERVICES") == "1"

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", parent=settings.get_profile("ci"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its folder; leave out what is too slow for plain Python."""
    known = {line.split(":")[0] for line in config.getini("markers")}
    for item in items:
        if item.path.is_relative_to(TESTS):
            folder = item.path.relative_to(TESTS).parts[0]
            if folder in known:
                item.add_marker(folder)
    if INTERPRETED:
        too_slow = [item for item in items if item.get_closest_marker("compiled")]
        config.hook.pytest_deselected(items=too_slow)
        items[:] = [item for item in items if item not in too_slow]


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    # The reason of a skip is the last of (file, line, reason).
    if not SERVICES_REQUIRED or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if DATA_ABSENT in reason:
        return
    report.outcome = "failed"
    report.longrepr = (
        f"{report.nodeid}: {reason}; with GIGATWIN_REQUIRE_SERVICES=1 only absent data may be "
        "skipped. Install or start what is missing, or run without that variable."
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything has to run."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure where everything has to run."""
    report = yield
    _refuse_skip(report)
    return report


def _is_local(family: int, address: Any) -> bool:
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    host = address[0]
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded(name: str, position: int) -> Any:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if not _is_local(self.family, arguments[position]):
            message = (
                f"socket.{name}: {arguments[position]!r}; a test must stay on this machine. "
                "Start a server on 127.0.0.1 and connect to that."
            )
            raise RuntimeError(message)
        return original(self, *arguments)

    return guarded


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterable[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
            patch.setattr(socket.socket, name, _guarded(name, position))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public data sets, from GIGATWIN_DATA or beside the repository."""
    named = os.environ.get("GIGATWIN_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"{DATA_ABSENT} the folder of public data sets {folder} does not exist; "
            "set GIGATWIN_DATA to where it is."
        )
    return folder
