"""What a person looks at: the report of a simulation, or of a comparison, as one HTML file.

Reads: Result, Comparison.
Writes: an HTML file that opens without a network.
"""

from gigatwin.app.report import write_report

__all__ = ["write_report"]
