"""A report as its reader finds it: tags, the text of sections, the cells of tables."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A parsed report; scripts and styles are kept apart from its text."""

    def __init__(self, html):
        """Parse a page."""
        super().__init__()
        self.tags = []
        self.scripts = []
        self.styles = []
        self.tables = {}
        self.sections = {"": ""}
        self._section = ""
        self._raw = None
        self._rows = []
        self._cell = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag in {"script", "style"}:
            self._raw = self.scripts if tag == "script" else self.styles
            self._raw.append("")
        if tag == "section":
            self._section = attributes["id"]
            self.sections[self._section] = ""
        if tag == "table":
            self._rows = self.tables[attributes["aria-label"]] = []
        if tag == "tr":
            self._rows.append([])
        if tag in {"td", "th"}:
            self._cell = {"key": attributes.get("data-key"), "text": ""}
            self._rows[-1].append(self._cell)

    def handle_endtag(self, tag):
        if tag in {"script", "style"}:
            self._raw = None
        if tag in {"td", "th"}:
            self._cell = None

    def handle_data(self, data):
        if self._raw is not None:
            self._raw[-1] += data
            return
        self.sections[self._section] += data
        if self._cell is not None:
            self._cell["text"] += data

    def keys(self, table, heading):
        """Return what the cells of a column are sorted by, by the first cell of the row."""
        head, *rows = self.tables[table]
        column = next(i for i, cell in enumerate(head) if cell["text"].startswith(heading))
        return {row[0]["text"]: row[column]["key"] for row in rows}

    def texts(self, table, heading):
        """Return the cells of a column, by the first cell of the row."""
        head, *rows = self.tables[table]
        column = next(i for i, cell in enumerate(head) if cell["text"].startswith(heading))
        return {row[0]["text"]: row[column]["text"] for row in rows}
