"""The command ``gigatwin``: run, compare, new, validate, schema, learn, demo.

Reads: factory descriptions, names of the library, event logs, options.
Writes: tables or JSON on standard output, files; errors on standard error with an exit code.

Modules that `main` imports are light; whatever needs a large library is imported inside the command
that needs it, so that help answers at once.
"""
