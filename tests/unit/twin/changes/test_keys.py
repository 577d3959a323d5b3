"""Signatures are Ed25519 of RFC 8032, and private keys are private."""

import base64
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gigatwin.errors import ConnectorError
from gigatwin.twin.changes import keys as key_files
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.keys import Signer, is_signed, load_key, make_key

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
            "9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
            "11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_signatures_are_those_of_rfc_8032(monkeypatch, secret, public, message, signature):
    monkeypatch.setattr(key_files, "_message", lambda _, data: bytes.fromhex(data))
    signer = Signer("anna", Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    assert base64.b64decode(signer.public_key) == bytes.fromhex(public)
    assert base64.b64decode(signer.sign("test", message)) == bytes.fromhex(signature)
    assert is_signed(signer.public_key, signer.sign("test", message), "test", message)


@pytest.mark.usefixtures("keys")
def test_what_is_signed_is_the_canonical_text_with_its_purpose():
    signer = make_key("anna")
    signature = base64.b64decode(signer.sign("approval", {"b": 1, "a": [True, None]}))
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signer.public_key))
    # Raises where it is another text.
    key.verify(signature, b'gigatwin approval 1\n{"a":[true,null],"b":1}')


@pytest.mark.usefixtures("keys")
def test_signature_does_not_hold_for_anything_else():
    anna, boris = make_key("anna"), make_key("boris")
    signature = anna.sign("approval", {"x": 1})
    assert is_signed(anna.public_key, signature, "approval", {"x": 1})
    assert not is_signed(anna.public_key, signature, "approval", {"x": 2})
    assert not is_signed(anna.public_key, signature, "proposal", {"x": 1})
    assert not is_signed(boris.public_key, signature, "approval", {"x": 1})
    for nonsense in ("", "no base64!", None, 7, signature[:-4]):
        assert not is_signed(anna.public_key, nonsense, "approval", {"x": 1})
        assert not is_signed(str(nonsense), signature, "approval", {"x": 1})


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes there")
def test_private_key_is_for_its_owner_only(keys):
    make_key("anna")
    assert (keys / "anna.pem").stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    (keys / "anna.pem").chmod(0o644)
    with pytest.raises(ChangeError, match="others can read it"):
        load_key("anna")


@pytest.mark.usefixtures("keys")
def test_key_is_read_back():
    made = make_key("anna")
    assert load_key("anna").public_key == made.public_key
    assert load_key("anna", "a passphrase that it does not need").public_key == made.public_key


def test_passphrase_is_needed_and_must_be_right(keys):
    made = make_key("anna", "open sesame")
    assert b"ENCRYPTED" in (keys / "anna.pem").read_bytes()
    assert load_key("anna", "open sesame").public_key == made.public_key
    with pytest.raises(ChangeError, match="needs its passphrase"):
        load_key("anna")
    with pytest.raises(ChangeError, match="passphrase is wrong"):
        load_key("anna", "open barley")


@pytest.mark.usefixtures("keys")
def test_key_is_never_replaced():
    make_key("anna")
    with pytest.raises(ChangeError, match="there is a key of anna"):
        make_key("anna")


@pytest.mark.parametrize("name", ["", "../anna", "a/b", ".anna", "a" * 65, "an\nna", "con:"])
@pytest.mark.usefixtures("keys")
def test_name_must_be_one_of_a_file(name):
    with pytest.raises(ChangeError, match="must begin with a letter"):
        make_key(name)


@pytest.mark.usefixtures("keys")
def test_missing_key_says_what_to_do():
    with pytest.raises(ChangeError, match="no private key of anna on this machine"):
        load_key("anna")


def test_file_that_is_no_key_is_one_clear_error(keys):
    keys.mkdir()
    (keys / "anna.pem").write_text("nothing", encoding="utf-8")
    (keys / "anna.pem").chmod(0o600)
    with pytest.raises(ChangeError, match="cannot be read"):
        load_key("anna")


@pytest.mark.usefixtures("keys")
def test_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConnectorError, match=r"cryptography is not installed; pip install"):
        make_key("anna")
