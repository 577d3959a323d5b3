"""What a command says when it fails, and its exit code."""

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

from gigatwin.cli.interruption import leaves_in_time
from gigatwin.errors import FactoryError, GigatwinError, SimulationError

P = ParamSpec("P")

FAILED_RUN = 1
"""Exit code of a run that could not be finished."""
BAD_INPUT = 2
"""Exit code of a description, a log or an option that cannot be used."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, 128 and the number of the signal."""
_SHOW_FAULTS = "GIGATWIN_TRACEBACK"


class OptionError(GigatwinError, ValueError):
    """An option or argument that cannot be used."""


def say(text: str) -> None:
    """Write a block to standard error."""
    typer.echo(text, err=True)


def report_error(error: GigatwinError) -> None:
    """Write an error to standard error as one block, problems one to a line."""
    head = (
        typer.style("error:", fg=typer.colors.RED, bold=True) if sys.stderr.isatty() else "error:"
    )
    if isinstance(error, FactoryError) and len(error.problems) > 1:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        say(f"{head} {len(error.problems)} problems\n{lines}")
    else:
        say(f"{head} {error}")


def reports_failures(command: Callable[P, None]) -> Callable[P, None]:
    """Return a command that says what went wrong on standard error, without a traceback."""

    @functools.wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with leaves_in_time():
                command(*args, **kwargs)
        except typer.Exit:
            raise
        except GigatwinError as error:
            report_error(error)
            raise typer.Exit(_exit_code(error)) from None
        except KeyboardInterrupt:
            say("interrupted; no file was written")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Who read our output has seen enough; Typer ends the program quietly.
            raise
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            say(f"error: {place}{error.strerror or error}; no file was written")
            raise typer.Exit(FAILED_RUN) from None
        except MemoryError:
            say("error: not enough memory; use fewer --days, fewer --threads, or no --trace")
            raise typer.Exit(FAILED_RUN) from None
        except Exception as error:
            if os.environ.get(_SHOW_FAULTS):
                raise
            say(
                f"error: a fault in gigatwin itself: {type(error).__name__}: {error}\n"
                f"Please report it with the output under {_SHOW_FAULTS}=1."
            )
            raise typer.Exit(FAILED_RUN) from None

    return reporting


def _exit_code(error: GigatwinError) -> int:
    return FAILED_RUN if isinstance(error, SimulationError) else BAD_INPUT
