"""How long a station takes, and what stops it.

Reads: durations of visits.
Writes: laws, stops and changeovers with estimates.
"""
