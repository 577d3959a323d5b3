"""Random numbers: one stream for each (element, purpose), and laws by inverse distributions.

One uniform number gives one duration, so two scenarios that share their streams share their luck.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gigatwin.kernel._jit import jit, jit_hot, jit_modular
from gigatwin.kernel.layout import STREAM, Law, Model, State

_SHIFT_30 = np.uint64(30)
_SHIFT_27 = np.uint64(27)
_SHIFT_31 = np.uint64(31)
_SHIFT_11 = np.uint64(11)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53
_SMALLEST = 2.0**-54
_SCORE = 8.0
_CENTRE = 0.425
_FAR_TAIL = 5.0
_CONSTANT = int(Law.CONSTANT)
_EXPONENTIAL = int(Law.EXPONENTIAL)
_UNIFORM = int(Law.UNIFORM)
_TRIANGULAR = int(Law.TRIANGULAR)
_WEIBULL = int(Law.WEIBULL)
_LOGNORMAL = int(Law.LOGNORMAL)
_GAMMA = int(Law.GAMMA)
_SAMPLES = int(Law.SAMPLES)


def new_streams(names: Sequence[str], seed: int, replication: int) -> NDArray[np.void]:
    """Return fresh streams, each seeded from its name alone.

    Parameters
    ----------
    names : sequence of str
        Name of each stream, such as ``winding#3/service``.
    seed : int
        Seed of the study.
    replication : int
        Number of the replication, from 0.

    Returns
    -------
    numpy.ndarray
        Records of `STREAM`, shape (n_streams,).
    """
    prefix = f"{seed}/{replication}/".encode()
    digests = b"".join(
        hashlib.blake2b(prefix + name.encode(), digest_size=16).digest() for name in names
    )
    words = np.frombuffer(digests, dtype="<u8").reshape(-1, 2)
    streams = np.zeros(len(names), dtype=STREAM)
    streams["state"] = words[:, 0]
    streams["gamma"] = words[:, 1] | np.uint64(1)
    return streams


@jit_modular
def uniform(state: State, stream: int) -> float:
    """Return the next number of a stream, 0 <= u < 1.

    SplitMix64 with an odd increment of its own for each stream (G. Steele, D. Lea, C. Flood, *Fast
    splittable pseudorandom number generators*, OOPSLA 2014).
    """
    word = state.streams[stream]
    z = word["state"] + word["gamma"]
    word["state"] = z
    z = (z ^ (z >> _SHIFT_30)) * _MIX_1
    z = (z ^ (z >> _SHIFT_27)) * _MIX_2
    z = z ^ (z >> _SHIFT_31)
    return float((z >> _SHIFT_11) * _TO_UNIT)


@jit
def normal_quantile(p: float) -> float:
    """Return the standard normal quantile of 0 < p < 1, to about 1e-16 relative.

    M. J. Wichura, Algorithm AS 241 (PPND16), *Applied Statistics* 37 (1988) 477-484.
    """
    q = p - 0.5
    if abs(q) <= _CENTRE:
        r = 0.180625 - q * q
        return float(
            q
            * (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r
                    + 6.7265770927008700853e4) * r + 4.5921953931549871457e4) * r
                  + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
                + 1.3314166789178437745e2) * r + 3.3871328727963666080e0)
            / (((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r
                    + 3.9307895800092710610e4) * r + 2.1213794301586595867e4) * r
                  + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
                + 4.2313330701600911252e1) * r + 1.0)
        )  # fmt: skip
    r = np.sqrt(-np.log(min(p, 1.0 - p)))
    if r <= _FAR_TAIL:
        r -= 1.6
        value = (
            (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r
                  + 2.41780725177450611770e-1) * r + 1.27045825245236838258e0) * r
                + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
              + 4.63033784615654529590e0) * r + 1.42343711074968357734e0)
            / (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r
                    + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r
                  + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
                + 2.05319162663775882187e0) * r + 1.0)
        )  # fmt: skip
    else:
        r -= 5.0
        value = (
            (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r
                  + 1.24266094738807843860e-3) * r + 2.65321895265761230930e-2) * r
                + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
              + 5.46378491116411436990e0) * r + 6.65790464350110377720e0)
            / (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r
                    + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r
                  + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
                + 5.99832206555887937690e-1) * r + 1.0)
        )  # fmt: skip
    return float(-value if q < 0.0 else value)


@jit
def _rare_law(laws: NDArray[np.void], tables: NDArray[np.float64], index: int, u: float) -> float:
    law = laws[index]
    kind = law["kind"]
    a = law["a"]
    b = law["b"]
    if kind == _UNIFORM:
        return float(a + (b - a) * u)
    if kind == _TRIANGULAR:
        c = law["c"]
        if u < (b - a) / (c - a):
            return float(a + np.sqrt(u * (c - a) * (b - a)))
        return float(c - np.sqrt((1.0 - u) * (c - a) * (c - b)))
    if kind == _WEIBULL:
        return float(a * (-np.log(1.0 - u)) ** b)
    if kind == _LOGNORMAL:
        return float(np.exp(a + b * normal_quantile(max(u, _SMALLEST))))
    first = law["first"]
    n = law["n"]
    if kind == _SAMPLES:
        return float(tables[first + int(u * n)])
    if kind == _GAMMA:
        score = min(max(normal_quantile(max(u, _SMALLEST)), -_SCORE), _SCORE)
        position = (score + _SCORE) / (2.0 * _SCORE) * (n - 1)
    else:
        position = u * (n - 1)
    cell = min(int(position), n - 2)
    low = tables[first + cell]
    high = tables[first + cell + 1]
    value = low + (high - low) * (position - cell)
    if kind == _GAMMA:
        return float(a * value * value * value)
    return float(value)


@jit_hot
def draw(model: Model, state: State, index: int, stream: int) -> float:
    """Return a value of a law with the next number of a stream; a constant uses none."""
    law = model.laws[index]
    kind = law["kind"]
    if kind == _CONSTANT:
        return float(law["a"])
    u = uniform(state, stream)
    if kind == _EXPONENTIAL:
        return float(-law["a"] * np.log(1.0 - u))
    return _rare_law(model.laws, model.tables, index, u)
