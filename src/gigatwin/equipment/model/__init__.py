"""A description made ready for calculation: formulas compiled, units checked, graph laid out."""

__all__: list[str] = []
