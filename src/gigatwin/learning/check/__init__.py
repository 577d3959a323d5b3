"""Any factory against any log: measures, and which differences are larger than chance.

Reads: a ``Factory``, a ``CaseLog``.
Writes: ``Verification``, ``Holdout``, simulated logs.
"""
