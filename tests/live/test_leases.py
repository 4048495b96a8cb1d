"""Leases and looks: who may, for how long, and that the register knows before anybody sees."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.base.errors import RegisterError
from agent.journal.entry import Act
from agent.journal.folded_looks import QUIET_NS
from agent.journal.noted_visits import INTERRUPTED
from agent.operations.caller import Refusal, Refused
from agent.ports.live import LookRefused, NoEntry, Transport, Way
from tests.support.lease_house import OPERATOR, POLICE, SUPERVISOR, LeaseHouse


@pytest.fixture
def house(tmp_path: Path) -> LeaseHouse:
    """A stream that has begun, and nobody who looks."""
    house = LeaseHouse(tmp_path)
    house.pass_frames()
    return house


def test_a_look_is_entered_before_its_first_frame_and_ended_with_what_was_seen(house: LeaseHouse) -> None:
    """Who, role, lease, way, address; then for how long, and why it ended."""
    lease = house.open(POLICE, why="fight at the market")
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    assert [act for act, _, _ in house.register.entries] == [Act.LEASE_OPENED, Act.LIVE_BEGUN]
    assert house.register.entries[1][1] == "BM Leroy (police)"
    assert house.register.entries[1][2] == {"how": "rtsp-tcp", "address": "10.0.0.7", "lease": lease.id}
    house.pass_frames(100)
    seen = look.get(0)
    assert seen is not None
    assert seen.unit.keyframe
    house.clock.advance(7)
    look.close("TEARDOWN")
    house.clock.advance(QUIET_NS / 1e9)
    house.looks.settle()
    (end,) = house.register.of(Act.LIVE_ENDED)
    assert (end["why"], end["seconds"], end["looks"]) == ("TEARDOWN", 7.0, 1)


def test_a_register_that_refuses_means_no_lease_and_no_look(house: LeaseHouse) -> None:
    """Neither is there afterwards, and both are when it takes entries again."""
    lease = house.open()
    house.register.refuses = True
    with pytest.raises(RegisterError):
        house.open(POLICE)
    with pytest.raises(LookRefused) as refused:
        house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    assert refused.value.why is NoEntry.NO_REGISTER
    assert (house.gate.viewers, house.book.in_force()) == (0, (lease,))
    house.register.refuses = False
    house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")


def test_while_the_register_refuses_nobody_looks_again_either(house: LeaseHouse) -> None:
    """Further looks of a viewer are counted only, yet the register is asked; once it refused a line, each is entered first."""
    lease = house.open()
    house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.register.refuses = True
    for address in ("10.0.0.7", "10.0.0.8"):
        with pytest.raises(LookRefused):
            house.gate.enter(lease.id, Transport.RTSP_TCP, address)
    with pytest.raises(LookRefused) as refused:
        house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    assert refused.value.why is NoEntry.NO_REGISTER
    house.register.refuses = False
    house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    assert len(house.register.of(Act.LIVE_BEGUN)) == 2
    house.book.close(lease.id, OPERATOR)
    house.attendant.round()
    assert [facts["looks"] for facts in house.register.of(Act.LIVE_ENDED)] == [3]


def test_why_a_look_ended_is_the_lease_and_not_what_its_connection_made_of_it(house: LeaseHouse) -> None:
    """Its time is over before anybody ends it: whoever serves the look leaves with an error, and the register has the reason."""
    lease = house.open()
    first, second = (house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7") for _ in range(2))
    second.close("left")
    house.clock.advance(lease.terms.seconds + 1)
    with pytest.raises(LookRefused), first:
        first.get(0)
    house.attendant.round()
    (end,) = house.register.of(Act.LIVE_ENDED)
    assert (end["why"], end["looks"]) == ("its time is over", 2)


def test_the_end_of_a_lease_ends_every_look_at_once_and_calls_whoever_serves_it(house: LeaseHouse) -> None:
    """What waits in the reader is not given out any more; the name opens nothing afterwards."""
    lease = house.open()
    looks = [house.gate.enter(lease.id, Transport.RTSP_TCP, f"10.0.0.{n}") for n in range(3)]
    told: list[int] = []
    for number, look in enumerate(looks):
        look.on_over(lambda number=number: told.append(number))  # type: ignore[misc]
    house.pass_frames(100)
    house.book.close(lease.id, OPERATOR)
    assert told == [0, 1, 2]
    for look in looks:
        with pytest.raises(LookRefused):
            look.get(0)
    assert house.gate.challenge(lease.id) is None
    with pytest.raises(LookRefused) as refused:
        house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.1")
    assert refused.value.why is NoEntry.UNKNOWN
    with pytest.raises(Refused, match="stays over"):
        house.book.renew(lease.id, 600, SUPERVISOR)
    late: list[str] = []
    looks[0].on_over(lambda: late.append("at once"))
    assert late == ["at once"]


def test_a_lease_ends_by_its_time_whether_anybody_notices_or_not(house: LeaseHouse) -> None:
    """The attendant may hang: no frame is given out after the end. A step of the wall clock changes nothing."""
    lease = house.open(seconds=60)
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.clock.step_wall(datetime(2031, 1, 1, tzinfo=UTC))
    house.pass_frames(51)
    assert look.get(0) is not None
    house.clock.advance(60)
    house.pass_frames(51)
    with pytest.raises(LookRefused):
        look.get(0)
    house.attendant.round()
    (end,) = house.register.of(Act.LEASE_ENDED)
    assert end["why"] == "its time is over"


def test_only_who_opened_a_lease_or_a_supervisor_renews_and_closes_it(house: LeaseHouse) -> None:
    """A colleague of the same role is a stranger; whoever stands at the node may."""
    lease = house.open(POLICE)
    for stranger in (OPERATOR, type(POLICE)("BM Autre", POLICE.role)):
        for act in (lambda by=stranger: house.book.renew(lease.id, 60, by), lambda by=stranger: house.book.close(lease.id, by)):
            with pytest.raises(Refused) as refused:
                act()  # type: ignore[no-untyped-call]
            assert refused.value.code is Refusal.FORBIDDEN
    assert house.book.renew(lease.id, 3600, SUPERVISOR).left_s == 3600
    assert house.book.renew(lease.id, 30, POLICE).left_s == 30
    house.book.close(lease.id, OPERATOR, at_the_node=True)
    assert house.book.in_force() == ()
    assert len(house.register.of(Act.LEASE_RENEWED)) == 2


def test_the_ninth_is_told_and_gets_in_when_one_leaves(house: LeaseHouse) -> None:
    """Eight by default; whoever leaves twice frees one place."""
    lease = house.open()
    looks = [house.gate.enter(lease.id, Transport.RTSPS, "10.0.0.7") for _ in range(8)]
    with pytest.raises(LookRefused) as refused:
        house.gate.enter(lease.id, Transport.RTSPS, "10.0.0.8")
    assert refused.value.why is NoEntry.FULL
    looks[0].close("left")
    looks[0].close("left")
    house.gate.enter(lease.id, Transport.RTSPS, "10.0.0.8")
    with pytest.raises(LookRefused):
        house.gate.enter(lease.id, Transport.RTSPS, "10.0.0.9")


def test_a_lease_is_for_one_way(house: LeaseHouse) -> None:
    """A push is no invitation to look in by RTSP."""
    lease = house.open(way=Way.PUSH)
    with pytest.raises(LookRefused) as refused:
        house.gate.enter(lease.id, Transport.RTSP_UDP, "10.0.0.7")
    assert refused.value.why is NoEntry.NOT_THIS_WAY
    house.gate.enter(lease.id, Transport.PUSH, "relay")


def test_nobody_looks_before_there_is_a_picture(tmp_path: Path) -> None:
    """It is said in words, and no line stands in the register for it."""
    house = LeaseHouse(tmp_path)
    house.stream._format = None
    lease = house.open()
    with pytest.raises(LookRefused) as refused:
        house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    assert refused.value.why is NoEntry.NO_STREAM
    assert house.register.of(Act.LIVE_BEGUN) == []


def test_a_thousand_viewers_that_vanish_make_two_lines(house: LeaseHouse) -> None:
    """How many there were stands in the second."""
    lease = house.open()
    for _ in range(1000):
        house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7").close("the connection was lost")
        house.clock.advance(0.1)
        house.attendant.round()
        house.looks.settle()
    house.book.close(lease.id, OPERATOR)
    house.attendant.round()
    assert [act for act, _, _ in house.register.entries] == [Act.LEASE_OPENED, Act.LIVE_BEGUN, Act.LIVE_ENDED, Act.LEASE_ENDED]
    assert house.register.of(Act.LIVE_ENDED)[0]["looks"] == 1000


def test_a_lease_that_has_got_about_is_held_to_a_few_addresses(house: LeaseHouse) -> None:
    """A stolen password used from everywhere cannot fill the register."""
    lease = house.open()
    for number in range(16):
        house.gate.enter(lease.id, Transport.RTSP_TCP, f"10.0.0.{number}").close("left")
    with pytest.raises(LookRefused, match="16 addresses"):
        house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.1.1")
    house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.3")


def test_ten_thousand_wrong_passwords_are_counted_and_told_once(house: LeaseHouse, caplog: pytest.LogCaptureFixture) -> None:
    """One line as it begins, one that counts when it is quiet; from many addresses a bounded number."""
    for number in range(10_000):
        house.gate.refused(Transport.RTSP_TCP, "10.6.6.6", f"guess-{number}")
        if number % 1000 == 0:
            house.attendant.round()
    house.clock.advance(QUIET_NS / 1e9)
    house.attendant.round()
    assert [facts["count"] for facts in house.register.of(Act.LIVE_REFUSED)] == [1, 9_999]
    assert len([record for record in caplog.records if "10.6.6.6" in record.getMessage()]) == 2
    assert "guess" not in caplog.text + str(house.register.entries)
    for number in range(10_000):
        house.gate.refused(Transport.RTSP_TCP, f"10.7.{number // 256}.{number % 256}", "x")
    house.clock.advance(QUIET_NS / 1e9)
    house.attendant.round()
    house.attendant.round()
    counts = [facts["count"] for facts in house.register.of(Act.LIVE_REFUSED)][2:]
    assert len(counts) <= 18
    assert sum(int(count or 0) for count in counts) == 10_000


def test_what_could_not_be_entered_is_made_up_for(house: LeaseHouse) -> None:
    """A lease ends when it must, whatever the register says; the entry follows, the looks before the lease."""
    lease = house.open()
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.register.refuses = True
    house.book.close(lease.id, OPERATOR)
    house.attendant.round()
    with pytest.raises(LookRefused):
        look.get(0)
    house.register.refuses = False
    house.clock.advance(11)
    house.attendant.round()
    house.attendant.round()
    assert [act for act, _, _ in house.register.entries][2:] == [Act.LIVE_ENDED, Act.LEASE_ENDED]


def test_a_restart_ends_every_lease_and_says_so(tmp_path: Path) -> None:
    """A node that is killed enters the ends when it starts again, once; no secret lies on its disk."""
    before = LeaseHouse(tmp_path)
    lease = before.open()
    assert lease.secret.password not in "".join(path.read_text() for path in tmp_path.iterdir())
    after = LeaseHouse(tmp_path)
    assert after.gate.challenge(lease.id) is None
    after.register.refuses = True
    after.attendant.round()
    after.register.refuses = False
    other = after.open(POLICE)
    after.clock.advance(11)
    after.attendant.round()
    after.attendant.round()
    assert after.register.of(Act.LEASE_ENDED) == [{"lease": lease.id, "why": INTERRUPTED}]
    again = LeaseHouse(tmp_path)
    again.attendant.round()
    assert [facts["lease"] for facts in again.register.of(Act.LEASE_ENDED)] == [other.id]


def test_the_end_of_the_node_is_the_end_of_every_lease(house: LeaseHouse) -> None:
    """Entered, and every look with it."""
    lease = house.open()
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.attendant.start()
    house.attendant.stop()
    assert house.attendant.join(60)
    assert "the node stops" in look.over
    assert house.register.of(Act.LEASE_ENDED)[0]["why"] == "the node stops"


def test_secrets_differ_and_show_nowhere(house: LeaseHouse) -> None:
    """192 bits each; not in the register, nor in what an error or a log line would print."""
    secrets = [house.open().secret for _ in range(20)]
    assert len({secret.password for secret in secrets}) == 20
    assert all(len(secret.password) >= 32 for secret in secrets)
    told = str(house.register.entries) + repr(secrets)
    assert not any(secret.password in told for secret in secrets)


def test_a_keyframe_is_made_for_whoever_comes_and_one_a_second_for_all_of_them(house: LeaseHouse) -> None:
    """Sixteen at once cost one; who comes just behind it waits for the second to pass, no longer."""
    lease = house.open()
    house.pass_frames(3)
    looks = [house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7") for _ in range(8)]
    for look in looks:
        look.request_keyframe()
    house.pass_frames(1)
    assert house.asked == 1
    for look in looks:
        first = look.get(0)
        assert first is not None
        assert first.unit.keyframe
    looks[0].close("left")
    late = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    late.request_keyframe()
    assert house.asked == 1
    house.pass_frames(27)
    assert house.asked == 2
    found = late.get(0)
    assert found is not None
    assert found.unit.keyframe
