"""Who an `rtsps://` camera must prove to be, before it hears a word from us."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.base.system_words import system_words


class RtspTrust(NamedTuple):
    """By a CA (the system's, or those in `ca_file`) and its name, or by `fingerprint`: SHA-256 of its own certificate."""

    ca_file: Path | None = None
    fingerprint: str = ""

    def context(self) -> ssl.SSLContext:
        """OSError when `ca_file` cannot be read."""
        context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        if self.fingerprint:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def wrap(line: socket.socket, host: str, trust: RtspTrust, shown_as: str) -> ssl.SSLSocket:
    """The encrypted line to the camera that is meant. CameraError when it is another, or cannot be told."""
    try:
        context = trust.context()
    except OSError as error:
        raise CameraError(
            say(
                "the CA file of camera {camera}, {ca_file}, cannot be used: {why}",
                camera=shown_as,
                ca_file=trust.ca_file,
                why=system_words(error.strerror or error),
            ),
            remedy=say("Put PEM certificates into it that the service may read, and name it in [camera] ca_file"),
        ) from None
    peer, timeout_s = line.getpeername()[:2], line.gettimeout()
    try:
        wrapped = context.wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise CameraError(
            say(
                "camera {camera} cannot prove who it is: {verify_message}; its certificate has SHA-256 {peek}",
                camera=shown_as,
                verify_message=error.verify_message,
                peek=_peek(peer, host, timeout_s),
            ),
            remedy=say(
                "Name its CA in [camera] ca_file, or, once you have compared it on the camera's own page, that number in "
                "[camera] tls_fingerprint"
            ),
        ) from None
    except ssl.SSLError as error:
        raise CameraError(
            say(
                "camera {camera} speaks no TLS at that port that this node takes ({why})",
                camera=shown_as,
                why=error.reason or "closed",
            ),
            remedy=say("Check the port in camera.source, for rtsps:// often 322 or 443; TLS 1.2 or newer is needed"),
        ) from None
    if trust.fingerprint:
        found = fingerprint_of(wrapped)
        if not hmac.compare_digest(found, trust.fingerprint.replace(":", "").lower()):
            wrapped.close()
            raise CameraError(
                say(
                    "camera {camera} shows another certificate than the pinned one: SHA-256 {shown}",
                    camera=shown_as,
                    shown=_shown(found),
                ),
                remedy=say(
                    "If its certificate was renewed, compare that number on the camera's own page and write it into "
                    "[camera] tls_fingerprint; if not, somebody stands between"
                ),
            )
    return wrapped


def fingerprint_of(line: ssl.SSLSocket) -> str:
    """SHA-256 of the certificate at the other end, in hexadecimal."""
    return hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()


def _peek(peer: tuple[str, int], host: str, timeout_s: float | None) -> str:
    """The fingerprint of what was refused, asked for once more; nothing else is said on that connection."""
    context = RtspTrust(fingerprint="any").context()
    try:
        with (
            socket.create_connection(peer, timeout_s) as again,
            context.wrap_socket(again, server_hostname=host) as seen,
        ):
            return _shown(fingerprint_of(seen))
    except OSError:
        return "unknown"


def _shown(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()
