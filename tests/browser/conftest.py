"""Chromium without a window and without a network."""

import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=127.0.0.1:9",  # nothing listens there: every request fails
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--window-size=1280,2000",
    "--virtual-time-budget=20000",
    "--dump-dom",
)


@pytest.fixture(scope="session")
def chromium():
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed; install chromium.")
    return found


@pytest.fixture
def rendered(chromium, tmp_path):
    """Return a function that opens a file and gives what the browser made of it."""

    def render(path):
        done = subprocess.run(
            [chromium, *SWITCHES, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=180,
        )
        assert "</html>" in done.stdout, f"the browser gave no page:\n{done.stderr}"
        return done.stdout, done.stderr

    return render
