"""One TLS handshake with a broker: what was agreed, who the broker says it is, and for how long."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from agent.base.phrase import joined, say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words
from agent.commissioning.certificate import days_left
from agent.ports.broker_tls import broker_tls_context
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint

PATIENCE_S = 8.0
PROBE_S = 3.0
_CONNECT = bytes.fromhex("100d 0004 4d515454 05 02 000a 00 0000")  # MQTT 5, clean start, no client id
_CONNACK = b"\x20"


class Handshake(Struct, frozen=True):
    """`fault` is empty when the broker proved its name; else why not, in words, with `remedy`.

    The certificate is also told when it was not accepted: it is what the technician has to talk about.
    """

    fault: str = ""
    remedy: str = ""
    version: str = ""
    cipher: str = ""
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    days_left: int | None = None


def shake_hands(endpoint: BrokerEndpoint, credentials: BrokerCredentials, now: datetime) -> Handshake:
    """Connect and verify as the daemon does, name and chain. OSError when not even TCP gets through."""
    try:
        context = broker_tls_context(credentials)
    except (OSError, ValueError) as error:
        words = str(error)
        if isinstance(error, OSError) and error.filename:
            words = joined(": ", (str(error.filename), system_words(error.strerror)))
        return Handshake(
            say("the certificate files do not serve: {words}", words=words),
            say("compare [mqtt] ca_file, [mqtt] cert_file and [mqtt] key_file with what the authority gave"),
        )
    try:
        with (
            socket.create_connection((endpoint.host, endpoint.port), PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=endpoint.host) as secure,
        ):
            cipher = secure.cipher()
            certificate = _parsed(secure.getpeercert(binary_form=True))
            return _described(certificate, now, version=secure.version() or "", cipher=cipher[0] if cipher else "")
    except ssl.SSLCertVerificationError as error:
        certificate = _presented(endpoint)
        return _described(
            certificate,
            now,
            fault=say("the broker is not trusted: {why}", why=_why(error)),
            remedy=_remedy(error, certificate, endpoint, credentials.ca_file),
        )
    except (ssl.SSLError, ConnectionResetError) as error:
        if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            return Handshake(
                say("the broker does not speak TLS on this port"),
                say("name its TLS port in [mqtt] url: mqtts:// is commonly on 8883"),
            )
        if speaks_plainly(endpoint):
            return Handshake(
                say("the broker speaks MQTT without TLS on this port"),
                say("name its TLS port in [mqtt] url: mqtts:// is commonly on 8883"),
            )
        return Handshake(
            say("the TLS handshake failed: {reason}", reason=_reason(error)),
            say("it may ask for a certificate of this node: set [mqtt] cert_file and [mqtt] key_file"),
        )


def speaks_plainly(endpoint: BrokerEndpoint) -> bool:
    """Whether the port answers a CONNECT without TLS: to a client of no name, with no password, which it may well refuse."""
    try:
        with socket.create_connection((endpoint.host, endpoint.port), PATIENCE_S) as plain:
            plain.settimeout(PROBE_S)
            plain.sendall(_CONNECT)
            return plain.recv(1)[:1] == _CONNACK
    except OSError:
        return False


def speaks_tls(endpoint: BrokerEndpoint) -> bool:
    """Whether the port answers a TLS handshake, whoever it says it is; nothing else is sent to it."""
    try:
        with _unproved(endpoint):
            return True
    except ssl.SSLError as error:
        return "ALERT" in str(error.reason).upper()  # refused, in TLS
    except OSError:
        return False


@contextmanager
def _unproved(endpoint: BrokerEndpoint) -> Iterator[ssl.SSLSocket]:
    """A line in TLS to whoever answers, for nothing but a look: nothing may be sent over it. OSError when there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((endpoint.host, endpoint.port), PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=endpoint.host) as secure,
    ):
        yield secure


def _presented(endpoint: BrokerEndpoint) -> x509.Certificate | None:
    """The certificate of a broker that failed the proof, to tell what is wrong with it; nothing is ever sent to it."""
    try:
        with _unproved(endpoint) as secure:
            return _parsed(secure.getpeercert(binary_form=True))
    except OSError:
        return None


def _parsed(der: bytes | None) -> x509.Certificate | None:
    try:
        return None if der is None else x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _described(
    certificate: x509.Certificate | None,
    now: datetime,
    *,
    fault: str = "",
    remedy: str = "",
    version: str = "",
    cipher: str = "",
) -> Handshake:
    if certificate is None:
        return Handshake(fault, remedy, version, cipher)
    return Handshake(
        fault,
        remedy,
        version,
        cipher,
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        _names(certificate),
        days_left(certificate, now),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    found = [*names.get_values_for_type(x509.DNSName), *(str(ip) for ip in names.get_values_for_type(x509.IPAddress))]
    return tuple(found)


# Verify results of OpenSSL, x509_vfy.h.
_EXPIRED, _NOT_YET_VALID, _HOST_MISMATCH, _IP_MISMATCH = 10, 9, 62, 64
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)
_SELF_SIGNED = (18, 19)
_LONGEST_CA_BYTES = 1 << 20
_AUTHORITIES_NAMED = 3


def _why(error: ssl.SSLCertVerificationError) -> str:
    message: str = error.verify_message
    return message


def _remedy(
    error: ssl.SSLCertVerificationError, shown: x509.Certificate | None, endpoint: BrokerEndpoint, ca: Path | None
) -> str:
    if error.verify_code == _EXPIRED:
        return say("have whoever runs the broker renew it; where its dates are right, `timedatectl` shows a wrong clock here")
    if error.verify_code == _NOT_YET_VALID:
        return say("`timedatectl` shows whether this node's clock is right")
    if error.verify_code in (_HOST_MISMATCH, _IP_MISMATCH):
        return _name_remedy(shown, endpoint)
    if error.verify_code in _UNKNOWN_ISSUER:
        return _issuer_remedy(error.verify_code, shown, ca)
    return say(
        "`openssl s_client -connect {host}:{port}` shows it to whoever runs the broker", host=endpoint.host, port=endpoint.port
    )


def _name_remedy(shown: x509.Certificate | None, endpoint: BrokerEndpoint) -> str:
    if shown is not None and not _names(shown):
        common = [str(name.value) for name in shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        return say(
            "its common name alone ({names}) no longer counts: have it issued again with `subjectAltName = {alternative}`",
            names=", ".join(common) or "none",
            alternative=_alternative(endpoint.host),
        )
    return say("write the name that the certificate carries in [mqtt] url")


def _alternative(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _issuer_remedy(code: int, shown: x509.Certificate | None, ca: Path | None) -> str:
    """A chain may lack its root at our side, or its middle at the broker's: both end in the same error."""
    if ca is None:
        return say("set [mqtt] ca_file to the certificate of the authority that signed the broker's")
    trusted = ", ".join(_authorities(ca))
    if code in _SELF_SIGNED or shown is None or shown.issuer == shown.subject:
        return say(
            "put the authority that signed the broker's certificate into [mqtt] ca_file; {ca} holds {trusted}",
            ca=ca,
            trusted=trusted,
        )
    issuer = shown.issuer.rfc4514_string()
    return say(
        "it was issued by {issuer}; [mqtt] ca_file {ca} holds {trusted}. If the first stands below the "
        "second, the broker must send its certificate as well: in `certfile`, behind its own. If not, "
        "name the right authority in ca_file",
        issuer=issuer,
        ca=ca,
        trusted=trusted,
    )


def _authorities(ca: Path) -> list[str]:
    try:
        found = x509.load_pem_x509_certificates(read_regular(ca, _LONGEST_CA_BYTES))
    except (OSError, ValueError):
        return [say("nothing that can be read")]
    return [certificate.subject.rfc4514_string() for certificate in found[:_AUTHORITIES_NAMED]]


def _reason(error: OSError) -> str:
    return system_words(str(getattr(error, "reason", "") or error.strerror or error).lower().replace("_", " "))
