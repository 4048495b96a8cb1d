"""Nobody sees anything who has not proved a lease: what opens, what does not, and what it costs to guess."""

from __future__ import annotations

import socket
from base64 import b64encode

import pytest

from agent.ports.live import Secret
from hardware.live_rtsp.proof import NONCE_S, TRIES, ProofOfLease
from hardware.live_rtsp.request import RtspRequest
from tests.live.conftest import LiveNode
from tests.support.deadline import until
from tests.support.manual_clock import ManualClock
from tests.support.rtsp_caller import Caller
from tests.support.small_gate import SmallGate

PROTECTED = ["DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"]


def caller(node: LiveNode, secret: Secret | None = None, scheme: str = "rtsp", algorithm: str = "SHA-256") -> Caller:
    """At the test's node."""
    return Caller(node.server.ports[scheme], scheme == "rtsps", secret=secret, algorithm=algorithm)


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_a_digest_opens(node: LiveNode, scheme: str, algorithm: str) -> None:
    """Both hashes, on a plain and on an encrypted line; proved once, the connection need not prove it again."""
    with caller(node, node.gate.open(), scheme, algorithm) as viewer:
        assert viewer.ask("DESCRIBE").status == 200
        assert viewer.say("DESCRIBE").status == 200
    assert node.gate.refusals == []


def test_sha_256_is_offered_first_and_md5_last_and_a_clear_password_only_by_tls(node: LiveNode) -> None:
    """Some clients take the last challenge they read, whether they know it or not."""
    for scheme, schemes in (("rtsp", ["Digest", "Digest"]), ("rtsps", ["Digest", "Basic", "Digest"])):
        with caller(node, scheme=scheme) as viewer:
            offered = viewer.say("DESCRIBE").all("www-authenticate")
        assert [line.split()[0] for line in offered] == schemes
        assert "algorithm=SHA-256" in offered[0]
        assert "algorithm=MD5" in offered[-1]


@pytest.mark.parametrize("verb", PROTECTED)
def test_nothing_is_told_before_a_lease_is_proved(node: LiveNode, verb: str) -> None:
    """OPTIONS alone is everybody's; neither path nor state shows through."""
    with caller(node) as stranger:
        assert stranger.say("OPTIONS").status == 200
        for place in (stranger.base, stranger.base + "/elsewhere"):
            said = stranger.say(verb, place, {"Transport": "RTP/AVP/TCP", "Session": "abc"})
            assert (said.status, said.body) == (401, b"")
    assert node.gate.register == []


def test_a_wrong_password_is_refused_and_after_three_the_connection_ends(node: LiveNode) -> None:
    """Each is told to the house, with the user and not the password."""
    right = node.gate.open()
    wrong = Secret(right.lease, "wrong")
    with caller(node, wrong) as guesser:
        for _ in range(TRIES):
            assert guesser.ask("DESCRIBE").status == 401
        assert guesser.until_closed() == b""
    assert node.gate.refusals == [right.lease] * TRIES
    assert node.gate.register == []


def test_an_unknown_user_looks_like_a_wrong_password(node: LiveNode) -> None:
    """Whether a lease is in force cannot be told from outside."""
    known = node.gate.open()
    answers = []
    for secret in (Secret("nobody", "x"), Secret(known.lease, "x")):
        with caller(node, secret) as guesser:
            said = guesser.ask("DESCRIBE")
            answers.append((said.status, [line.split('nonce="')[0] for line in said.all("www-authenticate")], said.body))
    assert answers[0] == answers[1]


def test_a_digest_that_was_heard_opens_no_other_connection(node: LiveNode) -> None:
    """Replayed word for word on a line of one's own it meets another nonce; after the first, too, while that one lives."""
    secret = node.gate.open()
    with caller(node, secret) as viewer, caller(node) as thief:
        assert viewer.ask("DESCRIBE").status == 200
        heard = viewer.digest("DESCRIBE", viewer.base)
        assert thief.say("DESCRIBE", headers={"Authorization": heard}).status == 401
        said = thief.say("DESCRIBE", headers={"Authorization": heard})
        assert said.status == 401
        assert viewer.nonce not in str(said.headers)
    assert len(node.gate.refusals) == 2


def test_a_clear_password_in_the_clear_opens_nothing(node: LiveNode) -> None:
    """Neither does a token: whoever listens would have it. Encrypted, both do."""
    secret = node.gate.open()
    node.gate.tokens["a.b.c"] = secret.lease
    basic = "Basic " + b64encode(f"{secret.lease}:{secret.password}".encode()).decode()
    token = "Basic " + b64encode(b"whoever:a.b.c").decode()
    for authorization in (basic, token, "Bearer a.b.c"):
        for scheme, status in (("rtsp", 401), ("rtsps", 200)):
            with caller(node, scheme=scheme) as viewer:
                assert viewer.say("DESCRIBE", headers={"Authorization": authorization}).status == status
    with caller(node, scheme="rtsps") as viewer:
        assert viewer.say("DESCRIBE", headers={"Authorization": "Bearer x.y.z"}).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "Digest",
        "Digest " + "a" * 900,
        'Digest username="x", ' + "a" * 8000,
        "Basic !!!",
        "Basic " + b64encode(b"\xff\xfe").decode(),
        "Negotiate abc",
        'Digest username="lease-1", nonce="", response="", uri="http://[bad"',
        'Digest algorithm=SHA-512-256, nonce="x"',
    ],
)
def test_what_is_no_proof_is_a_refusal(node: LiveNode, authorization: str) -> None:
    """In a 401, whatever it is."""
    node.gate.open()
    for scheme in ("rtsp", "rtsps"):
        with caller(node, scheme=scheme) as viewer:
            viewer.say("DESCRIBE")
            assert viewer.say("DESCRIBE", headers={"Authorization": authorization}).status == 401


def test_an_old_nonce_is_told_as_stale_and_a_new_one_given(node: LiveNode) -> None:
    """So that a client with the right password answers once more without asking its user."""
    clock, gate = ManualClock(), SmallGate(node.feed.broadcast)
    secret = gate.open()
    proof = ProofOfLease(gate, clock, encrypted=False)
    with caller(node, secret) as viewer:

        def request() -> RtspRequest:
            viewer.nonce = proof.challenge()[0][1].split('nonce="')[1].split('"')[0]
            return RtspRequest("DESCRIBE", viewer.base, "1", {"authorization": viewer.digest("DESCRIBE", viewer.base)})

        assert proof.check(request()) == secret.lease
        late = request()
        clock.advance(NONCE_S + 1)
        assert proof.check(late) is None
        assert all("stale=true" in line for _, line in proof.challenge())
        assert proof.check(request()) == secret.lease


def test_guessers_take_no_place_from_a_viewer(node: LiveNode) -> None:
    """More of them than there are places: the viewer that plays stays, and gets in later as well."""
    secret = node.gate.open()
    with caller(node, secret) as viewer:
        assert viewer.play().status == 200
        crowd = [socket.create_connection(("127.0.0.1", node.server.ports["rtsp"])) for _ in range(60)]
        try:
            for each in crowd:
                each.sendall(b"DESCRIBE rtsp://x/live RTSP/1.0\r\nCSeq: ")
            with caller(node, secret) as second:
                assert second.play().status == 200
                before = len(node.feed.sent)
                until(lambda: len(node.feed.sent) > before + 10, "frames go on")
                for watching in (viewer, second):
                    watching.packets.clear()
                    assert watching.packet()[0] in (0, 1)
        finally:
            for each in crowd:
                each.close()
