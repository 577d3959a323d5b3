"""The ways of a learned line, which of them are drawn, and what the signs of the drawing mean."""

from dataclasses import dataclass
from html import escape

from gigatwin.app.figures import SECOND
from gigatwin.learning.learned import Learned

KNOWN = "#5b9a6f"
"""Colour of what the log tells."""
UNKNOWN = SECOND
"""Colour of what it does not tell."""
SCRAP, JOIN, WAY = "#b3372e", "#7a5aa6", "#8a97a3"
"""Colours of scrap, of parts that go into an assembly, of other ways."""
_RARE = 0.05
"""Share below which a way is left out where there are many."""
_MANY_WAYS = 1.6
"""Ways for each station from which there are many."""


@dataclass(frozen=True)
class Way:
    """A way between two stations."""

    source: str
    target: str
    share: float
    """Share of what leaves the source."""
    n: int
    """Moves in the log."""
    kind: str
    """``on``, ``back``, ``self`` or ``join``."""


def ways(learned: Learned) -> list[Way]:
    """Return the ways between stations, those into and out of the line included."""
    flow = learned.flow
    position = {name: k for k, name in enumerate(flow.stations)}
    joins = {(join.source, station) for station, found in flow.joins.items() for join in found}
    found = []
    for source, targets in flow.arcs.items():
        total = sum(targets.values()) or 1
        for target, n in targets.items():
            kind = "on"
            if (source, target) in joins:
                kind = "join"
            elif source == target:
                kind = "self"
            elif source in position and target in position:
                is_back = (source, target) in flow.rework or position[target] < position[source]
                kind = "back" if is_back else "on"
            found.append(Way(source, target, n / total, n, kind))
    return found


def drawn_ways(learned: Learned) -> list[Way]:
    """Return the ways that are drawn: without rare ones where there are many."""
    found = ways(learned)
    if len(found) <= _MANY_WAYS * len(learned.flow.stations) + 2:
        return found
    strongest: dict[str, Way] = {}
    for way in sorted(found, key=lambda way: way.n):
        strongest[way.target] = way
    return [
        way
        for way in found
        if way.share >= _RARE or way.kind == "join" or way is strongest[way.target]
    ]


def legend(learned: Learned) -> str:
    """Return what the signs of the drawing mean, as HTML; only those that it has."""
    kinds = {way.kind for way in drawn_ways(learned)}
    has_scrap = bool(learned.flow.scrap)
    has_buffer = any(item.buffer is not None for item in learned.stations.values())
    known = f'<rect x="1" y="2" width="24" height="12" rx="3" fill="#f3f9f4" stroke="{KNOWN}"/>'
    guess = (
        f'<rect x="1" y="2" width="24" height="12" rx="3" fill="#fdf4ea" stroke="{UNKNOWN}" '
        'stroke-dasharray="4 2"/>'
    )
    signs = [
        (known, "the log tells it", True),
        (guess, "the log does not tell it, or only a bound (\u2265)", True),
        (_sample(WAY), "way, with its share of what leaves the station", True),
        (_sample(SECOND, "5 3"), "back for another pass", bool(kinds & {"back", "self"})),
        (_sample(JOIN), "parts that go into an assembly", "join" in kinds),
        (_sample(SCRAP), "leaves as scrap", has_scrap),
        (
            '<rect x="1" y="2" width="24" height="12" fill="white" stroke="#5b9a6f"/>',
            "places in the buffer before a station",
            has_buffer,
        ),
    ]
    items = "".join(
        f'<span><svg width="26" height="16" aria-hidden="true">{sign}</svg>{escape(text)}</span>'
        for sign, text, is_used in signs
        if is_used
    )
    return f'<div class="legend">{items}</div>'


def _sample(colour: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M1,8H25" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
