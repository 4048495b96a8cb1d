"""Who may ask: tokens and digests, each good once, and what is said to everybody else."""

from __future__ import annotations

import hashlib
import re

import pytest

from agent.ports.live import Secret, Way
from tests.support.onvif_house import OnvifHouse, soap, username_token


def digest_of(house: OnvifHouse, path: str, password: str, *, algorithm: str = "SHA-256", count: str = "00000001") -> str:
    """The answer to a challenge, by RFC 7616."""
    challenges = [value for name, value in house.request("GET", path).headers if name == "WWW-Authenticate"]
    challenge = next(each for each in challenges if f"algorithm={algorithm}" in each)
    found = re.search(r'nonce="(\w+)"', challenge)
    assert found is not None
    return answered(house.secret.lease, password, found[1], path, algorithm, count)


def answered(user: str, password: str, nonce: str, path: str, algorithm: str = "SHA-256", count: str = "00000001") -> str:
    """`Authorization` for a GET."""

    def hashed(*parts: str) -> str:
        return hashlib.new(algorithm.replace("-", ""), ":".join(parts).encode()).hexdigest()

    response = hashed(hashed(user, "Vigie", password), nonce, count, "0a4f", "auth", hashed("GET", path))
    return (
        f'Digest username="{user}", realm="Vigie", nonce="{nonce}", uri="{path}", algorithm={algorithm}, qop=auth, '
        f'nc={count}, cnonce="0a4f", response="{response}"'
    )


@pytest.mark.parametrize(
    "name", ["GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetServiceCapabilities", "GetHostname"]
)
def test_what_a_client_needs_before_it_can_prove_anything_is_told_to_all(fresh: OnvifHouse, name: str) -> None:
    """The time above all; with a wrong token as well, which a client of a wrong clock cannot help sending."""
    assert fresh.ask("device", name, token="").status == 200
    assert fresh.ask("device", name, token=username_token(fresh.secret, password="wrong")).status == 200
    assert fresh.gate.refusals == []


def test_who_shows_nothing_is_asked_with_sha_256_first_and_md5_last(fresh: OnvifHouse) -> None:
    """HTTP 401, and a fault for clients that read no headers; nobody is counted who only did not know."""
    answer = fresh.ask("device", "GetDeviceInformation", token="")
    challenges = [value for name, value in answer.headers if name == "WWW-Authenticate"]
    assert answer.status == 401
    assert [re.findall(r"algorithm=([\w-]+)", each) for each in challenges] == [["SHA-256"], ["MD5"]]
    assert all(each.startswith('Digest realm="Vigie"') for each in challenges)
    assert "ter:NotAuthorized" in answer.says("Value")
    assert fresh.gate.refusals == []


def test_a_token_is_good_for_one_request(fresh: OnvifHouse) -> None:
    """Sent again it proves nothing, and is counted like a wrong password."""
    token = username_token(fresh.secret)
    assert fresh.ask("device", "GetDeviceInformation", token=token).says("SerialNumber") == ["pole-7"]
    again = fresh.ask("media", "GetProfiles", token=token)
    assert (again.status, "used before" in again.text) == (400, True)
    assert len(fresh.gate.refusals) == 1


@pytest.mark.parametrize(("name", "password"), [("", "guessed"), ("lease-of-nobody", ""), ("lease-of-nobody", "guessed")])
def test_a_wrong_token_is_a_fault_and_counted(fresh: OnvifHouse, name: str, password: str) -> None:
    """A name that does not exist is told what a wrong password is."""
    answer = fresh.ask("device", "GetDeviceInformation", token=username_token(fresh.secret, name=name, password=password))
    assert answer.status == 400
    assert "ter:NotAuthorized" in answer.says("Value")
    assert answer.says("Text") == ["no such lease is in force, or the password is another"]
    assert len(fresh.gate.refusals) == 1


@pytest.mark.parametrize(("off_s", "words"), [(-400, "400 s before"), (900, "900 s after")])
def test_a_clock_that_differs_is_told_by_how_much(fresh: OnvifHouse, off_s: float, words: str) -> None:
    """To whoever knows the password, and that one is no stranger; within five minutes it is let pass."""
    answer = fresh.ask("device", "GetDeviceInformation", token=username_token(fresh.secret, off_s=off_s))
    assert answer.status == 400
    assert re.search(rf"{words.replace('400', '(399|400)').replace('900', '(899|900)')}|before the node", answer.says("Text")[0])
    assert "GetSystemDateAndTime" in answer.text
    assert fresh.gate.refusals == []
    assert fresh.ask("device", "GetDeviceInformation", token=username_token(fresh.secret, off_s=250)).status == 200


def test_a_password_in_the_clear_is_not_taken(fresh: OnvifHouse) -> None:
    """Neither in a token nor by Basic, though it is the right one."""
    token = re.sub(r"#PasswordDigest\">[^<]*", f'#PasswordText">{fresh.secret.password}', username_token(fresh.secret))
    assert fresh.ask("device", "GetDeviceInformation", token=token).status == 400
    clear = {"Authorization": "Basic bGVhc2UtMTpjb3JyZWN0IGhvcnNl"}
    assert fresh.post(soap("device", "GetScopes"), clear).status == 401


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_a_digest_opens_and_comes_again_in_vain(fresh: OnvifHouse, algorithm: str) -> None:
    """A pair of nonce and count is taken once; who comes with it again is asked anew, and told that it is stale."""
    path = "/onvif/snapshot"
    proof = digest_of(fresh, path, fresh.secret.password, algorithm=algorithm)
    assert fresh.request("GET", path, headers={"Authorization": proof}).body == b"\xff\xd8 a picture"
    again = fresh.request("GET", path, headers={"Authorization": proof})
    assert (again.status, "stale=true" in str(again.headers)) == (401, True)
    assert fresh.gate.refusals == []


def test_a_digest_is_for_one_place_and_one_password(fresh: OnvifHouse) -> None:
    """What was made for one address opens no other."""
    path = "/onvif/snapshot"
    for proof in (digest_of(fresh, path, "guessed"), digest_of(fresh, path, fresh.secret.password).replace(path, "/onvif/other")):
        assert fresh.request("GET", path, headers={"Authorization": proof}).status == 401
    assert len(fresh.gate.refusals) == 2
    elsewhere = digest_of(fresh, path, fresh.secret.password)
    assert fresh.request("GET", f"{path}?x", headers={"Authorization": elsewhere}).status == 401


def test_a_foreign_nonce_is_no_proof(fresh: OnvifHouse) -> None:
    """A node's nonces are its own, and nobody makes one."""
    proof = answered(fresh.secret.lease, fresh.secret.password, "0" * 64, "/onvif/snapshot")
    assert fresh.request("GET", "/onvif/snapshot", headers={"Authorization": proof}).status == 401


def test_a_lease_for_another_way_and_one_that_is_over_open_nothing(fresh: OnvifHouse) -> None:
    """A page's password is none of ONVIF's."""
    web = Secret("lease-web", "pass", Way.WEB)
    fresh.gate.secrets[web.lease] = web
    refused = fresh.ask("device", "GetScopes", token=username_token(web))
    assert (refused.status, "for web" in refused.text) == (400, True)
    gone = fresh.secret
    fresh.gate.end(gone.lease)
    assert fresh.ask("device", "GetScopes", token=username_token(gone)).status == 400
