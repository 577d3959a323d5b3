"""A state of the kernel, made from plain facts about what is in a factory at a moment.

Whatever is not known is drawn from the law that the model has for it, given what is known: a
machine that has worked on an item for 3 s is done after what is left of a time longer than 3 s.
"""

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_checks import check_contents
from gigatwin.compiler.live_contents import LiveContents
from gigatwin.compiler.live_filling import Filling
from gigatwin.compiler.live_items import LiveItems
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.kernel.layout import State


def state_from(
    compiled: CompiledModel,
    contents: LiveContents,
    seed: int = 1,
    replication: int = 0,
    *,
    trace: bool = False,
) -> State:
    """Return the state in which a run goes on from what is in a factory now.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    contents : LiveContents
        What is in it.
    seed, replication : int
        Choose the random streams, and what is drawn because it is not known.
    trace : bool
        Whether event records are kept.

    Returns
    -------
    State
        For `gigatwin.simulation.run.Run.restore`. All that is counted (output, times in states)
        starts anew; all time before now counts as spent in the present states.

    Raises
    ------
    CompileError
        If the contents name something that the factory does not have, or that cannot be there.
    """
    return LiveStates(compiled, contents).state(seed, replication, trace=trace)


class LiveStates:
    """States made from the same contents, for many runs that differ in what is drawn.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    contents : LiveContents
        What is in it.

    Raises
    ------
    CompileError
        If the contents name something that the factory does not have, or that cannot be there.
    """

    def __init__(self, compiled: CompiledModel, contents: LiveContents) -> None:
        check_contents(compiled, contents)
        self.compiled = compiled
        self.contents = contents
        self._laws = ResidualLaws(compiled.model.laws, compiled.model.tables)
        self._items = LiveItems(compiled, contents)

    def state(self, seed: int = 1, replication: int = 0, *, trace: bool = False) -> State:
        """Return one state; arguments as of `state_from`."""
        state = self.compiled.initial_state(seed, replication, trace=trace)
        return Filling(self._items, self._laws, state, seed, replication).filled()
