"""Events: what happened on a line, as logs and records, whoever wrote them.

Reads: logs of activities on cases (CSV, Parquet, XES, OCEL 2.0), logs of machine states (CSV,
Parquet, lines and changes of MTConnect adapters), gigatwin's own traces, and mappings (YAML).
Writes: ``CaseLog``, one row for each visit with its case, machine, begin, end and outcome;
``StateLog``, one row for each stay of a machine in a state.
"""

from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.events.log_guesses import guess_case_mapping
from gigatwin.events.log_mapping import CaseMapping, read_case_mapping
from gigatwin.events.state_guesses import guess_state_mapping, sniff
from gigatwin.events.state_log import StateLog, read_state_log, states_of
from gigatwin.events.state_mapping import StateMapping
from gigatwin.events.visits import is_event_table, visits_of

__all__ = [
    "CaseLog",
    "CaseMapping",
    "StateLog",
    "StateMapping",
    "guess_case_mapping",
    "guess_state_mapping",
    "is_event_table",
    "read_case_log",
    "read_case_mapping",
    "read_state_log",
    "sniff",
    "states_of",
    "visits_of",
]
