import pytest

from gigatwin.app.learned.report import learned_report_html
from gigatwin.app.report import report_html
from gigatwin.learning.learn import learn
from gigatwin.simulation.simulate import simulate
from tests.unit.app.learned_line import holdout, small_log, verification
from tests.unit.app.line import small_line
from tests.unit.app.page import Page


@pytest.fixture(scope="session")
def result():
    return simulate(small_line(), days=0.15, replications=3, warm_up=600.0)


@pytest.fixture(scope="session")
def page(result):
    return Page(report_html(result))


@pytest.fixture(scope="session")
def log():
    return small_log()


@pytest.fixture(scope="session")
def learned(log):
    return learn(log, "small")


@pytest.fixture(scope="session")
def learned_html(learned, log):
    return learned_report_html(learned, verification=verification(), holdout=holdout(), log=log)


@pytest.fixture(scope="session")
def learned_page(learned_html):
    return Page(learned_html)
