import pytest

from gigatwin.errors import TelemetryError
from gigatwin.twin.store import TwinStore


def test_what_was_kept_is_read_again(tmp_path):
    store = TwinStore(tmp_path / "twin")
    assert store.checkpoint() is None
    assert store.status() is None
    store.keep_checkpoint({"row": 7})
    store.keep_status({"line": "a"})
    again = TwinStore.existing(tmp_path / "twin")
    assert again.checkpoint() == {"row": 7}
    assert again.status() == {"line": "a"}


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path):
    store = TwinStore(tmp_path)
    store.keep_checkpoint({"row": 7})
    with pytest.raises(TypeError):
        store.keep_checkpoint({"row": {1, 2}})
    assert store.checkpoint() == {"row": 7}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.json"]


@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_a_spoiled_checkpoint_is_named_with_what_to_do(tmp_path, content):
    (tmp_path / "checkpoint.json").write_text(content)
    with pytest.raises(TelemetryError, match=r"checkpoint\.json.*Delete the file"):
        TwinStore(tmp_path).checkpoint()


def test_a_folder_that_is_not_there_is_no_store(tmp_path):
    with pytest.raises(TelemetryError, match="no such folder"):
        TwinStore.existing(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
