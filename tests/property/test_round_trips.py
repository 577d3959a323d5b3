"""A factory survives being written, changed by nothing, and drawn from its estimates."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.compiler.build import compile_factory
from gigatwin.factory.changes import with_changes
from gigatwin.factory.checks import check
from gigatwin.factory.elements import described_elements
from gigatwin.factory.reading import read_text
from gigatwin.factory.uncertainty import drawn, has_estimates
from gigatwin.factory.writing import to_yaml
from tests.property.strategies import factories, learned_factories

MANY = settings(max_examples=25)
SEEDS = st.integers(0, 1000)


@MANY
@given(learned_factories())
def test_written_factory_reads_back_equal(factory):
    text = to_yaml(factory)
    assert read_text(text) == factory
    assert to_yaml(read_text(text)) == text


@MANY
@given(learned_factories())
def test_each_estimate_stands_on_a_line_of_its_own(factory):
    n = sum(len(element.estimates) for _, element in described_elements(factory))
    lines = to_yaml(factory).splitlines()
    assert sum("{value: " in line and line.endswith("}") for line in lines) == n


@MANY
@given(learned_factories())
def test_no_change_keeps_all_estimates(factory):
    assert with_changes(factory, {}) == factory


@MANY
@given(learned_factories(), SEEDS, SEEDS)
def test_drawn_factory_fits_together_and_compiles_to_the_same_names(factory, seed, replication):
    found = drawn(factory, seed, replication)
    check(found)
    assert not has_estimates(found)
    assert read_text(to_yaml(found)) == found
    before, after = compile_factory(factory), compile_factory(found)
    for names in ("stations", "buffers", "formats", "resources", "defects", "stops", "arrivals"):
        assert getattr(before, names) == getattr(after, names)


@MANY
@given(factories(), SEEDS)
def test_factory_without_estimates_is_drawn_as_it_is(factory, seed):
    assert drawn(factory, seed, 0) is factory


def test_estimates_are_drawn_now_and_then():
    seen = []

    @settings(max_examples=30, database=None)
    @given(learned_factories())
    def collect(factory):
        seen.append(has_estimates(factory))

    collect()
    assert set(seen) == {True, False}
