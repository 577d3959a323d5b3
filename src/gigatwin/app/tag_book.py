"""Which tag a quantity has, by a mapping, and what it says now, by the historian."""

from gigatwin.telemetry.mapping import TagMapping
from gigatwin.telemetry.ports import Historian
from gigatwin.telemetry.readings import Quality, Value
from gigatwin.telemetry.tags import Quantity


class MappedTags:
    """The tags of a plant, as changes need them (`gigatwin.twin.changes.TagBook`)."""

    def __init__(self, mapping: TagMapping, historian: Historian) -> None:
        self._mapping = mapping
        self._historian = historian

    def tag_for(
        self, element: str, quantity: Quantity, which: str = ""
    ) -> tuple[str, float] | None:
        """Return the tag of a quantity and its factor, None if it has none."""
        tag = self._mapping.tag_of(element, quantity, which)
        return None if tag is None else (tag, self._mapping.tags[tag].factor)

    def present(self, tag: str) -> Value:
        """Return what a tag said last, in its own unit; None where it said nothing usable."""
        reading = self._historian.latest().get(tag)
        return None if reading is None or reading.quality is Quality.BAD else reading.value
