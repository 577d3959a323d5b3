"""Keys that people sign with: one private key for each, in a folder of their own.

The private key (Ed25519, RFC 8032) stays in the folder of the person's account, in a file that
nobody else can read, with a passphrase if wanted. The public key stands in the list of people.
"""

import base64
import binascii
import os
import re
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gigatwin.errors import ConnectorError
from gigatwin.twin.changes.canonical import canonical
from gigatwin.twin.changes.errors import ChangeError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOLDER_VARIABLE = "GIGATWIN_KEYS"
"""Names the folder of private keys in place of the usual one."""
_NAME = re.compile(r"[^\W_][\w .@+-]{0,63}")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signer:
    """A person whose private key is at hand."""

    name: str
    """Name in the list of people."""
    key: "Ed25519PrivateKey"
    """The private key; it is never shown or written."""

    def sign(self, purpose: str, data: object) -> str:
        """Return the signature of data, as Base64.

        Parameters
        ----------
        purpose : str
            What the signature means; one made for another purpose does not hold.
        data : object
            Plain data.
        """
        return base64.b64encode(self.key.sign(_message(purpose, data))).decode("ascii")

    @property
    def public_key(self) -> str:
        """The public key, as Base64."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode("ascii")


def is_signed(public_key: str, signature: object, purpose: str, data: object) -> bool:
    """Return whether a signature over data is that of a key."""
    _require()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - optional library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - optional
        Ed25519PublicKey,
    )

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(str(signature), validate=True), _message(purpose, data))
    except (InvalidSignature, ValueError):
        return False
    return True


def is_public_key(text: str) -> bool:
    """Return whether a text is a public key."""
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def checked_name(name: str) -> str:
    """Return a person's name in its usual form.

    Raises
    ------
    ChangeError
        If it cannot be the name of a file.
    """
    usual = unicodedata.normalize("NFC", name).strip()
    if not _NAME.fullmatch(usual) or usual != usual.rstrip("."):
        message = (
            f"name {name!r}; must begin with a letter or digit and have letters, digits, spaces "
            "and . _ @ + - only, 64 at most."
        )
        raise ChangeError(message)
    return usual


def key_folder() -> Path:
    """Return the folder that private keys are kept in."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":  # pragma: no cover
        return Path(os.environ.get("APPDATA", Path.home())) / "gigatwin" / "keys"
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "gigatwin" / "keys"


def key_file(name: str) -> Path:
    """Return the file of a person's private key."""
    return key_folder() / f"{checked_name(name)}.pem"


def has_key(name: str) -> bool:
    """Return whether a person's private key is on this machine."""
    return key_file(name).exists()


def make_key(name: str, passphrase: str | None = None) -> Signer:
    """Make a private key for a person, write it to its file, and return it.

    Parameters
    ----------
    name : str
        Who it is for.
    passphrase : str, optional
        Encrypts the file; without it, whoever can read the file can sign.

    Raises
    ------
    ChangeError
        If there is such a file already: a key that was lost cannot be had again.
    ConnectorError
        If cryptography is not installed.
    """
    _require()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - optional library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - optional
        Ed25519PrivateKey,
    )

    path = key_file(name)
    key = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        message = f"{path}: there is a key of {name}; move it away if it is not wanted any more."
        raise ChangeError(message) from None
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Signer(checked_name(name), key)


def is_encrypted(name: str) -> bool:
    """Return whether a passphrase is needed for a person's private key."""
    path = key_file(name)
    return path.exists() and b"ENCRYPTED" in path.read_bytes()


def load_key(name: str, passphrase: str | None = None) -> Signer:
    """Return a person's private key from its file.

    Raises
    ------
    ChangeError
        If it is not there, others can read it, or the passphrase is wrong.
    ConnectorError
        If cryptography is not installed.
    """
    _require()
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - optional library
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - optional library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - optional
        Ed25519PrivateKey,
    )

    path = key_file(name)
    if not path.exists():
        message = (
            f"{path}: no private key of {name} on this machine; {name} must sign where it is, or "
            f"make one with 'gigatwin people add {name}'. {FOLDER_VARIABLE} names another folder."
        )
        raise ChangeError(message)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        message = f"{path}: others can read it; must be for its owner only (chmod 600)."
        raise ChangeError(message)
    secret = passphrase.encode() if passphrase and is_encrypted(name) else None
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), secret)
    except TypeError:
        message = f"{path}: needs its passphrase."
        raise ChangeError(message) from None
    except (ValueError, UnsupportedAlgorithm):
        message = f"{path}: cannot be read; the passphrase is wrong, or it is no key."
        raise ChangeError(message) from None
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{path}: a key of another kind; must be Ed25519."
        raise ChangeError(message)
    return Signer(checked_name(name), key)


def _message(purpose: str, data: object) -> bytes:
    return f"gigatwin {purpose} 1\n{canonical(data)}".encode("ascii")


def _require() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415 - optional library
    except ImportError:
        message = "cryptography is not installed; pip install 'gigatwin[live]'."
        raise ConnectorError(message) from None
