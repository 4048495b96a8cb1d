"""journald as the place log lines go, with the fields a technician filters by: `journalctl NODE_ID=... COMPONENT=camera`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping

from agent.base.errors import DeviceError
from agent.base.log import Sentence, component
from agent.base.phrase import say

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


class StructuredJournal(logging.Handler):
    """One journal entry per record: MESSAGE, PRIORITY, NODE_ID, COMPONENT, LOGGER, CODE_*, and EVENT_ID when it has one.

    `send` is `systemd.journal.send`. Exactly these fields are sent: a record's arguments never become fields of their own.
    """

    def __init__(self, node_id: str, send: Callable[..., object]) -> None:
        super().__init__()
        self._node_id = node_id
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one entry; a journal that refuses is reported the way `logging` reports its own errors."""
        try:
            message = record.getMessage()
            fields: dict[str, str | int] = {
                "PRIORITY": str(next((p for level, p in _PRIORITIES if record.levelno >= level), _DEBUG)),
                "SYSLOG_IDENTIFIER": "vigie",
                "NODE_ID": self._node_id,
                "COMPONENT": component(record),
                "LOGGER": record.name,
                "CODE_FILE": record.pathname,
                "CODE_LINE": record.lineno,
                "CODE_FUNC": record.funcName or "",
            }
            event_id = getattr(record, "event_id", None)
            if event_id:
                fields["EVENT_ID"] = str(event_id)
            if record.exc_info:
                message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
            self._send(message, **fields)
        except (OSError, ValueError, TypeError):
            self.handleError(record)


def log_handler(node_id: str, environment: Mapping[str, str] = os.environ) -> logging.Handler:
    """Where this process's log lines belong: the journal when systemd has connected stderr to it, else stderr.

    DeviceError when it is the journal and systemd-python is missing.
    """
    if not _stderr_is_the_journal(environment):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Sentence())
        return handler
    try:
        from systemd.journal import send
    except ImportError:
        raise DeviceError(
            say("the journal is connected (JOURNAL_STREAM is set) but Python's module `systemd` is missing"),
            remedy=say("`apt install python3-systemd`, or pip install 'vigie[systemd]'"),
        ) from None
    return StructuredJournal(node_id, send)


def _stderr_is_the_journal(environment: Mapping[str, str]) -> bool:
    """JOURNAL_STREAM names the device and inode of the stream systemd made; children inherit it with another stderr."""
    try:
        stderr = os.fstat(2)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"
