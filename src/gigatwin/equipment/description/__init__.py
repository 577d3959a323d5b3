"""What can be said about a machine: frozen models, and formulas with units."""

__all__: list[str] = []
