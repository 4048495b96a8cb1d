"""What health says of a node's own certificate."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from agent.ports.mqtt import BrokerCredentials
from agent.uplink.certificate_days import CertificateDays
from tests.support.authority import Authority
from tests.support.manual_clock import ManualClock


def test_days_are_those_of_the_file_that_stands_there(tmp_path: Path) -> None:
    """Good for a day; a week on the clock later it has expired; renewed, it is good again; gone, nothing is said."""
    authority = Authority(tmp_path)
    pair = authority.issue("pole-1")
    clock = ManualClock(dt.datetime.now(dt.UTC))
    days = CertificateDays(BrokerCredentials(cert_file=pair.cert, key_file=pair.key), clock)
    clock.advance(60)
    assert days.left() == 0
    clock.advance(7 * 86_400)
    assert days.left() == -7
    pair.cert.write_text("no certificate")
    assert days.left() is None


def test_nothing_is_said_where_there_is_none() -> None:
    """A node that logs in by password."""
    assert CertificateDays(BrokerCredentials(username="me"), ManualClock()).left() is None
