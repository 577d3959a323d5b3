"""What the model says of an item by the place it is at: its content, and the defects it may carry.

A plant shows neither; a live state needs both.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.kernel.layout import Size

_MOST_SWEEPS = 60
_CONVERGED = 1e-9
_SURELY = 1.0 - 1e-12


class ModelItems:
    """Mean content and shares of defects of the items of a compiled factory, by place.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self._compiled = compiled
        self._model = compiled.model
        self._n_formats = len(compiled.formats)

    @functools.cached_property
    def contents(self) -> NDArray[np.float64]:
        """Content of an item in each buffer, by format. Shape (n_buffers, n_formats)."""
        model, n_formats = self._model, self._n_formats
        found = np.full((len(model.buffers), n_formats), np.nan)
        for arrival in model.arrivals:
            found[arrival["buffer"]] = 1.0
        for _ in range(len(model.stations)):
            before = int(np.isnan(found).sum())
            for index, station in enumerate(model.stations):
                for column in range(n_formats):
                    content = model.recipes[index * n_formats + column]["content"]
                    if np.isnan(content):
                        primary = int(station["buffer"])
                        content = 1.0 if primary < 0 else found[primary, column]
                    for buffer in self._aims(index, column):
                        if np.isnan(found[buffer, column]):
                            found[buffer, column] = content
            if int(np.isnan(found).sum()) == before:
                break
        return np.where(np.isnan(found), 1.0, found)

    def _aims(self, station: int, column: int) -> list[int]:
        """Return the buffers that a station's items of a format go to."""
        recipe = self._model.recipes[station * self._n_formats + column]
        first = int(recipe["first_route"])
        routes = self._model.routes["buffer"][first : first + int(recipe["n_routes"])]
        rework = int(self._model.stations[station]["rework"])
        return [int(buffer) for buffer in (*routes, rework) if buffer >= 0]

    @functools.cached_property
    def defects(self) -> NDArray[np.float64]:
        """Share of the items in each buffer that carry each defect.

        float64, shape (n_buffers, n_formats, n_defects). Defects count as independent of each
        other.
        """
        n_defects = int(self._model.sizes[Size.DEFECTS])
        shape = (len(self._model.buffers), self._n_formats, n_defects)
        if n_defects == 0:
            return np.zeros(shape)
        shares = np.zeros(shape)
        for column in range(self._n_formats):
            shares[:, column] = self._shares(column, n_defects)
        return shares

    def _shares(self, column: int, n_defects: int) -> NDArray[np.float64]:
        """Return the shares of one format, by what flows where in the long run."""
        model = self._model
        n_buffers = len(model.buffers)
        flow = np.zeros(n_buffers)
        bad = np.zeros((n_buffers, n_defects))
        for _ in range(_MOST_SWEEPS):
            new_flow = np.zeros(n_buffers)
            new_bad = np.zeros((n_buffers, n_defects))
            new_flow[model.arrivals["buffer"]] += 1.0
            for index in range(len(model.stations)):
                self._pass_on(index, column, (flow, bad), (new_flow, new_bad))
            change = float(np.abs(new_flow - flow).sum() + np.abs(new_bad - bad).sum())
            flow, bad = new_flow, new_bad
            if change < _CONVERGED * (1.0 + float(flow.sum())):
                break
        return bad / np.where(flow > 0.0, flow, 1.0)[:, None]

    def _pass_on(
        self,
        index: int,
        column: int,
        old: tuple[NDArray[np.float64], NDArray[np.float64]],
        new: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        """Add what a station passes on to what flows into the buffers behind it."""
        model = self._model
        station = model.stations[index]
        recipe = model.recipes[index * self._n_formats + column]
        primary = int(station["buffer"])
        amount = 1.0 if primary < 0 else float(old[0][primary])
        if amount <= 0.0:
            return
        shares = np.clip(1.0 - self._clean(station, recipe, old), 0.0, 1.0)
        amount *= int(recipe["count"]) * (1.0 - float(recipe["scrap"]))
        if station["inspects"]:
            amount, shares = self._sort_out(station, amount, shares, new)
        first = int(recipe["first_route"])
        routes = model.routes[first : first + int(recipe["n_routes"])]
        ways = np.diff(routes["threshold"], prepend=0.0)
        if recipe["shortest"]:
            ways = np.full(len(routes), 1.0 / len(routes))
        for buffer, share in zip(routes["buffer"], ways, strict=True):
            if buffer >= 0:
                new[0][buffer] += amount * share
                new[1][buffer] += amount * share * shares

    def _clean(
        self,
        station: np.void,
        recipe: np.void,
        old: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        """Return the share of a station's items without each defect, before it looks for any."""
        model = self._model
        flow, bad = old
        clean = np.ones(bad.shape[1])
        first = int(station["first_port"])
        sources = model.ports[first : first + int(station["n_ports"])].tolist()
        if station["buffer"] >= 0:
            sources.append(int(station["buffer"]))
        for buffer in sources:
            if flow[buffer] > 0.0:
                clean *= 1.0 - bad[buffer] / flow[buffer]
        repaired = int(station["repairs"])
        clean[[bool(repaired >> row & 1) for row in range(len(clean))]] = 1.0
        first = int(recipe["first_defect"])
        for chance in model.defects[first : first + int(recipe["n_defects"])]:
            clean[chance["defect"]] *= 1.0 - chance["probability"]
        return clean

    def _sort_out(
        self,
        station: np.void,
        amount: float,
        shares: NDArray[np.float64],
        new: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> tuple[float, NDArray[np.float64]]:
        """Return how many items pass an inspection, and the share of each defect among them."""
        found = np.zeros(len(shares))
        first = int(station["first_find"])
        for find in self._model.finds[first : first + int(station["n_finds"])]:
            found[find["defect"]] = find["probability"]
        hit = np.minimum(shares * found, _SURELY)
        passed = (shares - hit) / (1.0 - hit)
        good = float(np.prod(1.0 - hit))
        back = int(station["rework"])
        if back >= 0:
            new[0][back] += amount * (1.0 - good)
            new[1][back] += amount * np.clip(shares - good * passed, 0.0, 1.0 - good)
        return amount * good * (1.0 - float(station["false_alarm"])), passed
