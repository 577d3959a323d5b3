"""A model kept in step with a plant: its present state, the next hours, and verified changes.

Reads: observations and event records (telemetry), the factory.
Writes: the mirrored state, forecasts, findings, and the record of changes.
"""
