import pytest

from gigatwin.connectors.embedded import EmbeddedHistorian


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens the historian of this test; all are closed at its end."""
    historians = []

    def opening(**options):
        historian = EmbeddedHistorian(tmp_path / "store", **options)
        historians.append(historian)
        return historian

    yield opening
    for historian in historians:
        historian.close()
