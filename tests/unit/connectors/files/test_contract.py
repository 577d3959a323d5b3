"""The log of a plant keeps what every source promises."""

import time

import pytest

from gigatwin.connectors.files import FileSettings, FileSource
from gigatwin.testing import SourceContract

HEADER = "time,tag,value,quality\n"


class CsvWriter:
    """Whoever writes the log."""

    tags = ("winding_1/Status.CurMachSpeed", "winding_1/Status.Value.force")

    def __init__(self, path):
        self.path = path
        self._begin()

    def _begin(self):
        self.path.write_text(HEADER, encoding="utf-8")
        for tag in self.tags:
            self._write(tag, 0.5)

    def _write(self, tag, value):
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{time.time()!r},{tag},{value!r},good\n")

    async def change(self, tag, value):
        self._write(tag, value)

    async def restart(self):
        self.path.rename(self.path.with_suffix(".old"))
        self._begin()

    async def close(self):
        pass


@pytest.mark.parametrize("begin", ["start", "end"], scope="class")
class TestFileSource(SourceContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, begin):
        self.folder = tmp_path
        self.begin = begin

    async def start_other_side(self):
        return CsvWriter(self.folder / "log.csv")

    def make_source(self, other):
        return FileSource(FileSettings(path=other.path, begin=self.begin, poll=0.01))

    def make_source_to_nowhere(self):
        return FileSource(FileSettings(path=self.folder / "absent" / "log.csv"))
