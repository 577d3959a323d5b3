"""The commands about changes of the plant: propose, approve, apply, changes, people."""

__all__: list[str] = []
