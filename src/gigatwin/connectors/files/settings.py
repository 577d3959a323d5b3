"""What is needed to follow a log, from a URL."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import url2pathname
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gigatwin.errors import ConnectorError

_EXAMPLE = "file:///data/log.csv?begin=end&poll=0.5"


class FileSettings(BaseModel):
    """A log, and how it is followed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    """CSV file, Parquet file, or folder of Parquet files."""
    begin: Literal["start", "end"] = "start"
    """Whether to begin with the first row, or with the present values at the end."""
    poll: Annotated[float, Field(gt=0.0, le=3600.0)] = 0.2
    """Pause between two looks at the file. [s]"""
    zone: str = "UTC"
    """IANA zone of dates without an offset."""

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = "must be a time zone such as Europe/Berlin"
            raise ValueError(message) from None
        return zone

    @property
    def where(self) -> str:
        """The log as a URL."""
        return self.path.absolute().as_uri()

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return what a URL says.

        Parameters
        ----------
        url : str
            ``file:///path/log.csv``, then ``begin``, ``poll`` and ``zone`` behind a question mark.

        Raises
        ------
        ConnectorError
            If the URL cannot be used.

        Examples
        --------
        >>> FileSettings.from_url("file:///data/log.csv?poll=0.5").poll
        0.5
        """
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not parts.path:
            message = f"{url}: no file on this machine; must be like {_EXAMPLE}"
            raise ConnectorError(message)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            return cls.model_validate({"path": url2pathname(unquote(parts.path)), **options})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            message = f"{url} {name}: {first['msg']}; must be like {_EXAMPLE}"
            raise ConnectorError(message) from None
