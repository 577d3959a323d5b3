"""``python -m gigatwin.cli``."""

from gigatwin.cli.main import app

app(prog_name="gigatwin")
