"""Who may enter and what they may do; certificates and which of them are trusted.

Three gaps of a plain asyncua server are closed here: its default lets anybody in, and makes any
``admin`` its administrator; a channel without any protection opens even where only encrypted ones
are offered; and a certificate is checked only if the client chooses to repeat it.
"""
# ruff: noqa: ANN401 - asyncua is optional, and typed in part only

import dataclasses
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import socket
import time
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto import permission_rules
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gigatwin.connectors.opcua.settings import Trust
from gigatwin.errors import ConnectorError

_COST, _BLOCK = 2**14, 8
_MOST_FAILURES, _LOCKED = 5, 60.0
_VALID = dt.timedelta(days=5 * 365)
_KEY_BITS = 2048
_MOST_REJECTED = 100


class Role(StrEnum):
    """What a user may do."""

    VIEWER = "viewer"
    """Read everything."""
    OPERATOR = "operator"
    """Write what can be written as well."""


@dataclasses.dataclass(frozen=True, slots=True)
class Login:
    """A user of a server, with the hash of the password."""

    name: str
    role: Role
    hashed: str

    @classmethod
    def make(cls, name: str, role: Role, password: str) -> "Login":
        """Return a login for a password, which it does not keep."""
        salt = secrets.token_bytes(16)
        return cls(name, role, f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}")

    def is_password(self, password: str) -> bool:
        """Whether a password is this user's."""
        _, salt, wanted = self.hashed.split("$")
        return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(wanted))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=1, dklen=32)


def read_logins(path: Path) -> list[Login]:
    """Read the users of a server; none where the file does not exist."""
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        logins = [Login(row["name"], Role(row["role"]), row["hashed"]) for row in rows]
        for login in logins:
            kind, salt, wanted = login.hashed.split("$")
            if kind != "scrypt" or not bytes.fromhex(salt) or not bytes.fromhex(wanted):
                raise ValueError(kind)  # noqa: TRY301  one message for all that is wrong
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path}: no list of users: {error}; write it with write_logins"
        raise ConnectorError(message) from error
    return logins


def write_logins(path: Path, logins: Iterable[Login]) -> None:
    """Write the users of a server, for the eyes of this account only."""
    rows = [dataclasses.asdict(login) for login in logins]
    _write_secret(path, json.dumps(rows, indent=1).encode())


@dataclasses.dataclass
class SessionUser(permission_rules.User):  # type: ignore[misc]
    """Who is behind a session; its role at the library is never that of an administrator."""

    is_operator: bool = False


class Doorkeeper(UserManager):  # type: ignore[misc]
    """Lets known users in, over protected channels with trusted certificates.

    Parameters
    ----------
    logins : iterable of Login
        Who may enter.
    trusted : TrustFolder
        Which certificates are trusted.
    is_plain : bool
        Whether an unprotected channel will do, as on loopback.
    is_anonymous : bool
        Whether somebody without a name may look.
    """

    def __init__(
        self, logins: Iterable[Login], trusted: "TrustFolder", *, is_plain: bool, is_anonymous: bool
    ) -> None:
        self._logins = {login.name: login for login in logins}
        self._trusted = trusted
        self._is_plain = is_plain
        self._is_anonymous = is_anonymous
        self._nobody = Login.make("", Role.VIEWER, secrets.token_hex())
        self._key = secrets.token_bytes(32)
        self._proven: set[bytes] = set()
        self._failures: dict[str, list[float]] = {}

    def get_user(
        self,
        iserver: Any,  # noqa: ARG002 - asyncua is typed in part only;
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> SessionUser | None:
        """Return who asks to enter; None: may not."""
        # The certificate is that of the channel; an unprotected channel has none.
        if not certificate and not self._is_plain:
            raise ServiceError(ua.StatusCodes.BadSecurityModeRejected)
        if certificate and not self._trusted.is_trusted(bytes(certificate)):
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)
        if username is None:
            if not self._is_anonymous:
                return None
            return SessionUser(permission_rules.UserRole.User, "anonymous", is_operator=False)
        login = self._logins.get(username, self._nobody)
        if not self._is_proven(login, username, password or ""):
            return None
        is_operator = login.role is Role.OPERATOR
        return SessionUser(permission_rules.UserRole.User, username, is_operator=is_operator)

    def _is_proven(self, login: Login, name: str, password: str) -> bool:
        # Hashing takes a while, on purpose; a client that comes back need not wait, and one that
        # guesses must not keep the server busy.
        text = f"{name}\0{password}".encode()
        digest = hmac.digest(self._key, text, "sha256")
        if digest in self._proven:
            return True
        now = time.monotonic()
        recent = [at for at in self._failures.get(name, []) if now - at < _LOCKED]
        if len(recent) >= _MOST_FAILURES:
            return False
        if login.is_password(password) and login is not self._nobody:
            self._proven.add(digest)
            return True
        if len(self._failures) > 1000:  # noqa: PLR2004  names that were made up
            self._failures.clear()
        self._failures[name] = [*recent, now]
        return False


class TrustFolder:
    """Certificates that are trusted, and those that were not: a person moves files between them.

    Parameters
    ----------
    folder : Path
        Holds ``trusted`` and ``rejected``, with a file of DER or PEM for each certificate.
    trust : Trust
        Whose certificates are accepted.
    """

    def __init__(self, folder: Path, trust: Trust) -> None:
        self.trusted = folder / "trusted"
        self.rejected = folder / "rejected"
        self._trust = trust

    def is_trusted(self, certificate: bytes) -> bool:
        """Whether a certificate, as DER, is accepted; one that is not is kept in ``rejected``."""
        try:
            parsed = x509.load_der_x509_certificate(certificate)
        except ValueError:
            return False
        now = dt.datetime.now(dt.UTC)
        if not parsed.not_valid_before_utc <= now <= parsed.not_valid_after_utc:
            return False
        if self._trust is Trust.ANY:
            return True
        listed = list(self._listed())
        if certificate in listed:
            return True
        is_first = self._trust is Trust.FIRST and not listed
        folder = self.trusted if is_first else self.rejected
        folder.mkdir(parents=True, exist_ok=True)
        # Whoever knocks leaves a file; the folder must not grow without end.
        if is_first or sum(1 for _ in folder.iterdir()) < _MOST_REJECTED:
            (folder / f"{fingerprint(certificate)}.der").write_bytes(certificate)
        return is_first

    def _listed(self) -> Iterable[bytes]:
        if not self.trusted.is_dir():
            return
        for file in sorted(self.trusted.iterdir()):
            content = file.read_bytes()
            try:
                if content.startswith(b"-----BEGIN"):
                    parsed = x509.load_pem_x509_certificate(content)
                    content = parsed.public_bytes(serialization.Encoding.DER)
            except ValueError:
                continue
            yield content


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 fingerprint of a certificate, as DER."""
    return hashlib.sha256(certificate).hexdigest()


@dataclasses.dataclass(frozen=True)
class Identity:
    """An own certificate with its key."""

    uri: str
    """Application URI, as the certificate has it."""
    certificate: Path
    """DER."""
    key: Path
    """PEM."""


def own_identity(folder: Path, role: str) -> Identity:
    """Return the certificate of this application, made on the first use.

    Parameters
    ----------
    folder : Path
        Where it is kept.
    role : str
        ``server`` or ``client``.
    """
    uri = f"urn:{socket.gethostname()}:gigatwin:{role}"
    identity = Identity(uri, folder / f"{role}.der", folder / f"{role}.pem")
    if not _is_fresh(identity):
        folder.mkdir(parents=True, exist_ok=True)
        _make(identity)
    return identity


def _is_fresh(identity: Identity) -> bool:
    if not identity.certificate.exists() or not identity.key.exists():
        return False
    try:
        found = x509.load_der_x509_certificate(identity.certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return identity.uri in uris and found.not_valid_after_utc > dt.datetime.now(dt.UTC)


def _make(identity: Identity) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gigatwin")])
    now = dt.datetime.now(dt.UTC)
    others: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(identity.uri),
        x509.DNSName(socket.gethostname()),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(others), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_secret(identity.key, text)
    identity.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.DER))


def _write_secret(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    draft.replace(path)
