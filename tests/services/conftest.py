"""Private servers on free loopback ports, each with a folder of its own; ended by their own id."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PATIENCE = 30.0
"""How long a server may take to answer. [s]"""


def free_port():
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    """Return when a server answers; fail when it has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server on port {port} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.05)
    pytest.fail(f"nothing answers on port {port} after {PATIENCE:g} s")


class Mosquitto:
    """A broker that can be killed and started again with what it kept."""

    def __init__(self, program, folder, settings=""):
        self.program = program
        self.folder = folder
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.process = None
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            "persistence true\nautosave_interval 1\nautosave_on_changes true\n"
            f"persistence_location {folder}/\nuser {getpass.getuser()}\n{settings}",
            encoding="utf-8",
        )

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "-c", str(self.folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process)
        return self

    def kill(self):
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)


def find_program(*names):
    """Return the first program that is there, skip the test where none is."""
    found = next(
        (path for name in names if (path := shutil.which(name) or _in_sbin(name)) is not None), None
    )
    if found is None:
        pytest.skip(f"no {names[0]}: none of {', '.join(names)} is installed")
    return found


def _in_sbin(name):
    path = Path("/usr/sbin") / name
    return str(path) if path.exists() else None


@pytest.fixture
def mosquitto(tmp_path_factory):
    """A running broker of its own."""
    broker = Mosquitto(find_program("mosquitto"), tmp_path_factory.mktemp("mosquitto")).start()
    yield broker
    broker.stop()


@pytest.fixture
def make_mosquitto(tmp_path_factory):
    """Return a function that starts a broker with more lines of settings."""
    started = []

    def make(settings=""):
        folder = tmp_path_factory.mktemp("mosquitto")
        broker = Mosquitto(find_program("mosquitto"), folder, settings).start()
        started.append(broker)
        return broker

    yield make
    for broker in started:
        broker.stop()


def _postgres_bin():
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not folders:
        pytest.skip("no postgresql: /usr/lib/postgresql is not there; install postgresql")
    return folders[0]


@pytest.fixture(scope="session")
def postgres_url():
    """URL of a database server of its own, with an empty database."""
    programs = _postgres_bin()
    # Not below pytest's own folder, which other users may not enter.
    folder = Path(tempfile.mkdtemp(prefix="gigatwin-postgres-"))
    data = folder / "data"
    # The server refuses to run as root.
    as_user = {}
    if os.getuid() == 0:
        as_user = {"user": "postgres", "group": "postgres"}
        shutil.chown(folder, "postgres", "postgres")
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "twin", "-A", "trust", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=folder,
        **as_user,
    )
    port = free_port()
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **as_user,
    )
    wait_for_port(port, process)
    time.sleep(0.5)
    yield f"postgresql://twin@127.0.0.1:{port}/postgres"
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def opcua_folder(tmp_path_factory):
    """A folder in which an OPC UA server finds its certificate, once made."""
    return tmp_path_factory.mktemp("opcua")
