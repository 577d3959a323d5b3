"""What others can test with: contract suites of the ports, and generated logs with known laws.

Reads: connectors and historians of plug-ins; true laws of a small job shop.
Writes: test classes to subclass; ``CaseLog``.
"""

from gigatwin.testing.batch_reader import BatchReader
from gigatwin.testing.connector_contract import (
    OtherSide,
    SinkContract,
    SourceContract,
    WrittenSide,
)
from gigatwin.testing.generated_log import JOB_SHOP, GeneratedShop, GeneratedStep, case_log_of
from gigatwin.testing.historian_contract import HistorianContract

__all__ = [
    "JOB_SHOP",
    "BatchReader",
    "GeneratedShop",
    "GeneratedStep",
    "HistorianContract",
    "OtherSide",
    "SinkContract",
    "SourceContract",
    "WrittenSide",
    "case_log_of",
]
