"""What a battery and a data plan leave of looking in: over any course of both, and step by step."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.looking_in import LiveAccount
from agent.journal.entry import Act
from agent.live.accounts import LiveAccounts
from agent.live.attendant import LeaseAttendant
from agent.live.lease import LeaseHolder, LeaseInForce, LeaseTerms
from agent.live.restraint import ALWAYS, OTHER_STREAM, SHORT_S
from agent.operations.caller import Refusal, Refused
from agent.ports.battery import PowerMetrics
from agent.ports.live import LookRefused, Transport
from agent.sensors.ladder import BatteryLimits, Looking, Savings
from agent.sensors.savings_watch import SavingsWatch
from tests.support.lease_house import OPERATOR, POLICE, SUPERVISOR, LeaseHouse

CAP_MB = 100
DOWN_S, UP_S = 20, 60


class SparingHouse(LeaseHouse):
    """Leases, and the ladders over them: a gauge and a counter that a test sets, asked each ten seconds."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.in_force: list[Savings] = []
        self.savings = SavingsWatch("nomade-3", BatteryLimits(), CAP_MB, self._spare, self.register, self.clock)
        password = directory / "password"
        password.write_text("of the centre")
        self.accounts = LiveAccounts((LiveAccount(name="vms", password_file=password),), self.book, self.clock)
        self.attendant = LeaseAttendant(self.book, self.accounts, self.strangers, lambda: None, self.clock)
        self.pass_frames()

    def _spare(self, savings: Savings) -> None:
        self.in_force.append(savings)
        self.book.restrain(savings.looking)

    def go_on(self, seconds: int, percent: float | None = None, used: float = 0.0) -> None:
        """So long, with the battery at `percent` (None: no gauge) and so much of the plan used, a fraction."""
        power = None if percent is None else PowerMetrics(percent=percent, state="discharging")
        for _ in range(max(1, seconds // 10)):
            self.savings.observe(power, round(used * CAP_MB * 1_000_000))
            self.clock.advance(10)
            self.attendant.round()

    def asks(self, holder: LeaseHolder, seconds: int = 3600, incident: str = "") -> LeaseInForce | Refused:
        """A lease, or why there is none."""
        try:
            return self.book.open(LeaseTerms(holder=holder, seconds=seconds, incident=incident, through="token"))
        except Refused as refused:
            return refused


@pytest.fixture
def house(tmp_path: Path) -> SparingHouse:
    """With a full battery."""
    house = SparingHouse(tmp_path)
    house.go_on(30, 90)
    return house


STEP = st.tuples(
    st.integers(10, 400),
    st.none() | st.floats(0, 100),
    st.floats(0, 1.3),
    st.sampled_from([OPERATOR, POLICE, SUPERVISOR]),
    st.sampled_from(["", "2026-1412"]),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(course=st.lists(STEP, min_size=1, max_size=12))
def test_over_any_course_nobody_looks_longer_than_the_rung_allows(
    course: list[tuple[int, float | None, float, LeaseHolder, str, bool]],
) -> None:
    """No lease against the rung is opened, none outlasts ten minutes, none is left at the cap; all is in the register."""
    with tempfile.TemporaryDirectory() as directory:
        house = SparingHouse(Path(directory))
        by_incident_since_ns: int | None = None
        for seconds, percent, used, holder, incident, refuses in course:
            house.register.refuses = refuses
            house.go_on(seconds, percent, used)
            house.register.refuses = False
            looking, now_ns = house.savings.savings.looking, house.clock.monotonic_ns()
            by_incident_since_ns = None if looking < Looking.BY_INCIDENT else by_incident_since_ns or now_ns
            got = house.asks(holder, incident=incident)
            may = looking < Looking.CLOSED and (looking < Looking.BY_INCIDENT or holder.role in ALWAYS or bool(incident))
            assert isinstance(got, LeaseInForce) is may
            for lease in house.book.in_force():
                assert looking < Looking.CLOSED
                assert looking is Looking.FREELY or lease.left_s <= SHORT_S
                if by_incident_since_ns is not None and now_ns - by_incident_since_ns > SHORT_S * 10**9:
                    assert lease.terms.incident or lease.terms.holder.role in ALWAYS
        house.go_on(10, 50, 0.5)
        house.go_on(10)
        entered = [entry for entry in house.register.of(Act.SAVINGS_CHANGED) if entry["of"] == "battery"]
        assert [entry["rung"] for entry in entered[-1:]] in ([], [house.savings.battery.name.lower()])
        opened, ended = (house.register.of(act) for act in (Act.LEASE_OPENED, Act.LEASE_ENDED))
        over = {lease["lease"] for lease in opened} - {lease.id for lease in house.book.in_force()}
        assert {lease["lease"] for lease in ended} == over


def test_less_than_half_a_battery_leaves_ten_minutes_and_cuts_what_is_longer(house: SparingHouse) -> None:
    """Whoever looked for an hour has ten minutes yet, and the register says so; a renewal gives ten more."""
    lease = house.asks(OPERATOR)
    assert isinstance(lease, LeaseInForce)
    house.go_on(DOWN_S + 10, 45)
    assert SHORT_S - 40 <= lease.left_s <= SHORT_S
    assert [entry["lease"] for entry in house.register.of(Act.LEASE_RENEWED)] == [lease.id]
    house.go_on(300, 45)
    assert house.book.renew(lease.id, 3600, OPERATOR).left_s == SHORT_S
    short = house.asks(OPERATOR)
    assert isinstance(short, LeaseInForce)
    assert short.left_s == SHORT_S
    house.go_on(UP_S + 20, 80)
    long = house.asks(OPERATOR)
    assert isinstance(long, LeaseInForce)
    assert long.left_s == 3600


def test_below_thirty_percent_police_supervisors_and_incidents_look_in(house: SparingHouse) -> None:
    """Others hear why, and how they could; who looked has ten minutes, an account none; it comes back by itself."""
    lease = house.asks(OPERATOR)
    assert isinstance(lease, LeaseInForce)
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    standing = house.accounts.lease_of("vms")
    assert standing is not None
    house.go_on(DOWN_S + 10, 25)
    assert (look.over, lease.over) == (OTHER_STREAM, "")
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    assert (look.over, standing.over != "", house.accounts.lease_of("vms")) == ("", True, None)
    refused = house.asks(OPERATOR)
    assert isinstance(refused, Refused)
    assert (refused.code, "incident" in str(refused), "--incident" in refused.remedy) == (Refusal.SPARED, True, True)
    with pytest.raises(Refused):
        house.book.renew(lease.id, 600, OPERATOR)
    named = house.asks(OPERATOR, incident="2026-1412")
    assert isinstance(named, LeaseInForce)
    assert house.register.of(Act.LEASE_OPENED)[-1]["incident"] == "2026-1412"
    assert all(isinstance(house.asks(holder), LeaseInForce) for holder in (POLICE, SUPERVISOR))
    house.go_on(600, 25)
    assert look.over
    house.go_on(UP_S + 60, 80)
    assert house.accounts.lease_of("vms") is not None


def test_a_plan_that_is_used_up_ends_every_look_at_once_for_everybody(house: SparingHouse) -> None:
    """Even of the police; the new month opens again."""
    lease = house.asks(POLICE)
    assert isinstance(lease, LeaseInForce)
    look = house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7")
    house.go_on(10, 90, 1.01)
    with pytest.raises(LookRefused):
        look.get(0)
    refused = house.asks(POLICE, incident="2026-1412")
    assert isinstance(refused, Refused)
    assert "data plan" in str(refused)
    assert "data plan" in str(house.register.of(Act.LEASE_ENDED)[-1]["why"])
    house.go_on(10, 90, 0.0)
    assert isinstance(house.asks(POLICE), LeaseInForce)


def test_a_register_that_refuses_holds_no_end_up_and_the_entry_follows(house: SparingHouse) -> None:
    """What closes waits for nobody."""
    lease = house.asks(OPERATOR)
    assert isinstance(lease, LeaseInForce)
    house.register.refuses = True
    house.go_on(10, 90, 1.01)
    assert (lease.over != "", house.register.of(Act.LEASE_ENDED)) == (True, [])
    house.register.refuses = False
    house.go_on(20, 90, 1.01)
    assert lease.id in {entry["lease"] for entry in house.register.of(Act.LEASE_ENDED)}
