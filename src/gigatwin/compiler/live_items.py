"""The items of live contents as records of the kernel, the same for all states made from them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_contents import LiveContents, LiveItem
from gigatwin.compiler.model_items import ModelItems
from gigatwin.kernel import layout


class LiveItems:
    """Records of the items in machines and buffers.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    contents : LiveContents
        What is in it; checked.
    """

    def __init__(self, compiled: CompiledModel, contents: LiveContents) -> None:
        self.compiled = compiled
        self.contents = contents
        self._of_model = ModelItems(compiled)
        self._formats = {name: index for index, name in enumerate(compiled.formats)}
        self._defects = {name: 1 << index for index, name in enumerate(compiled.defects)}
        self._places: list[tuple[int, int]] = []
        self.next_serial = 0
        """Number of the next item made."""
        self.table = self._item_table()
        """The records; ``defects`` is -1 where they are drawn. Shape (n_items,)."""

    def place(self, index: int) -> tuple[int, int]:
        """Return the first item, and the one after the last, of a machine or a buffer."""
        return self._places[index]

    def bits(self, defects: Iterable[str]) -> int:
        """Return defects as the kernel keeps them."""
        return sum(self._defects[name] for name in defects)

    def format(self, name: str) -> int:
        """Return the number of a format; -1: none."""
        return self._formats[name] if name else -1

    def shares(self, index: int, product_format: int) -> NDArray[np.float64]:
        """Return the shares of defects among the items at a place. Shape (n_defects,)."""
        buffer = self._buffer_behind(index)
        return np.asarray(self._of_model.defects[buffer, product_format])

    def _buffer_behind(self, index: int) -> int:
        """Return the buffer whose items are like those of a machine or a buffer."""
        n_machines = len(self.compiled.machines)
        if index >= n_machines:
            return index - n_machines
        live = self.contents.machines.get(self.compiled.machines[index])
        if live is not None and live.target is not None:
            return self.compiled.buffers.index(live.target)
        model = self.compiled.model
        return int(model.stations[int(model.machine_station[index])]["buffer"])

    def _default_content(self, index: int, product_format: int) -> float:
        model = self.compiled.model
        if index < len(self.compiled.machines):
            station = int(model.machine_station[index])
            if model.stations[station]["buffer"] < 0:
                recipe = model.recipes[station * len(self._formats) + product_format]
                return 1.0 if np.isnan(recipe["content"]) else float(recipe["content"])
        return float(self._of_model.contents[self._buffer_behind(index), product_format])

    def _item_table(self) -> NDArray[np.void]:
        contents, names = self.contents, self.compiled
        groups: list[tuple[LiveItem, ...]] = [
            contents.machines[name].items if name in contents.machines else ()
            for name in names.machines
        ]
        groups += [contents.buffers.get(name, ()) for name in names.buffers]
        everything = [item for group in groups for item in group]
        table = np.zeros(len(everything), dtype=layout.ITEM)
        serials = [item.serial for item in everything]
        unused = max([*serials, -1]) + 1
        now = contents.now
        at = 0
        for index, group in enumerate(groups):
            self._places.append((at, at + len(group)))
            for item in group:
                r = table[at]
                r["next"] = at + 1
                r["format"] = self._formats[item.format]
                if item.serial < 0:
                    r["serial"] = unused
                    unused += 1
                else:
                    r["serial"] = item.serial
                r["order"] = item.order
                r["reworks"] = item.reworks
                r["born"] = now if item.born is None else item.born
                r["content"] = (
                    self._default_content(index, int(r["format"]))
                    if item.content is None
                    else item.content
                )
                r["defects"] = -1 if item.defects is None else self.bits(item.defects)
                r["made"] = np.inf
                if item.defects:
                    r["made"] = r["born"] if item.made is None else item.made
                r["arrives"] = now if item.residual is None else now + item.residual
                at += 1
            if group:
                table["next"][at - 1] = -1
        self.next_serial = unused if contents.next_serial is None else contents.next_serial
        self.next_serial = max(self.next_serial, unused)
        return table
