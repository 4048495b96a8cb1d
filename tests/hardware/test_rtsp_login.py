"""The words of an RTSP connection: challenges answered as in the standard's examples, bytes taken apart however they come."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.errors import CameraError
from hardware.rtsp_framing import Framing, Message
from hardware.rtsp_login import Login, parse

ASKED = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
PACKET = b"$\x00\x00\x05hello"
ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_standard_s_own_examples_come_out(monkeypatch: pytest.MonkeyPatch, algorithm: str, response: str) -> None:
    """RFC 7616, section 3.9.1."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    login = Login("camera", "Mufasa", "Circle of Life", clear=False)
    login.hear([ASKED.format(algorithm)])
    assert f'response="{response}"' in login.answer("GET", "/dir/index.html")


def test_the_best_way_is_taken_wherever_it_stands() -> None:
    """Several in one line, in lines of their own, in any order; Basic where the line is safe and nothing else is offered."""
    offers = [
        'Basic realm="a", Digest realm="a", nonce="n"',
        ASKED.format("SHA-256"),
        'Digest realm="a", nonce="n", qop="auth-int"',
    ]
    for lines in (offers, offers[::-1]):
        login = Login("camera", "anna", "word", clear=True)
        login.hear(lines)
        assert "algorithm=SHA-256" in login.answer("PLAY", "rtsp://h/")
    login = Login("camera", "anna", "word", clear=True)
    login.hear(['Basic realm="a"', ASKED.format("SHA-384")])
    assert login.answer("PLAY", "rtsp://h/") == "Basic YW5uYTp3b3Jk"


def test_a_nonce_that_grew_old_is_no_wrong_password() -> None:
    """`stale=true`: answered anew. Without it, the second demand means that the password is wrong."""
    login = Login("camera", "anna", "word", clear=False)
    login.hear(['Digest realm="a", nonce="1"'])
    login.hear(['Digest realm="a", nonce="2", stale=true'])
    assert 'nonce="2"' in login.answer("PLAY", "rtsp://h/")
    with pytest.raises(CameraError, match="refuses user or password"):
        login.hear(['Digest realm="a", nonce="3"'])


@given(st.lists(st.text(), max_size=4), st.booleans())
def test_no_challenge_breaks_the_login_or_gets_a_line_into_it(lines: list[str], clear: bool) -> None:
    """Whatever a camera says: an answer of one line, or one error that does not hold the password."""
    login = Login("camera", 'an"na\r\n', "hidden-word", clear=clear)
    try:
        login.hear([*lines, *(f'Digest realm="{line}", nonce="{line}"' for line in lines)])
    except CameraError as error:
        said = f"{error} {error.remedy}"
    else:
        said = login.answer("PLAY", "rtsp://h/")
    assert not re.search(r"[\r\n]|hidden-word", said)
    assert all(challenge.scheme in ("digest", "basic") for line in lines for challenge in parse(line))


@given(st.lists(st.sampled_from([PACKET, ANSWER]), max_size=6), st.lists(st.integers(0, 300), max_size=8))
def test_pieces_are_the_same_however_they_arrive(pieces: list[bytes], cuts: list[int]) -> None:
    """Cut anywhere: packets come out as they went in, answers with their body."""
    whole, framing, found, at = b"".join(pieces), Framing(), [], 0
    for cut in sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)}):
        found += list(framing.feed(whole[at:cut]))
        at = cut
    assert [piece.encode() if isinstance(piece, Message) else piece for piece in found] == pieces


@given(st.binary(max_size=400))
def test_nothing_but_rtsp_gets_through(data: bytes) -> None:
    """Any bytes: whole pieces, patience for more, or ValueError."""
    try:
        pieces = list(Framing().feed(data))
    except ValueError:
        return
    assert all(isinstance(piece, Message | bytes) for piece in pieces)
