"""On what the table was measured."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gigatwin

_PACKAGES = ("numba", "numpy", "polars", "simpy", "salabim")


def describe_machine() -> list[str]:
    """Return sentences on the date, the versions, the processor, and who else uses it."""
    versions = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    today = datetime.now(tz=UTC).date()
    python = platform.python_version()
    system = f"{platform.system()} {platform.machine()}"
    return [
        f"{today}; gigatwin {gigatwin.__version__}, Python {python}, {versions}",
        f"{system}, {_processor()}, {n_cores()} cores, {_memory()} of memory; {_load()}",
    ]


def n_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return "unknown amount"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"


def _load() -> str:
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"load average before the run {load}"
