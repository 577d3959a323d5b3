"""How long moves take, what they ask of a drive, and how much they shake."""

__all__: list[str] = []
