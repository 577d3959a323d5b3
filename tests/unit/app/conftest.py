import pytest

from gigatwin.app.report import report_html
from gigatwin.simulation.simulate import simulate
from tests.unit.app.line import small_line
from tests.unit.app.page import Page


@pytest.fixture(scope="session")
def result():
    return simulate(small_line(), days=0.15, replications=3, warm_up=600.0)


@pytest.fixture(scope="session")
def page(result):
    return Page(report_html(result))
