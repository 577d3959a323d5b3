"""The learned line as a drawing: stations as boxes, buffers before them, ways between them."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from gigatwin.app.figures import FONT, INK, QUIET, SECOND
from gigatwin.app.learned.layout import Edge, Layout, layered
from gigatwin.app.learned.numbers import estimate_text, share_text
from gigatwin.app.learned.ways import JOIN, KNOWN, SCRAP, UNKNOWN, WAY, Way, drawn_ways
from gigatwin.factory.routing import OUT
from gigatwin.learning.flow.assembly import Join
from gigatwin.learning.flow.topology import IN
from gigatwin.learning.learned import Learned, LearnedStation

_MOSTLY, _OFTEN = 0.5, 0.2
"""Shares from which ways out and in have an end of their own; others are short arrows."""
_ALL = 0.995

_LEAST_BOX, _MOST_BOX, _HIGH = 124, 184, 72
_GAP, _LABEL_GAP, _PITCH = 54, 112, 122
_TAG, _TAG_HIGH = 38, 24
_PILL = 44
_LANE = 22
_NAME_CHARACTERS = 19
_CHARACTER, _BOLD = 7.4, 8.2
"""Width of a character, rather too much. [px]"""
_EDGE = 24


def line_graph(learned: Learned) -> str:
    """Return the learned line as an SVG element."""
    return _Drawing(learned).svg()


def _terminal(way: Way) -> str | None:
    """Return the name of the end of the line that a way is drawn to; rare ones are stubs."""
    if way.source == IN and way.share >= _OFTEN:
        return f"\0in {way.target}"
    if way.target == OUT and way.share >= _MOSTLY:
        return f"\0out {way.source}"
    return None


class _Drawing:
    """A drawing of a line, in pixels."""

    def __init__(self, learned: Learned) -> None:
        self.learned = learned
        self.drawn = drawn_ways(learned)
        self.box = _box_width(learned)
        layout = self._placed(list(learned.flow.stations), frozenset())
        # A way back that leads to the right all the same is drawn as any other.
        self.rightward = frozenset(
            (way.source, way.target)
            for way in self.drawn
            if way.kind == "back" and layout.layer[way.source] < layout.layer[way.target]
        )
        in_order = sorted(learned.flow.stations, key=layout.layer.__getitem__)
        self.layout = self._placed(in_order, self.rightward)
        self.lefts = self._lefts()
        bottom = max(self.layout.row.values(), default=0.0)
        passes = [row for chain in self.layout.passes.values() for _, row in chain]
        self.bottom = _EDGE + 24 + max([bottom, *passes]) * _PITCH + _HIGH
        self.backs = sorted(
            (way for way in self.drawn if self._is_below(way)),
            key=lambda way: abs(self._layer(way.source) - self._layer(way.target)),
        )
        self.lanes = self._lanes()

    def _is_below(self, way: Way) -> bool:
        """Return whether a way is drawn below the line."""
        return way.kind == "back" and (way.source, way.target) not in self.rightward

    def _placed(self, stations: list[str], rightward: frozenset[Edge]) -> Layout:
        begins: list[str] = []
        ends: list[str] = []
        weights: dict[Edge, float] = {}
        for way in self.drawn:
            name = _terminal(way)
            if name is not None and way.source == IN:
                begins.append(name)
                weights[name, way.target] = way.share
            elif name is not None:
                ends.append(name)
                weights[way.source, name] = way.share
            elif way.source == IN or way.target == OUT:
                continue
            elif way.kind in {"on", "join"} or (way.source, way.target) in rightward:
                weights[way.source, way.target] = way.share
        return layered([*begins, *stations, *ends], weights)

    def _layer(self, name: str) -> int:
        return self.layout.layer[name]

    def _lefts(self) -> list[float]:
        """Return where the boxes of each layer begin, with room for labels where there are any."""
        has_label = [False] * self.layout.n_layers
        for way in self.drawn:
            source = _terminal(way) if way.source == IN else way.source
            if source is not None and (way.share < _ALL or way.kind == "join"):
                has_label[self._layer(source)] = True
        first = [name for name, layer in self.layout.layer.items() if layer == 0]
        is_begin = all(name.startswith("\0") for name in first)
        lefts = [float(_EDGE - (self.box - _PILL) if is_begin else _EDGE + _TAG)]
        for label in has_label[:-1]:
            lefts.append(lefts[-1] + self.box + _TAG + (_LABEL_GAP if label else _GAP))
        return lefts

    def _x(self, layer: int) -> float:
        return self.lefts[layer]

    def _y(self, row: float) -> float:
        """Return the middle of a row."""
        return _EDGE + 24 + row * _PITCH + _HIGH / 2

    def _middle(self, name: str) -> float:
        return self._y(self.layout.row[name])

    def _left(self, name: str) -> float:
        """Return where ways into a station end."""
        x = self._x(self._layer(name))
        if name.startswith("\0"):
            return x
        return x - (_TAG if self.learned.stations[name].buffer is not None else 0)

    def _right(self, name: str) -> float:
        return self._x(self._layer(name)) + self.box

    def _lanes(self) -> dict[tuple[str, str], int]:
        """Return the lane below the line for each way back; those side by side share one."""
        lanes: list[list[tuple[int, int]]] = []
        found = {}
        for way in self.backs:
            low, high = sorted((self._layer(way.source), self._layer(way.target)))
            is_free = [all(high < a or low > b for a, b in taken) for taken in lanes]
            lane = is_free.index(True) if any(is_free) else len(lanes)
            if lane == len(lanes):
                lanes.append([])
            lanes[lane].append((low, high))
            found[way.source, way.target] = lane
        return found

    def svg(self) -> str:
        """Return the element."""
        width = self.lefts[-1] + self.box + _EDGE
        if all(
            name.startswith("\0")
            for name, layer in self.layout.layer.items()
            if layer == self.layout.n_layers - 1
        ):
            width -= self.box - _PILL
        n_lanes = 1 + max(self.lanes.values(), default=-1)
        height = self.bottom + (_LANE * n_lanes + 30 if n_lanes else 26) + 12
        parts = [
            *(self._way(way) for way in self.drawn),
            *(self._box(item) for item in self.learned.stations.values()),
            *(self._pill(name) for name in self.layout.layer if name.startswith("\0")),
            *self._labels(),
        ]
        name = escape(self.learned.factory.name)
        return (
            f'<svg class="line" xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
            f'aria-label="The line {name}" font-family="{escape(FONT)}" font-size="12" '
            f'fill="{INK}">{_MARKERS}{"".join(parts)}</svg>'
        )

    # Ways

    def _way(self, way: Way) -> str:
        colour, title = WAY, f"{way.n} moves, {share_text(way.share)} of those from {way.source}"
        terminal = _terminal(way)
        source, target = way.source, way.target
        if terminal is None and (source == IN or target == OUT):
            return ""
        source = terminal if source == IN and terminal else source
        target = terminal if target == OUT and terminal else target
        marker = "way"
        if self._is_below(way):
            colour, marker, path = SECOND, "back", self._back_path(way)
        elif way.kind == "self":
            colour, marker, path = SECOND, "back", self._loop_path(way.source)
        else:
            if way.kind == "join":
                colour, marker = JOIN, "join"
            elif way.kind == "back":
                colour, marker = SECOND, "back"
            path = self._path(source, target)
        stroke = 1.2 + 1.6 * way.share
        dash = ' stroke-dasharray="5 3"' if way.kind in {"back", "self"} else ""
        return (
            f'<path class="way {way.kind}" d="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="{stroke:.1f}"{dash} marker-end="url(#{marker})">'
            f"<title>{escape(_name(way.source))} to {escape(_name(way.target))}: "
            f"{escape(title)}</title></path>"
        )

    def _points(self, source: str, target: str) -> list[tuple[float, float]]:
        points = [(self._right(source), self._middle(source))]
        for layer, row in self.layout.passes.get((source, target), ()):
            points += [
                (self._x(layer) - _TAG, self._y(row)),
                (self._x(layer) + self.box, self._y(row)),
            ]
        return [*points, (self._left(target) - 2, self._middle(target))]

    def _path(self, source: str, target: str) -> str:
        points = self._points(source, target)
        text = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
        for k, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
            if k % 2:
                text += f"L{to_x:.1f},{to_y:.1f}"
                continue
            bend = (to_x - x) / 2
            text += f"C{x + bend:.1f},{y:.1f} {to_x - bend:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"
        return text

    def _back_corners(self, way: Way) -> tuple[float, float, float, float, float]:
        lane = self.lanes[way.source, way.target]
        low = _HIGH / 2 - 12
        right = self._right(way.source) + 10 + 5 * (lane % 6)
        left = self._x(self._layer(way.target)) - _TAG - 12 - 5 * (lane % 6)
        return (
            self._middle(way.source) + low,
            right,
            self.bottom + 30 + _LANE * lane,
            left,
            self._middle(way.target) + low,
        )

    def _back_path(self, way: Way) -> str:
        begin, right, deep, left, end = self._back_corners(way)
        r = 8
        return (
            f"M{self._right(way.source):.1f},{begin:.1f}H{right - r:.1f}q{r},0 {r},{r}"
            f"V{deep - r:.1f}q0,{r} -{r},{r}H{left + r:.1f}q-{r},0 -{r},-{r}"
            f"V{end + r:.1f}q0,-{r} {r},-{r}H{self._x(self._layer(way.target)) - 2:.1f}"
        )

    def _loop_path(self, name: str) -> str:
        x, y = self._right(name) - 44, self._middle(name) - _HIGH / 2
        return f"M{x + 26:.1f},{y:.1f}c6,-22 -32,-22 -26,-2"

    def _labels(self) -> Iterator[str]:
        for way in self.drawn:
            text = share_text(way.share)
            if way.kind == "join":
                text = self._join_text(way)
            elif way.share >= _ALL and way.kind == "on":
                continue
            terminal = _terminal(way)
            if terminal is None and IN in {way.source, way.target}:
                x, y = self._x(self._layer(way.target)) + 30, self._middle(way.target) - _HIGH / 2
                yield _arrow(x, y - 14, y - 2, WAY, "way")
                yield _text(x + 6, y - 9, f"in {text}", QUIET, anchor="start")
            elif way.target == OUT and terminal is None:
                yield self._stub(way)
            elif self._is_below(way):
                _, right, deep, left, _ = self._back_corners(way)
                yield _text((left + right) / 2, deep + 4, text, "#a85f16")
            elif way.kind == "self":
                x, y = self._right(way.source) - 52, self._middle(way.source) - _HIGH / 2
                yield _text(x, y - 8, f"again {text}", "#a85f16", anchor="end")
            else:
                source = terminal if way.source == IN and terminal else way.source
                target = terminal if way.target == OUT and terminal else way.target
                (x, y), (to_x, to_y) = self._points(source, target)[:2]
                # On the curve, a little before its middle.
                at = (x + 0.455 * (to_x - x), y + 0.41 * (to_y - y) + 4)
                yield _text(*at, text, INK)
                if way.kind == "join" and self._join(way).basis == "assumed":
                    yield _text(at[0], at[1] + 14, "assumed", QUIET)

    def _join(self, way: Way) -> Join:
        joins = self.learned.flow.joins[way.target]
        return next(join for join in joins if join.source == way.source)

    def _join_text(self, way: Way) -> str:
        n_items = max(1, self.learned.stations[way.target].times.mean.n)
        return f"{max(1, round(self._join(way).n / n_items))} per item"

    def _stub(self, way: Way) -> str:
        """Return an arrow to the outside, for what leaves the line on its way."""
        n_scrap = self.learned.flow.scrap.get(way.source, 0)
        share = way.share
        x, y = self._x(self._layer(way.source)), self._middle(way.source) + _HIGH / 2
        word, colour, marker = ("scrap", SCRAP, "scrap") if n_scrap else ("out", QUIET, "way")
        return _arrow(x + 40, y, y + 16, colour, marker) + _text(
            x + 48, y + 14, f"{word} {share_text(share)}", colour, anchor="start"
        )

    # Stations

    def _box(self, item: LearnedStation) -> str:
        x, y = self._x(self._layer(item.name)), self._middle(item.name) - _HIGH / 2
        is_known = item.times.is_identified
        colour, fill = (KNOWN, "#f3f9f4") if is_known else (UNKNOWN, "#fdf4ea")
        dash = "" if is_known else ' stroke-dasharray="5 3"'
        name = _short(item.name)
        known = "mean time known to 10 %" if is_known else "mean time not known to 10 %"
        title = f"{item.name}: {', '.join(item.activities)} on {', '.join(item.machines)}; {known}"
        return (
            f'<g class="station"><title>{escape(title)}</title>'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{self.box:.0f}" height="{_HIGH}" rx="6" '
            f'fill="{fill}" stroke="{colour}" stroke-width="1.6"{dash}/>'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="5" height="{_HIGH}" rx="2.5" fill="{colour}"/>'
            + _text(x + 14, y + 22, name, INK, anchor="start", size=13, weight=650, has_halo=False)
            + _inside(x + 14, y + 42, estimate_text(item.times.mean), INK)
            + _inside(x + 14, y + 60, _kind(item), QUIET)
            + "</g>"
            + self._tag(item, x, y + _HIGH / 2)
        )

    def _tag(self, item: LearnedStation, x: float, y: float) -> str:
        buffer = item.buffer
        if buffer is None:
            return ""
        colour = KNOWN if buffer.is_identified else UNKNOWN
        text = f"{buffer.capacity}" if buffer.is_identified else f"\u2265 {buffer.capacity}"
        dash = "" if buffer.is_identified else ' stroke-dasharray="4 2"'
        return (
            f'<g class="buffer"><title>Buffer before {escape(item.name)}: {text} places. '
            f"{escape(buffer.note)}</title>"
            f'<rect x="{x - _TAG:.1f}" y="{y - _TAG_HIGH / 2:.1f}" width="{_TAG}" '
            f'height="{_TAG_HIGH}" fill="white" stroke="{colour}" stroke-width="1.4"{dash}/>'
            + _text(x - _TAG / 2, y + 4, text, INK, has_halo=False)
            + "</g>"
        )

    def _pill(self, name: str) -> str:
        is_begin = name.startswith("\0in")
        x = self._x(self._layer(name)) + (self.box - _PILL if is_begin else 0)
        y = self._middle(name)
        return (
            f'<rect x="{x:.1f}" y="{y - 13:.1f}" width="{_PILL}" height="26" rx="13" '
            f'fill="#eef1f3" stroke="{WAY}"/>'
            + _text(x + _PILL / 2, y + 4, IN if is_begin else OUT, QUIET, has_halo=False)
        )


def _short(name: str) -> str:
    if len(name) <= _NAME_CHARACTERS:
        return name
    return f"{name[: _NAME_CHARACTERS - 9]}\u2026{name[-8:]}"


def _box_width(learned: Learned) -> float:
    texts = [
        max(
            _BOLD * len(_short(item.name)),
            _CHARACTER * max(len(estimate_text(item.times.mean)), len(_kind(item))),
        )
        for item in learned.stations.values()
    ]
    return min(max(_LEAST_BOX, 26 + max(texts)), _MOST_BOX)


def _kind(item: LearnedStation) -> str:
    n = len(item.machines)
    parts = [f"{n} machines" if n > 1 else "1 machine"]
    kept = item.residence
    if kept is not None and kept.batch is not None:
        parts.append(f"batch of {kept.batch.size.value:.0f}")
    elif kept is not None and kept.storage is not None:
        parts.append("storage")
    elif item.n_servers > n:
        parts.append(f"{item.n_servers} at once")
    if item.times.stops or item.recorded_stops:
        parts.append("stops")
    return " \u00b7 ".join(parts)


def _name(name: str) -> str:
    return {IN: "begin", OUT: "out"}.get(name, name)


def _text(  # noqa: PLR0913 - how a text is drawn
    x: float,
    y: float,
    text: str,
    colour: str,
    *,
    anchor: str = "middle",
    size: int = 12,
    weight: int = 400,
    has_halo: bool = True,
) -> str:
    halo = ' stroke="white" stroke-width="5" paint-order="stroke"' if has_halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}" fill="{colour}"{halo}>{escape(text)}</text>'
    )


def _inside(x: float, y: float, text: str, colour: str) -> str:
    return _text(x, y, text, colour, anchor="start", has_halo=False)


def _arrow(x: float, y: float, to_y: float, colour: str, marker: str) -> str:
    return (
        f'<path d="M{x:.1f},{y:.1f}V{to_y:.1f}" fill="none" stroke="{colour}" stroke-width="1.4" '
        f'marker-end="url(#{marker})"/>'
    )


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
        f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0,0.5L8,4L0,7.5z" fill="{colour}"/></marker>'
    )


_MARKERS = (
    "<defs>"
    + _marker("way", WAY)
    + _marker("back", SECOND)
    + _marker("join", JOIN)
    + _marker("scrap", SCRAP)
    + "</defs>"
)
