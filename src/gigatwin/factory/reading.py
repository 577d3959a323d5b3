"""Reading a factory description from a file, a template of the library, or text."""

from os import PathLike

from gigatwin.factory import documents
from gigatwin.factory.checks import add_problems
from gigatwin.factory.factory import Factory
from gigatwin.factory.validation import validate


def load(source: str | PathLike[str]) -> Factory:
    """Return the factory in a YAML file or in a template of the library.

    Parameters
    ----------
    source : str or PathLike
        Path of a file, or the name of a template (see `library_names`).

    Raises
    ------
    FactoryError
        With all problems of the description, or if it cannot be read.
    """
    document = documents.find(source)
    factory = read_text(document.text, document.name)
    return factory.beside(document.folder)


def read_text(text: str, file_name: str = "text") -> Factory:
    """Return the factory that a YAML text describes.

    Parameters
    ----------
    text : str
        The description.
    file_name : str
        Name to use in messages.

    Raises
    ------
    FactoryError
        With all problems of the description.
    """
    data, findings = documents.parsed(text, file_name, "with the fields name and stations")
    factory = validate(Factory, data, findings)
    if factory is not None:
        add_problems(factory, findings)
    findings.raise_if_any()
    if factory is None:  # pragma: no cover
        message = "a description without problems must give a factory"
        raise AssertionError(message)
    return factory


def library_names() -> list[str]:
    """Return the names of the templates, sorted."""
    return documents.library_names()
