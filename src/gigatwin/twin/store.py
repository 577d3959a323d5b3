"""The folder in which a twin keeps what it knows, so that it can be ended at any moment.

::

    plant-twin/
    ├── line.yaml           the model in use
    ├── mapping.yaml        what the tags are, confirmed by a person
    ├── historian/          every reading
    ├── checkpoint.json     the state of the twin after a row of the historian
    ├── status.json         what people ask for, written anew every second
    ├── changes/            the record of changes
    └── people.yaml         who may propose and approve

A file that is written anew appears whole under its name or not at all.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gigatwin.errors import TelemetryError


class TwinStore:
    """The folder of one twin.

    Parameters
    ----------
    folder : pathlib.Path
        Made when it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    @classmethod
    def existing(cls, folder: Path) -> "TwinStore":
        """Return the store in a folder.

        Raises
        ------
        TelemetryError
            If there is none.
        """
        if not folder.is_dir():
            message = f"{folder}: no such folder; must be the store of a twin. Start one with sync."
            raise TelemetryError(message)
        return cls(folder)

    @property
    def line(self) -> Path:
        """File of the model."""
        return self.folder / "line.yaml"

    @property
    def mapping(self) -> Path:
        """File that says what the tags are."""
        return self.folder / "mapping.yaml"

    @property
    def historian(self) -> Path:
        """Folder of the historian."""
        return self.folder / "historian"

    def checkpoint(self) -> dict[str, Any] | None:
        """Return the last state that was kept, None where there is none.

        Raises
        ------
        TelemetryError
            If the file cannot be read.
        """
        return self._read("checkpoint.json")

    def keep_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep a state in place of the one before."""
        self._write("checkpoint.json", state)

    def status(self) -> dict[str, Any] | None:
        """Return what the twin last said of itself, None where it has not said anything.

        Raises
        ------
        TelemetryError
            If the file cannot be read.
        """
        return self._read("status.json")

    def keep_status(self, status: Mapping[str, Any]) -> None:
        """Keep what the twin says of itself."""
        self._write("status.json", status, is_durable=False)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            message = (
                f"{path}: {error}; must be as the twin wrote it. Delete the file: the twin then "
                "reads its historian from the beginning."
            )
            raise TelemetryError(message) from None
        if not isinstance(content, dict):
            message = f"{path}: not an object; must be as the twin wrote it. Delete the file."
            raise TelemetryError(message)
        return content

    def _write(self, name: str, content: Mapping[str, Any], *, is_durable: bool = True) -> None:
        with tempfile.NamedTemporaryFile(
            "w", dir=self.folder, prefix=f".{name}-", delete=False, encoding="utf-8"
        ) as file:
            try:
                json.dump(content, file, separators=(",", ":"))
                file.flush()
                if is_durable:
                    os.fsync(file.fileno())
                Path(file.name).replace(self.folder / name)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
