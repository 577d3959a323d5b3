"""The only place with compiler flags, and the folder of compiled code.

Numba's disk cache looks at the file of a function alone, not at what it imports (numba issue
1833), so compiled code is kept in a folder named by a digest of all kernel sources; a change of any
of them starts a new one.
"""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def cache_folder() -> Path:
    """Return the folder that compiled code of exactly these sources is kept in."""
    here = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted([*here.glob("*.py"), *(here.parent / "standards").glob("*.py")]):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    if not os.access(Path(base).parent, os.W_OK):
        base = tempfile.gettempdir()
    return Path(base) / "gigatwin" / f"kernel-{digest.hexdigest()}"


os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

import numba  # noqa: E402 - the cache folder must be known before
import numpy as np  # noqa: E402 - as above

INTERPRETED: bool = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}
"""True when the kernel runs as plain Python (``NUMBA_DISABLE_JIT=1``)."""

# Without Numba's reference counts (_nrt): counting the dozens of arrays of a run at each call made
# the kernel 40 times slower. Its functions may not create arrays in return.
_FLAGS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of the kernel; it runs without the interpreter's lock."""
    return cast("Callable[P, R]", numba.njit(**_FLAGS)(function))


def jit_hot(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on the way of every item into the machine code of its callers."""
    return cast("Callable[P, R]", numba.njit(**_FLAGS, forceinline=True)(function))


def jit_inline(function: Callable[P, R]) -> Callable[P, R]:
    """Put the lines of a very small function into its callers before they are compiled."""
    return cast("Callable[P, R]", numba.njit(**_FLAGS, inline="always")(function))


def jit_modular(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function whose integers are meant to wrap around."""
    if not INTERPRETED:
        return jit_inline(function)

    @functools.wraps(function)
    def wrapping(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(over="ignore"):
            return function(*args, **kwargs)

    return wrapping
