"""What machines say of themselves: stops, shares of time, energy.

Reads: state intervals (events), outcomes.
Writes: stops with estimates, state shares, energy.
"""
