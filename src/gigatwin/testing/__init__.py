"""What others can test with: generated logs with known laws.

Reads: true laws of a small job shop.
Writes: ``CaseLog``.
"""

from gigatwin.testing.generated_log import JOB_SHOP, GeneratedShop, GeneratedStep, case_log_of

__all__ = [
    "JOB_SHOP",
    "GeneratedShop",
    "GeneratedStep",
    "case_log_of",
]
