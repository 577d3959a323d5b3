"""How fast gigatwin is, beside its peers and its targets: ``python -m benchmarks``.

Reads: nothing; the lines and plants are generated or come with the package.
Writes: a table on the terminal and, when asked for, into a page of the documentation.
"""
