"""A desk with two people, a plant that obeys or not, and a prediction that is known exactly."""

import pytest

from gigatwin.factory import read_text
from gigatwin.telemetry import PACKTAGS, Quantity, Receipt
from gigatwin.telemetry.ports import Diagnostics
from gigatwin.telemetry.tags import SETTING_PREFIX
from gigatwin.twin.changes import (
    ChangeDesk,
    Effect,
    Person,
    Prediction,
    Watched,
    make_key,
)

LINE = """
name: line
formats: {A: {}, B: {}}
stations:
  press: {kind: discrete, time: 10 s, machines: 2}
  oven: {kind: discrete, time: 6 s, buffer: {capacity: 5}}
"""
NOMINAL = 10.0
"""Items per minute at speed 1."""


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


class Book:
    """Tags of machines as the plant has them; the factor turns items/min into speed."""

    def __init__(self):
        self.values = {}
        for machine in ("press_1", "press_2", "oven"):
            self.values[f"{machine}/Status.MachSpeed"] = NOMINAL
            self.values[f"{machine}/Command.MachSpeed"] = 0.0
            self.values[f"{machine}/Status.Format"] = "A"
            self.values[f"{machine}/Command.Format"] = ""

    def tag_for(self, element, quantity, which=""):
        name = element.replace("#", "_")
        label = SETTING_PREFIX + which if quantity is Quantity.SETTING else PACKTAGS[quantity]
        tag = f"{name}/{label}"
        factor = 1 / NOMINAL if "MachSpeed" in label else 1.0
        return (tag, factor) if tag in self.values else None

    def present(self, tag):
        return self.values.get(tag)


class Plant:
    """A sink that keeps what was written, and says no when it is told to."""

    def __init__(self):
        self.values = {}
        self.instructions = []
        self.refuses = ""
        self.error = None

    async def open(self):
        pass

    async def send(self, instruction):
        self.instructions.append(instruction)
        if self.error is not None:
            raise self.error
        if self.refuses:
            return Receipt(instruction.identity, is_done=False, text=self.refuses)
        self.values |= {write.tag: write.value for write in instruction.writes}
        return Receipt(instruction.identity, is_done=True)

    async def close(self):
        pass

    def diagnostics(self):
        return Diagnostics("plant")

    @property
    def identities(self):
        return [instruction.identity for instruction in self.instructions]


def watched(station, guard, rate=600.0, scrap=0.02, spread=5.0):
    """Return what a station is predicted to do: independent increments, known exactly."""
    times = guard.times
    variance = spread**2 / len(times)
    good = tuple(rate * time / 3600 for time in times)
    covariance = tuple(
        tuple(variance * (min(j, k) + 1) for k in range(len(times))) for j in range(len(times))
    )
    return Watched(
        station=station,
        times=times,
        good=good,
        covariance=covariance,
        degrees=None,
        scrap=scrap,
        scrap_error=0.0,
        processed=tuple(each / (1 - scrap) for each in good),
        good_before=570.0,
        scrap_before=0.018,
    )


def predict(factory, changed, product_format, guard):
    del factory, changed, product_format
    effect = Effect("throughput_rate", "item/h", 570.0, 600.0, 20.0, 40.0, "better")
    stations = tuple(watched(station, guard) for station in guard.stations)
    return Prediction("known", (effect,), stations)


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Return the folder of private keys."""
    folder = tmp_path / "keys"
    monkeypatch.setenv("GIGATWIN_KEYS", str(folder))
    return folder


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def factory():
    return read_text(LINE, "line.yaml")


@pytest.fixture
def new_desk(tmp_path, keys, clock, book, factory):
    """Return a function that opens the desk anew, as the next process would."""
    del keys

    def opening(**options):
        given = {"book": book, "predict": predict, "clock": clock, **options}
        return ChangeDesk(tmp_path / "store", factory, **given)

    return opening


@pytest.fixture
def desk(new_desk):
    return new_desk()


@pytest.fixture
def add(desk):
    """Return a function that adds a person with a key, and returns who can sign."""
    desk.store.mkdir()

    def adding(name, *rights, **limits):
        signer = make_key(name)
        desk.people.add(name, Person(public_key=signer.public_key, rights=rights, **limits))
        return signer

    return adding


@pytest.fixture
def anna(add):
    return add("anna", "propose")


@pytest.fixture
def boris(add):
    return add("boris", "approve")


@pytest.fixture
def approved(desk, anna, boris):
    """Return a change that waits to be applied."""
    history = desk.propose({"press.speed": "1.05"}, reason="oven waits", by=anna)
    return desk.approve(history.change, boris).change
