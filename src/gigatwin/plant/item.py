"""The items that go through the plant."""


class Item:
    """An item with its serial number."""

    __slots__ = ("defects", "format", "ready", "serial")

    def __init__(self, serial: int, product_format: int) -> None:
        """Make an item without defects."""
        self.serial = serial
        self.format = product_format
        self.defects = 0
        self.ready = 0.0
