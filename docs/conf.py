"""Settings of the documentation build."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "gigatwin"
author = "the gigatwin authors"
project_copyright = f"2026, {author}"
version = release = installed_version("gigatwin")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = False
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
napoleon_google_docstring = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"gigatwin {release}"


def write_references(_app: Sphinx) -> None:
    """Write the reference pages of the descriptions from their JSON schemas."""
    from schema_reference import FACTORY, MACHINE, page  # noqa: PLC0415 - lies beside this file

    from gigatwin.equipment.description.machine import Machine  # noqa: PLC0415 - only when building
    from gigatwin.factory.factory import Factory  # noqa: PLC0415 - only when building
    from gigatwin.factory.schema import json_schema  # noqa: PLC0415 - only when building

    for name, header, kind in (("factory", FACTORY, Factory), ("machine", MACHINE, Machine)):
        target = HERE / "reference" / f"{name}-description.md"
        text = page(json_schema(kind), header, name)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx looks for pages."""
    app.connect("builder-inited", write_references)
