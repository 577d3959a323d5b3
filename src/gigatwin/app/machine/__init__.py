"""The report on one machine: its cycle, what sets it, its limits, and what to do next.

Reads: ``EquipmentModel`` (equipment).
Writes: one HTML file.
"""

__all__: list[str] = []
