"""Items come and go: a pool of records with a chain of free ones."""

import numpy as np

from gigatwin.kernel._jit import jit_inline
from gigatwin.kernel.layout import N_LEAD_BINS, State

_BINS_PER_OCTAVE = 32.0
_BIN_OF_ONE_SECOND = 320


@jit_inline
def create(state: State, product_format: int, order: int, content: float, now: float) -> int:
    """Take a free record and make it a new item without defects."""
    control = state.control[0]
    item = int(control["first_free"])
    r = state.items[item]
    control["first_free"] = r["next"]
    control["n_free"] -= 1
    r["next"] = -1
    r["serial"] = control["serial"]
    control["serial"] += 1
    control["created"] += 1
    r["format"] = product_format
    r["order"] = order
    r["reworks"] = 0
    r["defects"] = 0
    r["born"] = now
    r["made"] = np.inf
    r["content"] = content
    r["arrives"] = now
    return item


@jit_inline
def release(state: State, item: int) -> None:
    """Give the record of an item back."""
    control = state.control[0]
    state.items[item]["next"] = control["first_free"]
    control["first_free"] = item
    control["n_free"] += 1


@jit_inline
def count_lead_time(state: State, product_format: int, seconds: float) -> None:
    """Count the lead time of a product in its bin, 32 bins an octave from 2**-10 s on."""
    bin_ = 0
    if seconds > 0.0:
        bin_ = int(np.floor(_BINS_PER_OCTAVE * np.log2(seconds))) + _BIN_OF_ONE_SECOND
        bin_ = min(max(bin_, 0), N_LEAD_BINS - 1)
    state.lead_times[product_format, bin_] += 1
