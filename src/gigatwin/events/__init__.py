"""Events: what happened on a line, as logs and records, whoever wrote them.

Reads: CSV and Parquet logs of activities on cases, and mappings of their columns (YAML).
Writes: ``CaseLog``, one row for each activity with its case, machine, begin, end and outcome.
"""

from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.events.log_mapping import CaseMapping, guess_case_mapping, read_case_mapping

__all__ = [
    "CaseLog",
    "CaseMapping",
    "guess_case_mapping",
    "read_case_log",
    "read_case_mapping",
]
