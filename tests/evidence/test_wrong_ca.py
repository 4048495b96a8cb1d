"""A file that is no certificate, given as one: it is said what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import example, given
from hypothesis import strategies as st

from agent.base.errors import EvidenceError
from agent.identity.certificates import read_chain
from agent.identity.node_key import IdentityDirectory
from agent.identity.pem_misfit import misfit


@pytest.fixture
def identity(tmp_path: Path) -> IdentityDirectory:
    """A node's own."""
    directory = IdentityDirectory(tmp_path / "identity")
    directory.init("pole-17")
    return directory


def said_of(path: Path, content: bytes) -> str:
    """What `--ca` says of it."""
    path.write_bytes(content)
    with pytest.raises(EvidenceError) as caught:
        read_chain(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "is a film"),
        (b"<!DOCTYPE html>\n<html lang=fr>", "is a page of HTML"),
        (b'{"verdict": "authentic"}', "is JSON"),
        (b'[node]\nid = "pole-17"\n', "is a configuration"),
        ("Procès-verbal n° 12\n".encode(), "is a text that begins 'Procès-verbal n° 12'"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n", "damaged or cut short"),
        (b"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n", "holds public key"),
        (b"\xff\xfe\x00binary", "is no text"),
    ],
)
def test_it_is_said_what_a_file_is(tmp_path: Path, content: bytes, words: str) -> None:
    """And what would be right, in a command."""
    said = said_of(tmp_path / "ca.pem", content)
    assert words in said
    assert "ca.pem" in said
    assert "`sudo vigie identity show`" in said


def test_what_lies_beside_a_ca_is_told_from_it(tmp_path: Path, identity: IdentityDirectory) -> None:
    """The key, the request and the certificate in DER: the files that are taken by mistake."""
    assert "is a private key" in said_of(tmp_path / "a", identity.key_path.read_bytes())
    assert "is a request" in said_of(tmp_path / "b", identity.certificate_request("pole-17"))
    der = identity.anchors().leaf.public_bytes(serialization.Encoding.DER)
    assert "`openssl x509 -inform der" in said_of(tmp_path / "c", der)


@example(b"\x1c")
@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_any_file_is_something(content: bytes) -> None:
    """Whatever it holds, there is a word for it, and it can be printed."""
    found = misfit(content, "ca.pem")
    assert found.what.isprintable()
    assert found.remedy
