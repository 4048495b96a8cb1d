"""Tokens of commands: what the hub signed for this node and this minute passes, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from agent.base.errors import UplinkError
from agent.operations.caller import Refusal, Refused, Role
from agent.uplink.token import check_token, read_hub_keys
from tests.support.hub_key import HubKey
from tests.support.manual_clock import ManualClock

START = datetime.fromtimestamp(1_780_000_000, UTC)
NOW_S = 1_780_000_000


@pytest.fixture(params=[False, True], ids=["ES256", "EdDSA"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> HubKey:
    """A hub with a key of each kind."""
    return HubKey(tmp_path / "hub.pem", edwards=request.param, clock=ManualClock(START))


def code_of(hub: HubKey, token: object) -> Refusal | None:
    """Why the node refuses it; None when it does not."""
    try:
        check_token(token, read_hub_keys(hub.path), "pole-7", hub.clock)
    except Refused as refused:
        return refused.code
    return None


def test_a_good_token_names_its_caller(hub: HubKey) -> None:
    """Subject and role come out as the hub put them in."""
    caller = check_token(hub.token(role="police", jti="a-1"), read_hub_keys(hub.path), "pole-7", hub.clock)
    assert (caller.subject, caller.role, caller.jti, caller.by) == ("M. Dupont", Role.POLICE, "a-1", "M. Dupont (police)")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "pole-8"}, Refusal.WRONG_AUDIENCE),
        ({"aud": ["pole-7", "pole-8"]}, Refusal.WRONG_AUDIENCE),
        ({"aud": None}, Refusal.WRONG_AUDIENCE),
        ({"iat": NOW_S - 100, "exp": NOW_S - 10}, Refusal.EXPIRED),
        ({"iat": NOW_S + 60, "exp": NOW_S + 90}, Refusal.NOT_YET),
        ({"exp": NOW_S + 301}, Refusal.TOO_LONG),
        ({"exp": None}, Refusal.INCOMPLETE),
        ({"iat": None}, Refusal.INCOMPLETE),
        ({"exp": "soon"}, Refusal.INCOMPLETE),
        ({"exp": True}, Refusal.INCOMPLETE),
        ({"exp": 10**30}, Refusal.INCOMPLETE),
        ({"jti": None}, Refusal.INCOMPLETE),
        ({"jti": "x" * 65}, Refusal.INCOMPLETE),
        ({"jti": "a\n"}, Refusal.INCOMPLETE),
        ({"role": "mayor"}, Refusal.UNKNOWN_ROLE),
        ({"role": None}, Refusal.INCOMPLETE),
        ({"nbf": NOW_S + 60}, Refusal.NOT_YET),
        ({"nbf": "soon"}, Refusal.INCOMPLETE),
        ({"nbf": True}, Refusal.INCOMPLETE),
        ({"role": ["supervisor"]}, Refusal.INCOMPLETE),
        ({"sub": None}, Refusal.INCOMPLETE),
        ({"sub": "a\x1b[2J"}, Refusal.INCOMPLETE),
        ({"verb": 7}, Refusal.INCOMPLETE),
    ],
)
def test_each_wrong_claim_has_its_reason(hub: HubKey, claims: dict[str, Any], code: Refusal) -> None:
    """Everything the hub signed but should not have is told apart."""
    signed = {name: value for name, value in {**hub.claims(), **claims}.items() if value is not None}
    token = jwt.api_jws.encode(json.dumps(signed).encode(), hub.private, hub.algorithm)
    assert code_of(hub, token) is code


def test_a_hub_key_that_an_editor_saved(hub: HubKey) -> None:
    """A byte order mark is no matter; UTF-16 is told as that, and not as a file without a key."""
    pem = hub.path.read_bytes()
    hub.path.write_bytes(b"\xef\xbb\xbf" + pem)
    assert len(read_hub_keys(hub.path)) == 1
    hub.path.write_bytes(pem.decode().encode("utf-16"))
    with pytest.raises(UplinkError, match="is saved as UTF-16"):
        read_hub_keys(hub.path)


def test_while_the_hub_changes_its_key_both_are_good(hub: HubKey, tmp_path: Path) -> None:
    """(docs/commands.md) The new one behind the old: tokens of either pass; the old one taken out: its tokens no more."""
    new = HubKey(tmp_path / "new.pem", clock=hub.clock)
    both = tmp_path / "both.pem"
    both.write_bytes(hub.public_pem + new.public_pem)
    for key in (hub, new):
        assert check_token(key.token(), read_hub_keys(both), "pole-7", hub.clock).role == "supervisor"
    both.write_bytes(new.public_pem)
    with pytest.raises(Refused, match="none that the hub's key signed"):
        check_token(hub.token(), read_hub_keys(both), "pole-7", hub.clock)


def test_a_token_that_may_be_used_by_now_is_taken(hub: HubKey) -> None:
    """`nbf` in the past, or ahead by no more than clocks may be apart, keeps nobody out."""
    for begins_s in (NOW_S - 100, NOW_S, NOW_S + 10):
        assert check_token(hub.token(nbf=begins_s), [hub.private.public_key()], "pole-7", hub.clock).begins_s == NOW_S


def encoded(part: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_no_algorithm_but_the_keys_own_is_believed(hub: HubKey, tmp_path: Path) -> None:
    """`none`, HMAC with the public key as its secret, another key, another algorithm: all unsigned."""
    claims = hub.claims()
    names: tuple[object, ...] = ("none", "None", "NONE", "", None, ["ES256"], {})
    for name in names:
        assert code_of(hub, f"{encoded({'alg': name, 'typ': 'JWT'})}.{encoded(claims)}.") is Refusal.UNSIGNED
    part = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}"
    mac = base64.urlsafe_b64encode(hmac.digest(hub.public_pem, part.encode(), hashlib.sha256)).rstrip(b"=").decode()
    assert code_of(hub, f"{part}.{mac}") is Refusal.UNSIGNED
    stranger = HubKey(tmp_path / "stranger.pem", clock=hub.clock)
    assert code_of(hub, stranger.token()) is Refusal.UNSIGNED
    inside = {"jwk": {"kty": "EC"}, "jku": "https://hub.example/keys", "kid": "../../etc/passwd"}
    assert code_of(hub, jwt.encode(claims, stranger.private, "ES256", headers=inside)) is Refusal.UNSIGNED


@given(st.one_of(st.none(), st.integers(), st.text(), st.binary().map(lambda b: b.decode("latin-1")), st.lists(st.text())))
def test_nonsense_is_refused_in_words(token: object) -> None:
    """Whatever stands for a token: one reason, no other exception."""
    with pytest.raises(Refused) as refused:
        check_token(token, (), "pole-7", ManualClock(START))
    assert refused.value.code is Refusal.UNSIGNED


def test_the_hub_may_change_its_key(hub: HubKey, tmp_path: Path) -> None:
    """Two keys in the file: tokens of either pass."""
    new = HubKey(tmp_path / "new.pem", clock=hub.clock)
    hub.path.write_bytes(hub.public_pem + new.public_pem)
    assert code_of(hub, hub.token()) is None
    assert code_of(hub, new.token()) is None


def test_a_bad_key_file_says_what_is_wrong(tmp_path: Path) -> None:
    """Missing, empty, private, of another kind, broken: each in words."""
    path = tmp_path / "hub.pem"
    other = rsa.generate_private_key(65537, 2048)
    private = other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = other.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    broken = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    with pytest.raises(UplinkError, match="cannot be read"):
        read_hub_keys(path)
    for text, words in ((b"", "no public key"), (private, "private key"), (public, "neither"), (broken, "cannot be read")):
        path.write_bytes(text)
        with pytest.raises(UplinkError, match=words):
            read_hub_keys(path)
