"""A factory whose numbers are drawn from how well they are known."""

import hashlib
import math
from collections.abc import Callable
from typing import Any, TypeVar

import scipy
from pydantic import BaseModel

from gigatwin.factory.described import Described
from gigatwin.factory.durations import Distribution, Empirical, Law, Triangular, Uniform, mean_of
from gigatwin.factory.elements import (
    LAWS_OF_TIME,
    MEAN,
    Allowed,
    allowed_in,
    described_elements,
    steps_to,
    value_at,
)
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.resources import Shifts
from gigatwin.factory.routing import Route
from gigatwin.units import Content, Items, Length

_SCORE_OF_END = 1.959963984540054
"""Standard normal score of the upper end of a 95 % interval."""
_LEAST_PART = 1e-6
_JEFFREYS = 0.5
_DRAWN_COUNTS = {"capacity", "machines"}
_LARGEST_EXPONENT = 700.0
Element = TypeVar("Element", bound=BaseModel)
Uniform01 = Callable[[tuple[str, ...]], float]
"""Name of a number to the uniform number that it is drawn with."""


def has_estimates(factory: Factory) -> bool:
    """Return whether any number of a factory has an estimate, so that it can be drawn."""
    return any(element.estimates for _, element in described_elements(factory))


def drawn(factory: Factory, seed: int, replication: int) -> Factory:
    """Return a factory whose numbers are drawn from their estimates, without estimates.

    Parameters
    ----------
    factory : Factory
        With estimates beside some of its numbers; the others stay as they are.
    seed, replication : int
        Choose the draw. Each number has its own stream, named by where it stands, so that an
        element added elsewhere changes no other draw.

    Notes
    -----
    The estimate is the median and the ends of its interval are the 2.5 % and 97.5 % points: a
    number above 0 is normal on the logarithmic scale and a share on the logistic one, each half
    with a spread of its own. Where an end lies at the border of what is allowed, a share is drawn
    from its Beta posterior (Jeffreys prior) and a number on the linear scale. Ways on and format
    mixes are drawn together, from the Dirichlet posterior with the same prior. An estimate beside
    a law, or of the mean of an empirical one, scales the values of the law.

    A count that is identified stays. A capacity or a number of machines of which only a lower
    bound is known is drawn between that bound and twice as many, all equally likely; so is
    another number whose interval has no upper end and no width below. This is an assumption. Any
    other number without an upper end gets as wide an interval above as below.
    """

    def uniform(name: tuple[str, ...]) -> float:
        text = "/".join((str(seed), str(replication), "parameters", *name))
        word = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
        return (word + 0.5) / 2.0**64

    return _element(factory, (), uniform)


def _element(element: Element, path: tuple[str, ...], uniform: Uniform01) -> Element:
    """Return an element with everything within it drawn."""
    update: dict[str, Any] = {}
    for name in element.model_fields_set - {"estimates"}:
        value = getattr(element, name)
        new = _within(value, (*path, name), uniform)
        if new is not value:
            update[name] = new
    if isinstance(element, Described) and element.estimates:
        _add_numbers(element, path, uniform, update)
        update["estimates"] = {}
    return _in_order(element, element.model_copy(update=update)) if update else element


def _within(value: Any, path: tuple[str, ...], uniform: Uniform01) -> Any:  # noqa: ANN401 - any part of a factory
    if isinstance(value, BaseModel):
        return _element(value, path, uniform)
    if isinstance(value, dict):
        inner = {key: _within(item, (*path, key), uniform) for key, item in value.items()}
        return value if all(inner[key] is item for key, item in value.items()) else inner
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        if isinstance(value[0], Route):
            return _routes(value, path, uniform)
        items = tuple(_within(item, (*path, str(k)), uniform) for k, item in enumerate(value))
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _add_numbers(
    element: Described, path: tuple[str, ...], uniform: Uniform01, update: dict[str, Any]
) -> None:
    """Add the drawn numbers of an element to what is new about it."""
    if isinstance(element, Arrivals) and element.formats:
        update["formats"] = _mix(element, path, uniform)
    for key, estimate in element.estimates.items():
        name = (*path, key)
        if isinstance(element, Empirical):
            update.update(_scaled(element, element, estimate, uniform(name)))
            continue
        steps = steps_to(element, key)
        is_done = isinstance(element, Arrivals) and key.startswith("formats.")
        is_fixed = isinstance(element, Distribution) and element.distribution == "exponential"
        if steps is None or is_done or (is_fixed and key == "cv"):
            continue
        field = steps[0]
        old = value_at(element, steps)
        allowed = allowed_in(type(element), field)
        now = update.get(field, getattr(element, field))
        if isinstance(old, LAWS_OF_TIME):
            if MEAN in old.estimates:
                continue  # it has been drawn with the law
            law = value_at(now, steps[1:])
            new: Any = law.model_copy(update=_scaled(old, law, estimate, uniform(name)))
        elif isinstance(old, int):
            new = _count(old, estimate, uniform(name)) if field in _DRAWN_COUNTS else old
            new = min(new, int(allowed.most))
        else:
            new = _measure(old, estimate, allowed, uniform(name))
        update[field] = _put(now, steps[1:], new)


def _put(value: Any, steps: tuple[str, ...], new: Any) -> Any:  # noqa: ANN401 - any part of a factory
    """Return a value in which the number at the end of some steps is new."""
    if not steps:
        return new
    first, *rest = steps
    if isinstance(value, dict):
        return {**value, first: _put(value[first], tuple(rest), new)}
    inner = _put(getattr(value, first), tuple(rest), new)
    return value.model_copy(update={first: inner})


def _measure(old: Any, estimate: Estimate, allowed: Allowed, u: float) -> Any:  # noqa: ANN401 - a number or measure
    if isinstance(old, Items):
        return Items(max(1.0, float(round(_amount(old.value, estimate, allowed, u)))))
    if isinstance(old, Length):
        return Length(_amount(old.value, estimate, allowed, u))
    if allowed.is_share:
        return _share(old, estimate, u)
    new = _amount(old, estimate, allowed, u)
    return Content(new, old.unit) if isinstance(old, Content) else new


def _count(old: int, estimate: Estimate, u: float) -> int:
    if estimate.is_identified:
        return old
    low, high = (old, 2 * old) if estimate.high is None else (estimate.low, estimate.high)
    return math.ceil(low) + int(u * (math.floor(high) - math.ceil(low) + 1))


def _amount(old: float, estimate: Estimate, allowed: Allowed, u: float) -> float:
    """Return a number by the two halves of a normal law, on the logarithmic scale if it can be."""
    low, middle, high = estimate.low, estimate.value, estimate.high
    if old == 0.0 or middle == 0.0:
        return old
    if high is None and low == middle:
        return min(old * (1.0 + u), allowed.most)
    score = float(scipy.special.ndtri(u)) / _SCORE_OF_END
    if low > 0.0:
        up = math.log(middle / low) if high is None else math.log(high / middle)
        exponent = score * (math.log(middle / low) if score < 0.0 else up)
        factor = math.exp(min(exponent, _LARGEST_EXPONENT))
    else:
        up = middle - low if high is None else high - middle
        factor = 1.0 + score * (middle - low if score < 0.0 else up) / middle
    least = max(allowed.least, _LEAST_PART * old) if allowed.least > 0.0 else allowed.least
    return min(max(old * factor, least), allowed.most)


def _share(old: float, estimate: Estimate, u: float) -> float:
    # An interval by a normal law may leave what a share can be.
    low = min(max(estimate.low, 0.0), 1.0)
    high = 1.0 if estimate.high is None else min(estimate.high, 1.0)
    if low == high:
        return old
    special = scipy.special
    if 0.0 < low <= old <= high < 1.0:
        middle = special.logit(old)
        score = special.ndtri(u) / _SCORE_OF_END
        half = middle - special.logit(low) if score < 0.0 else special.logit(high) - middle
        return float(special.expit(middle + score * half))
    if estimate.n == 0:
        return low + u * (high - low)
    found = old * estimate.n
    return float(special.betaincinv(found + _JEFFREYS, estimate.n - found + _JEFFREYS, u))


def _dirichlet(shares: list[float], numbers: list[int], uniforms: list[float]) -> list[float]:
    """Return shares with the same sum, drawn together."""
    total = math.fsum(shares)
    if len(shares) == 1 or total == 0.0:
        return shares
    parts = [
        float(scipy.special.gammaincinv(share / total * n + _JEFFREYS, u))
        for share, n, u in zip(shares, numbers, uniforms, strict=True)
    ]
    scale = total / math.fsum(parts)
    return [part * scale for part in parts]


def _routes(routes: tuple[Route, ...], path: tuple[str, ...], uniform: Uniform01) -> Any:  # noqa: ANN401 - routes
    """Return ways on with shares drawn together, among those open to the same formats."""
    new = {k: way.model_copy(update={"estimates": {}}) for k, way in enumerate(routes)}
    groups: dict[tuple[str, ...], list[int]] = {}
    for k, way in enumerate(routes):
        if "share" in way.estimates:
            groups.setdefault(way.formats, []).append(k)
    if not groups:
        return routes
    for group in groups.values():
        ways = [routes[k] for k in group]
        shares = _dirichlet(
            [way.share for way in ways],
            [way.estimates["share"].n for way in ways],
            [uniform((*path, way.to, *way.formats, "share")) for way in ways],
        )
        for k, share in zip(group, shares, strict=True):
            new[k] = new[k].model_copy(update={"share": share})
    return tuple(new.values())


def _mix(arrivals: Arrivals, path: tuple[str, ...], uniform: Uniform01) -> dict[str, float]:
    """Return the mix of formats, those with an estimate drawn together."""
    mix = dict(arrivals.formats)
    keys = {name: f"formats.{name}" for name in mix if f"formats.{name}" in arrivals.estimates}
    if keys:
        shares = _dirichlet(
            [mix[name] for name in keys],
            [arrivals.estimates[key].n for key in keys.values()],
            [uniform((*path, key)) for key in keys.values()],
        )
        mix.update(zip(keys, shares, strict=True))
    return mix


def _scaled(known: Law, law: Law, estimate: Estimate, u: float) -> dict[str, Any]:
    """Return the values of a law, scaled by what its mean becomes over what it was known as."""
    mean = mean_of(known)
    if mean == 0.0:
        return {}
    factor = _amount(mean, estimate, allowed_in(Empirical, MEAN), u) / mean
    factor = max(factor, _LEAST_PART)
    fields = ("mean", "low", "mode", "high", "samples", "quantiles")
    values = {field: getattr(law, field, None) for field in fields}
    return {
        field: tuple(v * factor for v in value) if isinstance(value, tuple) else value * factor
        for field, value in values.items()
        if value is not None
    }


def _in_order(old: Element, new: Element) -> Element:
    """Return a drawn element whose numbers still stand in the order they must have."""
    if isinstance(new, Uniform):
        low, high = sorted((new.low, new.high))
        return new.model_copy(update={"low": low, "high": high})
    if isinstance(new, Triangular):
        low, mode, high = sorted((new.low, new.mode, new.high))
        return new.model_copy(update={"low": low, "mode": mode, "high": high})
    if isinstance(old, Shifts) and isinstance(new, Shifts):
        times = [step.at for step in new.steps]
        if times != sorted(set(times)) or times[-1] >= new.period:
            steps = tuple(
                step.model_copy(update={"at": before.at})
                for step, before in zip(new.steps, old.steps, strict=True)
            )
            return new.model_copy(update={"steps": steps, "period": old.period})
    return new
