"""No proof is taken twice: not by a replay, not by a clock that was set back, not by what was forgotten."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import NS, utc
from agent.onvif.fault import SoapFault, WrongProof
from agent.onvif.http_digest import HttpDigests, StaleProof
from agent.onvif.once import MOST_OF_ONE, TakenOnce
from agent.onvif.username_token import UsernameTokens
from agent.onvif.xml_reading import XmlElement, read_xml
from agent.stream.broadcast import Broadcast
from tests.support.manual_clock import ManualClock
from tests.support.small_gate import SmallGate

PASSWORD = "correct horse"
DIGEST = "#PasswordDigest"


def token(name: str, nonce: bytes, at_ns: int) -> XmlElement:
    """As a client writes it that has this time."""
    created = datetime.fromtimestamp(at_ns / NS, UTC).isoformat()
    digest = b64encode(hashlib.sha1(nonce + created.encode() + PASSWORD.encode()).digest()).decode()
    return read_xml(
        f'<t><Username>{name}</Username><Password Type="{DIGEST}">{digest}</Password>'
        f"<Nonce>{b64encode(nonce).decode()}</Nonce><Created>{created}</Created></t>".encode()
    )


def takes(tokens: UsernameTokens, shown: XmlElement) -> bool:
    """Whether it opens."""
    try:
        tokens.check(shown)
    except (WrongProof, SoapFault):
        return False
    return True


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("passes"), st.floats(0, 900)),
        st.tuples(st.just("is set"), st.floats(-7200, 7200)),
        st.tuples(st.just("new"), st.floats(-400, 400)),
        st.tuples(st.just("again"), st.integers(0, 30)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_token_opens_twice_however_the_clock_is_set(steps: list[tuple[str, float]]) -> None:
    """Time passes, the clock is set back and forth, tokens are made by clients of other clocks, and old ones are shown again."""
    clock = ManualClock()
    gate = SmallGate(Broadcast())
    gate.open(PASSWORD, "lease-1")
    tokens = UsernameTokens(gate, clock, clock.wall_ns())
    made: list[XmlElement] = []
    opened: set[int] = set()
    for what, value in steps:
        if what == "passes":
            clock.advance(value)
        elif what == "is set":
            clock.step_wall(utc(clock.wall_ns()) + timedelta(seconds=value))
        elif what == "new":
            made.append(token("lease-1", len(made).to_bytes(4, "big"), clock.wall_ns() + round(value * NS)))
        if what in ("new", "again") and made:
            number = len(made) - 1 if what == "new" else int(value) % len(made)
            if takes(tokens, made[number]):
                assert number not in opened, "this token opened before"
                opened.add(number)


def test_a_token_of_now_opens_and_its_bytes_cannot_be_moved_about() -> None:
    """Nonce and time run together in the digest: a byte that passes from one to the other makes no new token."""
    clock = ManualClock()
    gate = SmallGate(Broadcast())
    gate.open(PASSWORD, "lease-1")
    tokens = UsernameTokens(gate, clock, clock.wall_ns())
    clock.advance(10)
    created = datetime.fromtimestamp(clock.wall_ns() / NS, UTC).isoformat()
    whole = b"12345678" + f" {created}".encode()
    digest = b64encode(hashlib.sha1(whole + PASSWORD.encode()).digest()).decode()
    shown = []
    for cut in (8, 9):
        nonce, time = b64encode(whole[:cut]).decode(), whole[cut:].decode()
        text = (
            f'<t><Username>lease-1</Username><Password Type="{DIGEST}">{digest}</Password>'
            f"<Nonce>{nonce}</Nonce><Created>{time}</Created></t>"
        )
        shown.append(read_xml(text.encode()))
    assert [takes(tokens, each) for each in shown] == [True, False]


def test_a_restart_takes_no_token_of_before() -> None:
    """The memory is gone with the process; the time of its start is not."""
    clock = ManualClock()
    gate = SmallGate(Broadcast())
    gate.open(PASSWORD, "centre-vms")
    before = token("centre-vms", b"1", clock.wall_ns() + NS)
    assert takes(UsernameTokens(gate, clock, clock.wall_ns()), before)
    clock.advance(5)
    assert not takes(UsernameTokens(gate, clock, clock.wall_ns()), before)


def test_a_nonce_ends_and_none_of_another_life_is_taken() -> None:
    """After 300 s, and after a restart."""
    clock = ManualClock()
    gate = SmallGate(Broadcast())
    gate.open(PASSWORD, "lease-1")

    def answer(digests: HttpDigests) -> str:
        nonce = digests.challenges()[0].partition('nonce="')[2].partition('"')[0]

        def hashed(*parts: str) -> str:
            return hashlib.sha256(":".join(parts).encode()).hexdigest()

        middle = hashed(hashed("lease-1", "Vigie", PASSWORD), nonce, hashed("POST", "/x"))
        return f'Digest username="lease-1", nonce="{nonce}", uri="/x", algorithm=SHA-256, response="{middle}"'

    digests = HttpDigests(gate, clock)
    late, soon = answer(digests), answer(digests)
    assert digests.check(soon, "POST", "/x") is not None
    with pytest.raises(StaleProof):
        digests.check(soon, "POST", "/x")
    clock.advance(301)
    for old in (late, answer(HttpDigests(gate, clock))):
        with pytest.raises(StaleProof):
            digests.check(old, "POST", "/x")


def test_the_memory_is_bounded_and_one_lease_leaves_room_for_the_others() -> None:
    """Full for one, it takes another's; what is past its time makes room."""
    taken = TakenOnce()
    assert all(taken.take("a", n.to_bytes(2, "big"), n) for n in range(MOST_OF_ONE))
    assert not taken.take("a", b"one more", 9999)
    assert taken.take("b", b"one more", 9999)
    taken.forget(MOST_OF_ONE)
    assert len(taken) == 1
    assert taken.take("a", b"one more", 9999)
