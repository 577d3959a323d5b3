"""gigatwin: a digital twin for discrete manufacturing lines.

Describe a line (or learn it from a log), simulate it item by item, read its KPIs.

>>> import gigatwin
>>> result = gigatwin.simulate(gigatwin.load("two-machine"), days=0.5, replications=4)
>>> mean, low, high = result.total("throughput_rate")  # items an hour, with its interval
>>> bool(low < 3000 < high)
True
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigatwin.equipment import load_machine
    from gigatwin.factory import Factory, load
    from gigatwin.learning import learn
    from gigatwin.simulation import Result, simulate
    from gigatwin.studies import compare

__all__ = [
    "Factory",
    "Result",
    "__version__",
    "compare",
    "learn",
    "load",
    "load_machine",
    "simulate",
]
__version__ = "0.1.0"

_HOME = {
    "Factory": "gigatwin.factory",
    "Result": "gigatwin.simulation",
    "compare": "gigatwin.studies",
    "learn": "gigatwin.learning",
    "load": "gigatwin.factory",
    "load_machine": "gigatwin.equipment",
    "simulate": "gigatwin.simulation",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``gigatwin --help`` answers at once."""
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    message = f"module 'gigatwin' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
