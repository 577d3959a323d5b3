"""The strategies reach every kind of element, so that the properties are about all of them."""

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel

from gigatwin.compiler.build import compile_factory
from gigatwin.factory.described import ByFormat, Described
from gigatwin.factory.factory import Factory
from gigatwin.kernel.layout import Cause, Kind, Law
from gigatwin.standards.machine_states import MachineState
from tests.property.comparison import run_reference
from tests.property.strategies import factories


def draws(n):
    """Return settings that draw so many examples and shrink none."""
    return settings(
        max_examples=n,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def elements(value) -> Iterator[BaseModel]:
    """Yield every model within a value."""
    if isinstance(value, BaseModel):
        yield value
        for _, part in value:
            yield from elements(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from elements(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from elements(part)


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_model_of_a_factory_is_drawn():
    seen = set()

    @draws(300)
    @given(factories())
    def collect(factory):
        seen.update(type(element) for element in elements(factory))

    collect()
    expected = {
        kind
        for kind in subclasses(Described)
        if kind.__module__.startswith(Factory.__module__.rpartition(".")[0])
        and not kind.__name__.startswith("_")
    }
    assert len(expected) > 20
    assert expected <= seen
    assert any(issubclass(kind, ByFormat) for kind in seen)


def test_every_law_kind_cause_and_state_occurs():
    laws, kinds, causes, states = set(), set(), set(), set()

    @draws(200)
    @given(factories())
    def collect(factory):
        compiled = compile_factory(factory)
        laws.update(compiled.model.laws["kind"].tolist())
        for record in run_reference(compiled, 60.0).records:
            kinds.add(record.kind)
            causes.add(record.cause)
            states.add(record.state)

    collect()
    assert laws == set(Law)
    assert kinds == set(Kind)
    assert causes == set(Cause)
    assert states == set(MachineState)
