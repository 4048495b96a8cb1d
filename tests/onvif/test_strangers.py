"""Guessing at ONVIF's door: no answer, and a bounded register, with the leases of a whole node behind it."""

from __future__ import annotations

from pathlib import Path

from agent.journal.entry import Act
from agent.ports.live import Secret, Transport
from tests.support.lease_house import LeaseHouse
from tests.support.onvif_house import OnvifHouse, username_token

GUESSES = 200


def test_hundreds_of_wrong_tokens_make_two_lines(tmp_path: Path) -> None:
    """One as it begins, one that counts; what was typed stands in neither, and the right password still opens."""
    leases = LeaseHouse(tmp_path)
    lease = leases.open()
    with OnvifHouse(tmp_path, gate=leases.gate) as house:
        for number in range(GUESSES):
            guess = Secret(lease.id if number % 2 else f"guessed-{number}", f"password-{number}")
            assert house.ask("device", "GetDeviceInformation", token=username_token(guess)).status == 400
        leases.attendant.round()
        leases.clock.advance(400)
        leases.attendant.round()
        assert house.ask("device", "GetDeviceInformation", token=username_token(lease.secret)).status == 200
    lines = leases.register.of(Act.LIVE_REFUSED)
    assert [line["count"] for line in lines] == [1, GUESSES - 1]
    assert {line["how"] for line in lines} == {Transport.ONVIF}
    assert "guess" not in str(leases.register.entries)


def test_a_snapshot_is_a_look_in_the_register(tmp_path: Path) -> None:
    """Folded like any other: two of them are two lines, of which the last counts both; the end of the lease ends all."""
    from tests.onvif.test_snapshot import taken

    leases = LeaseHouse(tmp_path)
    lease = leases.open()
    with OnvifHouse(tmp_path, gate=leases.gate) as house:
        house.secret = lease.secret
        assert [taken(house).status for _ in range(2)] == [200, 200]
        (begun,) = leases.register.of(Act.LIVE_BEGUN)
        assert (begun["how"], begun["lease"]) == ("snapshot", lease.id)
        leases.book.end(lease, "closed by a supervisor")
        leases.book.settle()
        assert taken(house).status == 401
    (ended,) = leases.register.of(Act.LIVE_ENDED)
    assert ended["looks"] == 2
