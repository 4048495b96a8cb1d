"""Tokens of commands: short-lived JWTs signed by the hub's key, checked by the node against the public key alone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from agent.base.clock import NS, Clock, rfc3339
from agent.base.errors import UplinkError
from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words
from agent.operations.caller import LONGEST_TOKEN, Caller, Refusal, Refused, Role

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey

LONGEST_LIFE_S: Final = 300
LEEWAY_S: Final = 10
MOST_KEYS: Final = 4
_LONGEST_KEY_FILE_BYTES: Final = 16 * 1024
_LATEST_S: Final = 253_402_300_000
"""The last second of year 9999, about: later ones have no date."""
_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
_JTI = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


def read_hub_keys(path: Path) -> tuple[PublicKey, ...]:
    """The hub's public keys: one, or a few while it changes to a new one. UplinkError with the remedy."""
    remedy: str = say("put the hub's public key there, as PEM: EC P-256 or Ed25519")
    try:
        text = read_regular(path, _LONGEST_KEY_FILE_BYTES)
    except OSError as error:
        raise UplinkError(
            say(
                "the hub's key {path} cannot be read: {why}", path=path, why=system_words((error.strerror or str(error)).lower())
            ),
            remedy=remedy,
        ) from error
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UplinkError(say("{path} is saved as UTF-16", path=path), remedy=say("save it as plain text"))
    if b"PRIVATE KEY" in text:
        raise UplinkError(
            say("{path} holds a private key", path=path), remedy=say("take it off this node at once, and {remedy}", remedy=remedy)
        )
    found = [_public_key(block, path, remedy) for block in _PEM.findall(text)[:MOST_KEYS]]
    if not found:
        raise UplinkError(say("{path} holds no public key", path=path), remedy=remedy)
    return tuple(found)


def _public_key(block: bytes, path: Path, remedy: str) -> PublicKey:
    try:
        key = load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UplinkError(say("a key in {path} cannot be read", path=path), remedy=remedy) from error
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        return key
    raise UplinkError(say("a key in {path} is neither EC P-256 nor Ed25519", path=path), remedy=remedy)


def check_token(token: object, keys: Sequence[PublicKey], node_id: str, clock: Clock) -> Caller:
    """Who asks, by a token that one of `keys` signed for this node and this time. Refused with the reason; any thread.

    Says nothing of whether the token was used before.
    """
    if not isinstance(token, str) or not token:
        raise Refused(Refusal.UNSIGNED, "the request carries no token")
    if len(token) > LONGEST_TOKEN:
        raise Refused(Refusal.UNSIGNED, f"the token is longer than {LONGEST_TOKEN} characters")
    claims = _signed_claims(token, keys)
    return _caller(claims, node_id, clock)


def _signed_claims(token: str, keys: Sequence[PublicKey]) -> Mapping[str, Any]:
    import jwt  # with its HTTP client: a node that is sent no command does without

    # Times are judged below, on the node's own clock; here the signature alone.
    options: Any = {"verify_signature": True, "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    options |= {"verify_sub": False, "verify_jti": False, "verify_iss": False}
    for key in keys:
        algorithm = "EdDSA" if isinstance(key, Ed25519PublicKey) else "ES256"
        try:
            return jwt.decode(token, key, algorithms=[algorithm], options=options)
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError, AttributeError):
            continue
    raise Refused(Refusal.UNSIGNED, "the token is none that the hub's key signed")


def _caller(claims: Mapping[str, Any], node_id: str, clock: Clock) -> Caller:
    subject, jti, role = claims.get("sub"), claims.get("jti"), claims.get("role")
    if not isinstance(subject, str) or not 0 < len(subject) <= 64 or not subject.isprintable():
        raise Refused(Refusal.INCOMPLETE, "the token's `sub` must name the caller, in 1 to 64 printable characters")
    if not isinstance(jti, str) or not _JTI.match(jti):
        raise Refused(Refusal.INCOMPLETE, "the token's `jti` must be 1 to 64 of A-Z a-z 0-9 . _ : -", by=subject)
    audience = claims.get("aud")
    if audience not in (node_id, [node_id]):
        raise Refused(Refusal.WRONG_AUDIENCE, f"the token is not for this node, {node_id}", by=subject, id=jti)
    issued_s, ends_s = (_second(claims, name, subject, jti) for name in ("iat", "exp"))
    opens_s = max(issued_s, _second(claims, "nbf", subject, jti)) if "nbf" in claims else issued_s
    now_s = clock.wall_ns() / NS
    its_time = f"it is {rfc3339(clock.wall_ns())} here, by a clock that is {clock.quality()}"
    if ends_s - issued_s > LONGEST_LIFE_S:
        raise Refused(Refusal.TOO_LONG, f"the token lives longer than {LONGEST_LIFE_S} s", by=subject, id=jti)
    if now_s >= ends_s + LEEWAY_S:
        raise Refused(Refusal.EXPIRED, f"the token ended at {rfc3339(ends_s * NS)}; {its_time}", by=subject, id=jti)
    if now_s < opens_s - LEEWAY_S:
        raise Refused(Refusal.NOT_YET, f"the token begins at {rfc3339(opens_s * NS)}; {its_time}", by=subject, id=jti)
    if not isinstance(role, str):
        raise Refused(Refusal.INCOMPLETE, f"the token's `role` must be one of {', '.join(Role)}", by=subject, id=jti)
    if role not in list(Role):
        raise Refused(Refusal.UNKNOWN_ROLE, f"the token's `role` must be one of {', '.join(Role)}", by=subject, id=jti)
    verb = claims.get("verb")
    if verb is not None and not isinstance(verb, str):
        raise Refused(Refusal.INCOMPLETE, "the token's `verb` must be a word", by=subject, id=jti)
    arguments = claims.get("arguments")
    if arguments is not None and not isinstance(arguments, dict):
        raise Refused(Refusal.INCOMPLETE, "the token's `arguments` must be an object", by=subject, id=jti)
    return Caller(subject, Role(role), jti, issued_s, ends_s, verb, arguments)


def _second(claims: Mapping[str, Any], name: str, subject: str, jti: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LATEST_S:
        raise Refused(Refusal.INCOMPLETE, f"the token's `{name}` must be a time in whole Unix seconds", by=subject, id=jti)
    return value
