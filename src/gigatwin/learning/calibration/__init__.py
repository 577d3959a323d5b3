"""Fitting by simulation what no record shows.

Reads: a ``Factory``, a ``CaseLog``.
Writes: ``Calibration``, posterior samples and their check.
"""
