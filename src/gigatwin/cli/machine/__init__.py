"""The command ``gigatwin machine`` and what belongs to it."""

__all__: list[str] = []
