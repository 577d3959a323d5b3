"""A PostgreSQL server of its own for a measurement, on a free port of this machine."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE = 30.0


def programs() -> Path | None:
    """Return the folder of the newest server that is installed, None where there is none."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@contextmanager
def private_server(folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database; its settings are those of a fresh installation."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as home:
        as_user: dict[str, Any] = {"cwd": home}
        if os.getuid() == 0:  # the server refuses to run as root
            as_user |= {"user": "postgres", "group": "postgres"}
            shutil.chown(home, "postgres", "postgres")
        subprocess.run(  # noqa: S603 - an installed program
            [folder / "initdb", "-D", f"{home}/data", "-U", "twin", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            **as_user,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(folder / "postgres", "-D", f"{home}/data", "-k", home),
                *("-h", "127.0.0.1", "-p", f"{port}"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_user,
        )
        url = f"postgresql://twin@127.0.0.1:{port}/postgres"
        try:
            _wait_for(folder, url)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_PATIENCE)


def _wait_for(folder: Path, url: str) -> None:
    end = time.monotonic() + _PATIENCE
    while subprocess.run([folder / "pg_isready", "-q", "-d", url], check=False).returncode:  # noqa: S603 - our own program
        if time.monotonic() > end:
            message = f"no server at {url} after {_PATIENCE:g} s."
            raise RuntimeError(message)
        time.sleep(0.1)
