"""What one machine does, down to its axes: cycle time, process window, and what limits them.

Reads: YAML machine descriptions, from files and from ``library/machines/``.
Writes: cycle models for the stations of a factory; limits, sensitivities, settings that are faster.
"""

__all__: list[str] = []
