import pytest

from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.testing.historian_contract import HistorianContract


class TestEmbeddedHistorian(HistorianContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path / "store"

    def open(self):
        return EmbeddedHistorian(self.folder)
