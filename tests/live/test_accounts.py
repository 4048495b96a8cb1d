"""The lease that stands for an account: there from the start, renewed by itself, and never after somebody closed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.looking_in import LiveAccount
from agent.journal.entry import Act
from agent.live.accounts import LiveAccounts
from agent.live.attendant import LeaseAttendant
from agent.live.lease import LeaseInForce
from agent.operations.caller import Role
from agent.ports.live import Transport
from tests.support.lease_house import SUPERVISOR, LeaseHouse


class AccountHouse(LeaseHouse):
    """With one account, whose password lies in a file."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.file = directory / "password"
        self.file.write_text("first\n")
        self.accounts = LiveAccounts((LiveAccount(name="vms", password_file=self.file),), self.book, self.clock)
        self.gate._accounts = self.accounts.lease_of
        self.attendant = LeaseAttendant(self.book, self.accounts, self.strangers, lambda: None, self.clock)
        self.pass_frames()

    def hours_pass(self, hours: float) -> None:
        """With the attendant going its rounds, each minute."""
        for _ in range(round(60 * hours)):
            self.clock.advance(60)
            self.attendant.round()

    @property
    def lease(self) -> LeaseInForce:
        """The account's."""
        found = self.accounts.lease_of("vms")
        assert found is not None
        return found


@pytest.fixture
def house(tmp_path: Path) -> AccountHouse:
    """It."""
    return AccountHouse(tmp_path)


def test_it_stands_for_days_in_one_line_and_an_operator_is_all_it_is(house: AccountHouse) -> None:
    """A viewer stays in; renewals by itself are no news; its looks are entered like all."""
    house.attendant.round()
    lease = house.lease
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.hours_pass(30)
    assert (house.lease, look.over) == (lease, "")
    assert lease.terms.holder.role is Role.OPERATOR
    assert [act for act, _, _ in house.register.entries] == [Act.LEASE_OPENED, Act.LIVE_BEGUN]
    secret = house.gate.challenge("vms")
    assert secret is not None
    assert secret.password == "first"


def test_another_password_ends_the_lease_under_the_old_one(house: AccountHouse) -> None:
    """Within minutes; whoever looked with the old one is out, and the new one opens."""
    house.attendant.round()
    look = house.gate.enter(house.lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.file.write_text("second\n")
    house.hours_pass(0.1)
    assert "password was changed" in look.over
    assert house.lease.secret.password == "second"


def test_a_password_that_is_gone_lets_nobody_look_until_it_is_back(house: AccountHouse, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, with the file's name."""
    house.attendant.round()
    house.file.unlink()
    house.hours_pass(0.2)
    assert house.gate.challenge("vms") is None
    assert str(house.file) in caplog.text
    house.file.write_text("third\n")
    house.hours_pass(0.1)
    assert house.lease.secret.password == "third"


def test_whoever_closes_it_closes_it_until_the_next_start(house: AccountHouse, tmp_path: Path) -> None:
    """A supervisor's word holds against the configuration."""
    house.attendant.round()
    house.book.close(house.lease.id, SUPERVISOR)
    house.hours_pass(1)
    assert house.gate.challenge("vms") is None
    again = AccountHouse(tmp_path)
    again.attendant.round()
    assert again.gate.challenge("vms") is not None


def test_an_attendant_that_hung_opens_another_lease_and_not_the_old_one(house: AccountHouse) -> None:
    """It had run out: it stays over."""
    house.attendant.round()
    first = house.lease
    look = house.gate.enter(first.id, Transport.RTSP_TCP, "10.0.0.7")
    house.clock.advance(1000)
    assert look.over
    house.attendant.round()
    assert house.lease.id != first.id
    assert look.over


def test_a_register_that_refuses_leaves_the_account_shut(house: AccountHouse) -> None:
    """And it opens when lines are taken again."""
    house.register.refuses = True
    house.attendant.round()
    assert house.gate.challenge("vms") is None
    house.register.refuses = False
    house.hours_pass(0.1)
    assert house.gate.challenge("vms") is not None
