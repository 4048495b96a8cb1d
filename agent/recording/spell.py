"""One uninterrupted spell of recording, as the register tells it: when it began, when it ended, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.base.errors import RegisterError
from agent.journal.entry import Act, Journal
from agent.recording.tally import RecordingTally


class Spell:
    """One thread. Recording goes on when the register refuses: `refused` is told why, the next segment tries again."""

    def __init__(self, journal: Journal, tally: RecordingTally, refused: Callable[[str], None]) -> None:
        self._journal = journal
        self._tally = tally
        self._refused = refused
        self._begun = False

    def begin(self, segment: str, clock: str) -> None:
        """With its first segment; nothing is entered for those that follow."""
        if not self._begun:
            self._begun = self._enter(Act.RECORDING_BEGUN, {"segment": segment, "clock": clock})

    def end(self, why: str) -> None:
        """Nothing is entered when none has begun."""
        if self._begun:
            count = self._tally.count()
            self._enter(Act.RECORDING_ENDED, {"why": why, "pictures": count.recorded, "lost": count.lost})
            self._begun = False

    def interrupted(self, segments: int, cut_bytes: int) -> None:
        """A spell of an earlier life that had no end of its own."""
        self._enter(Act.RECORDING_ENDED, {"why": "interrupted", "segments": segments, "cut_bytes": cut_bytes})

    def _enter(self, act: Act, facts: Mapping[str, str | int]) -> bool:
        try:
            self._journal.enter(act, "recorder", facts)
        except RegisterError as error:
            self._refused(str(error))
            return False
        return True
