"""The one way a broker is proved, with real keys."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace

from agent.ports.broker_tls import broker_tls_context
from agent.ports.mqtt import BrokerCredentials
from tests.support.authority import Authority


@pytest.fixture
def credentials(tmp_path: Path) -> BrokerCredentials:
    """A node's own certificate and key, and the town's CA."""
    authority = Authority(tmp_path)
    pair = authority.issue("pole-17")
    return BrokerCredentials(ca_file=authority.ca, cert_file=pair.cert, key_file=pair.key)


def test_tls_is_at_least_1_2_and_always_checks_the_name(credentials: BrokerCredentials) -> None:
    """The context every connection is made with, whatever files there are."""
    for shown in (BrokerCredentials(), credentials):
        context = broker_tls_context(shown)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_key_under_a_password_is_refused_and_nobody_is_asked(credentials: BrokerCredentials, tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal, where a technician's answer hides that the daemon cannot give one."""
    assert credentials.key_file is not None
    key = serialization.load_pem_private_key(credentials.key_file.read_bytes(), None)
    sealed = tmp_path / "sealed.pem"
    locked = serialization.BestAvailableEncryption(b"word")
    sealed.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    with pytest.raises(OSError, match=r"under a password.*sealed\.pem"):
        broker_tls_context(replace(credentials, key_file=sealed))


def test_files_that_do_not_serve_are_told_by_their_keys(credentials: BrokerCredentials, tmp_path: Path) -> None:
    """What is wrong and which file it is, in the configuration's words and not in OpenSSL's."""
    (tmp_path / "none.pem").write_text("nothing")
    other = Authority(tmp_path / "other").issue("pole-18").key
    for change, words in (
        ({"ca_file": tmp_path / "none.pem"}, r"ca_file holds no certificate.*none\.pem"),
        ({"key_file": other}, rf"key_file does not belong to cert_file.*{other.name}"),
        ({"cert_file": tmp_path / "none.pem"}, r"cert_file holds no certificate.*none\.pem"),
    ):
        with pytest.raises(OSError, match=words):
            broker_tls_context(replace(credentials, **change))


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
def test_what_an_editor_made_of_a_file(credentials: BrokerCredentials, name: str) -> None:
    """With a byte order mark or ends of line of another system it serves; saved as UTF-16, or empty, it is told as that."""
    path = getattr(credentials, name)
    whole = path.read_bytes()
    for good in (b"\xef\xbb\xbf" + whole, whole.replace(b"\n", b"\r\n")):
        path.write_bytes(good)
        assert broker_tls_context(credentials).check_hostname
    for bad, words in ((whole.decode().encode("utf-16"), "is saved as UTF-16"), (b"", "is empty")):
        path.write_bytes(bad)
        with pytest.raises(OSError, match=words) as caught:
            broker_tls_context(credentials)
        assert caught.value.filename == str(path)


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(credentials: BrokerCredentials, tmp_path: Path, name: str) -> None:
    """OpenSSL would wait for its writer for ever: the daemon's line, and the doctor."""
    os.mkfifo(tmp_path / "pipe")
    shown = {each: getattr(credentials, each) for each in ("ca_file", "cert_file", "key_file")}
    with pytest.raises(OSError, match="no regular file"):
        broker_tls_context(BrokerCredentials(**(shown | {name: tmp_path / "pipe"})))
