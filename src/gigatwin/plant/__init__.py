"""The virtual plant: a line with a hidden truth that is operated through real interfaces.

Reads: a Factory for its layout, a truth of its own, instructions.
Writes: readings of tags; the truth only to the evaluator of an experiment.
"""
