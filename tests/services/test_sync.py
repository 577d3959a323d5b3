"""Plant, broker and twin as programs of their own, ended without warning and started again."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from gigatwin.app.browsing import browse_tags, check_mapping, propose_mapping
from gigatwin.telemetry.mapping import write_mapping
from gigatwin.twin.store import TwinStore

LINE = "two-machine"
PATIENCE = 60.0
ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1"}


def start(*arguments, log):
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "gigatwin.cli", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
        )


def wait_until(holds, processes, log, patience=PATIENCE):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if holds():
            return
        ended = [process.args[3] for process in processes if process.poll() is not None]
        assert not ended, f"{ended} ended:\n{log.read_text()}"
        time.sleep(0.1)
    pytest.fail(f"nothing came of it in {patience:g} s:\n{log.read_text()}")


@pytest.mark.compiled
def test_twin_that_is_killed_again_and_again_counts_what_the_plant_counts(mosquitto, tmp_path):
    log, folder = tmp_path / "log.txt", tmp_path / "twin"
    url = f"{mosquitto.url}/acme:west:cells/line_1"
    # Sixty plant minutes in some twenty seconds, then silence.
    plant = start("plant", LINE, "--sparkplug", url, "--speed", "180", "--scan", "5 s", log=log)
    store, twin = TwinStore(folder), None
    try:
        time.sleep(3.0)
        tags = browse_tags(url)
        mapping = propose_mapping(url, tags, LINE)
        assert check_mapping(mapping, LINE) == ()
        write_mapping(mapping.model_copy(update={"confirmed_by": "test"}), store.mapping)
        chances = random.Random(7)  # noqa: S311 - moments of a test

        def row():
            status = store.status()
            return 0 if status is None else status["row"]

        for _ in range(4):
            before = row()
            twin = start("sync", LINE, "--source", url, "--store", str(folder), log=log)
            wait_until(lambda before=before: row() > before, [plant, twin], log)
            time.sleep(chances.uniform(0.0, 1.0))
            twin.send_signal(signal.SIGKILL)
            twin.wait()
        twin = start("sync", LINE, "--source", url, "--store", str(folder), log=log)
        before = row()
        wait_until(lambda: row() > before, [plant, twin], log)
        # The plant stands still from here on, with its last values at the broker's subscribers.
        plant.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        twin.send_signal(signal.SIGTERM)
        assert twin.wait(PATIENCE) == 0, log.read_text()
    finally:
        plant.send_signal(signal.SIGKILL)
        plant.wait()
        if twin is not None and twin.poll() is None:
            twin.send_signal(signal.SIGKILL)
            twin.wait()
    from gigatwin.app.historians import open_historian  # noqa: PLC0415 - after the twin let go

    historian = open_historian(str(store.historian))
    try:
        latest = historian.latest()
        rows = historian.query("SELECT count(*) AS n, count(DISTINCT row) AS d FROM readings")
    finally:
        historian.close()
    status = store.status()
    assert rows["n"][0] == rows["d"][0] == status["row"]
    counted = {machine["name"]: machine["processed"] for machine in status["machines"]}
    said = {
        meaning.element: latest[tag].value
        for tag, meaning in mapping.tags.items()
        if meaning.quantity == "processed"
    }
    assert counted == said
    assert min(counted.values()) > 100
    assert json.loads((folder / "checkpoint.json").read_text())["row"] == status["row"]
