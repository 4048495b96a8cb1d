"""What the daemon says of its disk when it starts: the doctor's arithmetic, before the first frame is lost to it."""

from __future__ import annotations

import logging

from agent.commissioning.disk import judge_room, room_of
from agent.commissioning.line import Grade
from agent.config.model import Config
from agent.recording.catalog import Catalog
from agent.recording.metrics import recording_metrics

log = logging.getLogger(__name__)

_DAYS_TO_TELL_A_RATE = 0.5


def warn_of_room(config: Config, catalog: Catalog) -> bool:
    """Warn, once, when the disk does not hold the days that are promised at the bit rate measured, configured or estimated."""
    held = recording_metrics(catalog)
    measured_bps = held.bytes * 8 / (held.days * 86_400) if held.days > _DAYS_TO_TELL_A_RATE else None
    line = judge_room(config, room_of(config.recordings_dir), held.bytes, measured_bps)
    if line.grade is Grade.OK:
        return False
    log.warning("recording: %s. Remedy: %s", line.measured, line.remedy)
    return True
