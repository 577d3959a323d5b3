"""Files that a command writes: checked before the work, there when it is done, or not at all."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gigatwin.errors import GigatwinError

_unfinished: set[Path] = set()


class OutputError(GigatwinError, OSError):
    """A path that nothing can be written to."""


@contextmanager
def pending_outputs(
    wanted: Mapping[str, Path | None],
    inputs: Iterable[str | Path] = (),
    endings: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[dict[str, Path]]:
    """Yield a temporary path for each output; move them into place at the end without an error.

    Parameters
    ----------
    wanted : mapping
        Option to the path given, None for an output that was not asked for.
    inputs : iterable of path
        Files that are read and must not be replaced.
    endings : mapping, optional
        Option to the endings that its file name may have.

    Raises
    ------
    OutputError
        If a path cannot be written to, before anything is done.
    """
    targets = {option: path for option, path in wanted.items() if path is not None}
    taken = {Path(path).resolve(): f"the input {path}" for path in inputs if Path(path).exists()}
    folders: dict[str, Path] = {}
    try:
        for option, path in targets.items():
            allowed = (endings or {}).get(option, ())
            if allowed and path.suffix.lower() not in allowed:
                raise _unusable(option, path, "its ending", f"must be {' or '.join(allowed)}")
            if path.resolve() in taken:
                raise _unusable(
                    option, path, f"also {taken[path.resolve()]}", "must be its own file"
                )
            taken[path.resolve()] = f"the file of {option}"
            folders[option] = _folder_beside(option, path)
        temporary = {option: folders[option] / path.name for option, path in targets.items()}
        yield temporary
        for option, path in targets.items():
            # A link stays a link: what it leads to is replaced.
            temporary[option].replace(path.resolve())
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
            _unfinished.discard(folder)


def discard_all() -> None:
    """Remove whatever is not finished."""
    for folder in tuple(_unfinished):
        shutil.rmtree(folder, ignore_errors=True)


def _folder_beside(option: str, path: Path) -> Path:
    """Return a new folder on the same disk as a target, which proves that it can be written to."""
    parent = path.resolve().parent
    if not parent.is_dir():
        raise _unusable(option, path, f"no folder {parent}", "must be in an existing folder")
    if path.is_dir():
        raise _unusable(option, path, "a folder", "must be a file name")
    if path.exists() and not path.is_file():
        raise _unusable(option, path, "not a regular file", "must be a file name")
    try:
        if path.exists():
            path.open("ab").close()
        folder = Path(tempfile.mkdtemp(prefix=".gigatwin-", dir=parent))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _unusable(option, path, reason, "must be a place that can be written to") from None
    _unfinished.add(folder)
    return folder


def _unusable(option: str, path: Path, found: str, required: str) -> OutputError:
    return OutputError(f"{option} {path}: {found}; {required}.")
