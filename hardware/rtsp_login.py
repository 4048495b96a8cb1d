"""User and password before an RTSP camera: which of the ways it offers is taken, and the answer to it (RFC 7616, RFC 7617)."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Iterable
from typing import NamedTuple

from agent.base.errors import CameraError
from agent.base.phrase import say

_HASHES = {"sha-512-256": "sha512_256", "sha-256": "sha256", "md5": "md5"}
"""Best first, by the names of RFC 7616 and of hashlib."""
_PARAMETER = re.compile(r'(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(r"(?:^|,)\s*(digest|basic)\b", re.IGNORECASE)


class Challenge(NamedTuple):
    """One way in that a camera offers: `scheme` in lower case, its parameters by name."""

    scheme: str
    parameters: dict[str, str]

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").lower()


class Login:
    """Answers one camera. `clear` is True where Basic may be used: the line is encrypted, and the camera has proved who it is."""

    def __init__(self, shown_as: str, user: str, password: str, *, clear: bool) -> None:
        self._shown_as = shown_as
        self._user, self._password, self._clear = user, password, clear
        self._challenge: Challenge | None = None
        self._count = 0

    def hear(self, offered: Iterable[str]) -> None:
        """The camera asks for it: its `WWW-Authenticate` lines. CameraError when none can be answered, or was already."""
        challenges = [challenge for line in offered for challenge in parse(line)]
        if self._challenge is not None and not any(c.parameters.get("stale", "").lower() == "true" for c in challenges):
            raise CameraError(
                say("camera {camera} refuses user or password", camera=self._shown_as),
                remedy=say("Check the user in camera.source and camera.password_file"),
            )
        self._challenge, self._count = self._best(challenges), 0

    def answer(self, verb: str, uri: str) -> str:
        """The `Authorization` of this request; empty while nobody asked for one."""
        challenge = self._challenge
        if challenge is None:
            return ""
        if challenge.scheme == "basic":
            return "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
        return self._digest(challenge, verb, uri)

    def _best(self, challenges: list[Challenge]) -> Challenge:
        digests = [challenge for challenge in challenges if challenge.scheme == "digest" and _answerable(challenge)]
        for algorithm in _HASHES:
            for challenge in digests:
                if challenge.algorithm.removesuffix("-sess") == algorithm:
                    return challenge
        basic = next((challenge for challenge in challenges if challenge.scheme == "basic"), None)
        if basic is not None and self._clear:
            return basic
        if basic is not None:
            raise CameraError(
                say(
                    "camera {camera} wants the password in the clear (Basic), and nothing proves who listens",
                    camera=self._shown_as,
                ),
                remedy=say("Set the camera to digest authentication, or write rtsps:// with [camera] ca_file or tls_fingerprint"),
            )
        offers = ", ".join(sorted({c.parameters.get("algorithm", c.scheme)[:20] for c in challenges})) or "nothing known"
        raise CameraError(
            say(
                "camera {camera} asks for the password in a way that this node does not speak ({offers})",
                camera=self._shown_as,
                offers=offers,
            ),
            remedy=say("Set the camera to digest authentication with MD5 or SHA-256, then `vigie doctor`"),
        )

    def _digest(self, challenge: Challenge, verb: str, uri: str) -> str:
        said = challenge.parameters
        realm, nonce, algorithm = said.get("realm", ""), said.get("nonce", ""), challenge.algorithm

        def digest(*parts: str) -> str:
            return hashlib.new(_HASHES[algorithm.removesuffix("-sess")], ":".join(parts).encode()).hexdigest()

        self._count += 1
        count, own = f"{self._count:08x}", secrets.token_hex(8)
        secret = digest(self._user, realm, self._password)
        if algorithm.endswith("-sess"):
            secret = digest(secret, nonce, own)
        fields = {"username": self._user, "realm": realm, "nonce": nonce, "uri": uri}
        between = [nonce]
        bare = {"algorithm": said["algorithm"]} if "algorithm" in said else {}
        if "qop" in said:
            between += [count, own, "auth"]
            bare |= {"qop": "auth", "nc": count}
            fields["cnonce"] = own
        fields["response"] = digest(secret, *between, digest(verb, uri))
        if "opaque" in said:
            fields["opaque"] = said["opaque"]
        quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items()]
        return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in bare.items())])


def parse(line: str) -> list[Challenge]:
    """The ways that one `WWW-Authenticate` line offers; never raises."""
    starts = list(_SCHEME.finditer(line))
    found = []
    for match, end in zip(starts, [*(match.start() for match in starts[1:]), len(line)], strict=False):
        parameters = _PARAMETER.findall(line[match.end() : end])
        found.append(Challenge(match[1].lower(), {name.lower(): quoted or bare for name, quoted, bare in parameters}))
    return found


def _answerable(challenge: Challenge) -> bool:
    """Without `qop`, or with `auth` among those it offers."""
    qop = challenge.parameters.get("qop")
    return bool(challenge.parameters.get("nonce")) and (qop is None or "auth" in re.split(r"[\s,]+", qop.lower()))


def _escaped(value: str) -> str:
    value = "".join(letter for letter in value if letter.isprintable())
    return value.replace("\\", "\\\\").replace('"', '\\"')
