"""All films of one setting: recorded, exported, verified, and looked at byte by byte where the reference is particular."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from agent.evidence.exported import Exported
from agent.evidence.report import Report, Verdict
from agent.evidence.verification import verify
from agent.recording.row import SegmentRow
from bench import film_layout
from bench.clocked_node import ClockedNode, Stream
from bench.film_setting import Ending, FilmSetting

_PART_S = 5  # a GOP that is longer is signed in parts (docs/evidence.md, 2)
_FRAGMENT_S = 0.8


class JudgedFilms:
    """`verdicts` counts the films by what `vigie verify` said; `faults` is what is wrong with any of them."""

    def __init__(self, setting: FilmSetting, state: Path) -> None:
        self.setting = setting
        self.verdicts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.pictures = 0
        self._node = ClockedNode(state)
        self._stream = Stream(setting.fps, setting.keyframe_s, setting.segment_s, setting.kbps)
        segment_s = ceil(setting.segment_s / setting.keyframe_s) * setting.keyframe_s
        # A segment to its end, and one that ends in the middle of a GOP.
        self._first_s = max(2 * setting.keyframe_s, segment_s) + 0.5 * setting.keyframe_s + 0.7
        self._second_s = setting.keyframe_s + 1.3

    def run(self) -> None:
        """Two recordings, and exports whole, out of the middle, and over what lies between the two."""
        node = self._node
        node.certify(self.setting.authority)
        self._anchors = node.identity.anchors()
        if self.setting.ending is Ending.GOING_ON:
            self._going_on()
        elif self.setting.ending is Ending.KILLED:
            killed = node.die(self._stream, self._first_s)
            torn = node.rows()[len(killed) - 1]
            after = node.live(self._stream, self._second_s)
            self._segments([*node.rows()[: len(killed) - 1], *after])
            self._torn(torn.path)
            self._over_a_kill(node.export())
        else:
            self._segments(node.live(self._stream, self._first_s) + node.live(self._stream, self._second_s))
            self._whole(node.export(), pictures=sum(row.frames for row in node.rows()))
            self._whole(node.export(self._first_s - 0.5, self._first_s + 8))
        key_s = self.setting.keyframe_s
        self._whole(node.export(key_s + 0.2, key_s + 0.9))
        if node.faults:
            self.faults.append(f"the recorder says {node.faults}")
        node.close()

    def _going_on(self) -> None:
        """Handed out in the middle of a segment, and again when it has ended."""
        node, setting = self._node, self.setting
        with node.filming(self._stream, self._first_s) as camera:
            taken = self._whole(node.export()).contents.pictures
            unsigned_s = min(setting.keyframe_s, _PART_S) + _FRAGMENT_S + 1 / setting.fps
            if taken < (self._first_s - unsigned_s) * setting.fps - 1:
                self.faults.append(f"of {self._first_s} s that go on, {taken} pictures are handed out")
            self._whole(node.export(setting.keyframe_s + 0.2, setting.keyframe_s + 0.9))
            node.film(camera, self._stream, self._second_s)
        self._segments(node.rows())
        self._whole(node.export(), pictures=sum(row.frames for row in node.rows()))

    def _segments(self, rows: Sequence[SegmentRow]) -> None:
        for row in rows:
            self._authentic(row.path, row.frames)
            self._laid_out(row.path, exported=False)

    def _whole(self, exported: Exported, pictures: int | None = None) -> Exported:
        """Sealed, authentic to its last picture, one chain, and no picture lost by its sheet."""
        count = exported.contents.pictures
        report = self._authentic(exported.film, count)
        if pictures is not None and count != pictures:
            self._fault(exported.film, f"{count} of {pictures} pictures are in it")
        if report.seal is None or not report.seal.intact:
            self._fault(exported.film, "its seal does not hold")
        if "pictures lost" in str(exported.contents.absences):
            self._fault(exported.film, "its sheet says that pictures were lost")
        self._laid_out(exported.film, exported=True)
        return exported

    def _torn(self, path: Path) -> None:
        """What kill -9 left: at most a GOP, or five seconds, is unsigned, and nothing is accused."""
        report = self._verified(path)
        signed = Verdict.AUTHENTIC if report.pending == 0 else Verdict.NOT_TOLD  # the camera was late, and its GOP closed for it
        if report.verdict not in {signed, Verdict.NOT_SIGNED} or report.changed or report.missing_units:
            self._fault(path, f"{report.verdict}: {report.reason}")
        if report.pending > (min(self.setting.keyframe_s, _PART_S) + 1 / self.setting.fps) * self.setting.fps:
            self._fault(path, f"{report.pending} pictures are not signed")
        self._laid_out(path, exported=False, closed=False)

    def _over_a_kill(self, exported: Exported) -> None:
        report = self._verified(exported.film)
        if report.verdict not in {Verdict.AUTHENTIC, Verdict.NOT_TOLD} or report.changed or report.missing_units:
            self._fault(exported.film, f"{report.verdict}: {report.reason}")
        # Of a recording that ended before its first signature there is no chain to begin anew.
        if "signing began anew" not in " ".join(report.notes) and report.pending < report.pictures:
            self._fault(exported.film, "nothing is said of the interruption")
        self._laid_out(exported.film, exported=True, begins_anew=1)

    def _authentic(self, path: Path, pictures: int) -> Report:
        report = self._verified(path)
        if report.verdict is not Verdict.AUTHENTIC or report.pending or report.missing_units:
            self._fault(path, f"{report.verdict}, {report.pending} pending: {report.reason}")
        if not report.authentic == report.pictures == pictures:
            self._fault(path, f"{report.authentic} of {pictures} pictures are authentic")
        return report

    def _verified(self, path: Path) -> Report:
        report = verify(path, self._anchors)
        self.verdicts[report.verdict.value] += 1
        self.pictures += report.pictures
        return report

    def _laid_out(self, path: Path, *, exported: bool, closed: bool = True, begins_anew: int = 0) -> None:
        film = film_layout.layout(path)
        for fault in film_layout.faults(film, self._anchors, exported=exported, closed=closed):
            self._fault(path, fault)
        if film_layout.breaks(film.gops) != (begins_anew, 0):
            self._fault(path, f"the chain begins anew and leaps (times): {film_layout.breaks(film.gops)}")

    def _fault(self, path: Path, what: str) -> None:
        self.faults.append(f"{path.name}: {what}")
