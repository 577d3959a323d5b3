"""``gigatwin demo`` tells its story and leaves a report."""

import pytest

pytestmark = pytest.mark.compiled


def test_demo_compares_three_changes_and_writes_a_report(call, folder):
    text = call("demo", "--days", 0.05, "--output", "demo.html").stdout
    assert "Bottleneck:" in text
    for change in ("welder recovers faster", "more places before welder", "winders 5 % faster"):
        assert text.count(change) >= 2
    assert f"Report: {folder / 'demo.html'}" in text
    assert "Try next:" in text
    assert [path.name for path in folder.iterdir()] == ["demo.html"]


def test_demo_refuses_a_place_that_cannot_be_written_to(call):
    assert "existing folder" in call("demo", "--output", "no/demo.html", code=2).stderr
