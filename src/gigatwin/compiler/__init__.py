"""Turn a factory into arrays that the kernel runs, and numbers back into names.

Reads: a checked Factory.
Writes: a CompiledModel: arrays, names, fresh states.
"""

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel

__all__ = ["CompiledModel", "compile_factory"]
