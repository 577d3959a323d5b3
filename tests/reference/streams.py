"""Random numbers and the laws of durations, one number at a time."""

import math
from statistics import NormalDist

from gigatwin.kernel.layout import Law

WORD = (1 << 64) - 1


class Stream:
    """A SplitMix64 stream: a state and the odd number it grows by."""

    def __init__(self, state, gamma):
        self.state = int(state)
        self.gamma = int(gamma)

    def uniform(self):
        """Return the next number, at least 0 and below 1."""
        self.state = (self.state + self.gamma) & WORD
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        z ^= z >> 31
        return (z >> 11) * 2.0**-53

    def happens(self, probability):
        """Decide a chance; certainty and impossibility draw no number."""
        if probability <= 0.0:
            return False
        if probability >= 1.0:
            return True
        return self.uniform() < probability


def normal_score(u):
    return NormalDist().inv_cdf(max(u, 2.0**-54))


def interpolate(table, position):
    low = min(int(position), len(table) - 2)
    return table[low] + (table[low + 1] - table[low]) * (position - low)


def from_formula(law, u):
    a, b, c = law.a, law.b, law.c
    if law.kind == Law.EXPONENTIAL:
        return -a * math.log(1.0 - u)
    if law.kind == Law.UNIFORM:
        return a + (b - a) * u
    if law.kind == Law.WEIBULL:
        return a * (-math.log(1.0 - u)) ** b
    if law.kind == Law.LOGNORMAL:
        return math.exp(a + b * normal_score(u))
    if u < (b - a) / (c - a):
        return a + math.sqrt(u * (c - a) * (b - a))
    return c - math.sqrt((1.0 - u) * (c - a) * (c - b))


def from_table(law, table, u):
    if law.kind == Law.SAMPLES:
        return table[int(u * law.n)]
    if law.kind == Law.QUANTILES:
        return interpolate(table, u * (law.n - 1))
    score = min(max(normal_score(u), -8.0), 8.0)
    return law.a * interpolate(table, (score + 8.0) / 16.0 * (law.n - 1)) ** 3


def draw(law, tables, stream):
    """Draw a duration; ``law`` is a row of the table of laws, ``tables`` what rows point into."""
    if law.kind == Law.CONSTANT:
        return law.a
    u = stream.uniform()
    if law.n:
        return from_table(law, tables[law.first : law.first + law.n], u)
    return from_formula(law, u)
