"""What reaches the journal: the message and the fields a technician filters by. A real journal is read in the systemd lane."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable

import pytest

from agent.base.errors import DeviceError
from hardware.journal_systemd import StructuredJournal, log_handler
from systemd import journal

FIELDS = {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "NODE_ID", "COMPONENT", "EVENT_ID", "LOGGER"}
FIELDS |= {"CODE_FILE", "CODE_LINE", "CODE_FUNC"}


Entry = Callable[..., dict[str, str]]


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Entry:
    """The one journal entry made of one line logged by the thread `camera`, by systemd-python's own `send`."""
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(journal, "sendv", lambda *lines: sent.append(lines))

    def log_one(level: int = logging.INFO, **extra: object) -> dict[str, str]:
        log = logging.Logger("agent.stream.pipeline")
        log.addHandler(StructuredJournal("pole-17", journal.send))
        thread = threading.Thread(target=lambda: log.log(level, "opened %s", "/dev/video0", extra=extra), name="camera")
        thread.start()
        thread.join(5)
        return dict(line.split("=", 1) for line in sent[0])

    return log_one


def test_fields_of_an_entry(entry: Entry) -> None:
    """Node, component and event can be asked for by journalctl; arguments do not become fields."""
    said = entry(event_id="01JD0000000000000000000000")
    assert said["MESSAGE"] == "opened /dev/video0"
    assert (said["NODE_ID"], said["COMPONENT"]) == ("pole-17", "camera")
    assert said["EVENT_ID"] == "01JD0000000000000000000000"
    assert set(said) <= FIELDS


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, "7"), (logging.INFO, "6"), (logging.WARNING, "4"), (logging.ERROR, "3"), (logging.CRITICAL, "2")],
)
def test_severity_becomes_priority(entry: Entry, level: int, priority: str) -> None:
    """`journalctl -p warning` finds warnings."""
    assert entry(level)["PRIORITY"] == priority


def test_without_an_event_no_event_field(entry: Entry) -> None:
    """EVENT_ID stands only where there is one."""
    assert "EVENT_ID" not in entry()


def test_stderr_by_hand_and_for_children() -> None:
    """By hand, and in a child that inherited JOURNAL_STREAM with another stderr, lines go to stderr."""
    for environment in ({}, {"JOURNAL_STREAM": "0:0"}):
        assert isinstance(log_handler("pole-17", environment), logging.StreamHandler)


def test_missing_module_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connected to the journal without systemd-python: one clear error."""
    stderr = os.fstat(2)
    monkeypatch.setitem(sys.modules, "systemd", None)
    monkeypatch.setitem(sys.modules, "systemd.journal", None)
    with pytest.raises(DeviceError, match="python3-systemd"):
        log_handler("pole-17", {"JOURNAL_STREAM": f"{stderr.st_dev}:{stderr.st_ino}"})
