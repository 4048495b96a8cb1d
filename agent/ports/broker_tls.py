"""How a broker is proved to be the one that was meant; the daemon and the doctor make their connections alike."""

from __future__ import annotations

import codecs
import errno
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Never

from agent.base.regular_file import open_regular
from agent.ports.mqtt import BrokerCredentials


def broker_tls_context(credentials: BrokerCredentials) -> ssl.SSLContext:
    """TLS 1.2 or newer, the server's chain and name always verified. OSError that names the file when one does not serve."""
    for path in (credentials.ca_file, credentials.cert_file, credentials.key_file):
        if path is not None:
            _look_into(path)
    context = _trusting(credentials.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credentials.cert_file is not None:
        key = credentials.key_file or credentials.cert_file
        try:
            context.load_cert_chain(credentials.cert_file, key, _nobody_to_ask(key))
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise OSError(errno.EINVAL, "key_file does not belong to cert_file", str(key)) from None
            raise OSError(
                errno.EINVAL, "cert_file holds no certificate, or key_file no key", str(credentials.cert_file)
            ) from None
    return context


def _look_into(path: Path) -> None:
    """OpenSSL would wait for the writer of a pipe, and has one word for all that is no PEM."""
    with open_regular(path) as file:
        head = file.read(2)
    if not head:
        raise OSError(errno.EINVAL, "is empty", str(path))
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise OSError(errno.EINVAL, "is saved as UTF-16: save it as plain text", str(path))


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        raise OSError(errno.EINVAL, "ca_file holds no certificate", str(ca_file)) from None


def _nobody_to_ask(key: Path) -> Callable[[], Never]:
    """Asked for a key's password by OpenSSL, which would otherwise wait for one at the terminal."""

    def refuse() -> Never:
        raise OSError(errno.EACCES, "is under a password, and a node has nobody to type it", str(key))

    return refuse
