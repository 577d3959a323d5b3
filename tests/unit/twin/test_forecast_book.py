"""The book of forecasts: what was said, what came, and how good it was."""

import json

import numpy as np
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.twin.forecast import Forecast
from gigatwin.twin.forecast_book import ForecastBook
from gigatwin.twin.scores import crps

HOUR = 3600.0
START = 1_767_225_600.0


def forecast_of(output, *, issued=START, hours=8.0, formats=("a",)):
    """Return a forecast whose runs make so much."""
    runs = np.asarray(output).reshape(-1, 1, len(formats))
    n = len(runs)
    nothing = np.full((n, 0), np.inf)
    return Forecast(
        factory_name="line",
        issued=issued,
        hours=hours,
        seed=1,
        parameters="estimated",
        formats=formats,
        stations=(),
        buffers=(),
        times=np.array([hours * HOUR]),
        finished=runs,
        in_process=np.zeros((n, 1), dtype=np.int64),
        levels=np.zeros((n, 1, 0), dtype=np.int32),
        starves=nothing,
        blocks=nothing,
        fills=nothing,
    )


def follow(book, begin, end, rate, *, before=0):
    """Let a plant make ``rate`` items an hour; return the scores."""
    scores = []
    for time in np.arange(begin, end + 1e-6, 300.0):
        made = before + rate * (time - begin) / HOUR
        scores += book.see(float(time), {"a": round(made)})
    return scores


def test_forecast_is_scored_when_its_time_is_over():
    book = ForecastBook()
    follow(book, START - 8 * HOUR, START, 90.0)
    runs = [760, 780, 790, 800, 810, 820, 850]
    assert book.issue(forecast_of(runs), {"a": 720}) == 1
    assert follow(book, START + 300.0, START + 7.9 * HOUR, 100.0, before=728) == []
    assert book.n_pending == 1
    (score,) = book.see(START + 8 * HOUR, {"a": 720 + 805})
    assert score.made == 805.0
    assert score.crps == pytest.approx(crps(runs, 805.0))
    assert (score.is_in_50, score.is_in_90) == (True, True)
    # In the shift before it were 720.
    assert score.last == pytest.approx(720.0)
    assert score.crps_of_last == pytest.approx(85.0)
    summary = book.summary()
    assert (summary["n"], summary["coverage_90"]) == (1, 1.0)
    assert summary["skill"] == pytest.approx(1 - score.crps / 85.0)
    assert book.n_pending == 0


def test_output_at_the_end_lies_between_the_moments_seen():
    book = ForecastBook()
    book.issue(forecast_of([100, 100]), {"a": 0})
    book.see(START + 7.9 * HOUR, {"a": 100})
    (score,) = book.see(START + 8.1 * HOUR, {"a": 120})
    assert score.made == pytest.approx(110.0)


def test_end_that_nobody_saw_is_dropped():
    book = ForecastBook()
    book.issue(forecast_of([100, 100]), {"a": 0})
    book.see(START + 1 * HOUR, {"a": 100})
    assert book.see(START + 30 * HOUR, {"a": 120}) == []
    assert (book.n_dropped, book.n_pending) == (1, 0)
    assert book.summary()["coverage_90"] is None


def test_first_shift_has_none_before_it():
    book = ForecastBook()
    book.see(START - HOUR, {"a": 0})
    book.issue(forecast_of([800, 810]), {"a": 100})
    scores = follow(book, START, START + 8 * HOUR, 100.0, before=100)
    assert [s.last for s in scores] == [None]
    assert book.summary()["skill"] is None


def test_formats_are_scored_apart_and_together():
    book = ForecastBook()
    runs = [[10, 5], [12, 5], [14, 6]]
    book.issue(forecast_of(runs, formats=("a", "b")), {"a": 0, "b": 0})
    scores = book.see(START + 8 * HOUR, {"a": 12, "b": 9})
    assert {s.product_format: s.made for s in scores} == {"all": 21.0, "a": 12.0, "b": 9.0}
    assert book.summary(product_format="a")["coverage_90"] == 1.0
    assert book.summary(product_format="b")["coverage_90"] == 0.0
    assert book.summary(hours=4.0)["n"] == 0


def test_time_that_goes_back_is_left_out():
    book = ForecastBook()
    book.see(START, {"a": 10})
    assert book.see(START - 5.0, {"a": 9}) == []


def test_book_goes_on_from_its_file(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    book = ForecastBook(path)
    follow(book, START - 8 * HOUR, START, 90.0)
    book.issue(forecast_of([790, 800, 810]), {"a": 720})
    follow(book, START + 300.0, START + 4 * HOUR, 100.0, before=728)
    again = ForecastBook(path)
    assert again.n_pending == 1
    (score,) = follow(again, START + 4.1 * HOUR, START + 8.1 * HOUR, 100.0, before=1130)
    assert score.last == pytest.approx(720.0)
    assert ForecastBook(path).scores == [score]
    assert ForecastBook(path).issue(forecast_of([1, 2]), {"a": 0}) == 2
    for text in path.read_text(encoding="utf-8").splitlines():
        assert json.loads(text)["kind"] in {"issued", "seen", "scored", "dropped"}


def test_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    book = ForecastBook(path)
    book.issue(forecast_of([790, 800]), {"a": 0})
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind":"seen","ti')
    assert ForecastBook(path).n_pending == 1
    assert path.read_bytes() == whole


def test_file_of_something_else_raises(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    path.write_text('{"kind":"recipe"}\n', encoding="utf-8")
    with pytest.raises(TelemetryError, match=r"forecasts\.jsonl:1: kind 'recipe'"):
        ForecastBook(path)


def test_few_moments_are_kept(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    book = ForecastBook(path)
    for second in range(3600):
        book.see(START + second, {"a": second})
    # One for each hundredth of a shift.
    assert len(path.read_text(encoding="utf-8").splitlines()) == 13
