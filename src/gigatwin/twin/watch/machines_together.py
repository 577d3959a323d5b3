"""Mean times of machines side by side, and how much a mean has changed."""

import math
from collections.abc import Sequence

from gigatwin.factory.estimates import Estimate
from gigatwin.twin.watch.scores import Reference


def joint_mean(means: Sequence[float]) -> float:
    """Return the mean time of machines side by side: that of their joint rate."""
    return len(means) / math.fsum(1.0 / mean for mean in means) if means else 0.0


def together(parts: Sequence[Estimate]) -> Estimate:
    """Return the mean time of machines side by side, with its interval."""
    if len(parts) == 1:
        return parts[0]
    mean = joint_mean([part.value for part in parts])
    # The derivative of the joint mean by each is its square over that of the part.
    reaches = [
        (mean / part.value) ** 2 / len(parts) * ((part.high or part.value) - part.value)
        for part in parts
    ]
    reach = math.hypot(*reaches)
    return Estimate(
        value=mean,
        low=max(mean - reach, 0.0),
        high=mean + reach,
        unit="s",
        n=sum(part.n for part in parts),
        method="harmonic mean over the machines",
    )


def relative_change(level: Estimate, laws: Sequence[Reference], before: float) -> Estimate | None:
    """Return the relative change of a mean with its interval, None without a mean before.

    Parameters
    ----------
    level : Estimate
        Mean now.
    laws : sequence of Reference
        Laws before, whose errors count too.
    before : float
        Their joint mean. [s]
    """
    if before <= 0 or level.high is None:
        return None
    ratio = level.value / before
    errors = [law.spread * law.deviation / math.sqrt(law.n) for law in laws if law.n > 0]
    old = 1.96 * math.hypot(*errors) / max(len(laws), 1) if errors else 0.0
    reach = math.hypot((level.high - level.value) / before, ratio * old / before)
    return Estimate(
        value=ratio - 1.0,
        low=ratio - 1.0 - reach,
        high=ratio - 1.0 + reach,
        n=level.n,
        method="mean after over mean before",
    )
