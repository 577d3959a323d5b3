"""The report on a learned line.

Reads: ``Learned``, ``Verification``, ``Holdout``, ``Calibration`` (learning), ``CaseLog`` (events).
Writes: one HTML file.
"""
