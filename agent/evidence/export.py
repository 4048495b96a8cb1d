"""Exports a span of footage as one MP4 by ONVIF's Export File Format: NAL units bit by bit, nothing encoded again.

Nothing appears under the final name before film and sheet are whole, on disk, and entered in the register.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.base.clock import Clock, rfc3339
from agent.base.durable_file import Temporary, name_finished, sync_directory, write_durably
from agent.base.errors import EvidenceError, StorageError
from agent.base.phrase import moment, say
from agent.base.system_words import system_words
from agent.evidence import excerpt
from agent.evidence.absences import dated_otherwise, gone, left_out, note_missing
from agent.evidence.boxes import MalformedFilm
from agent.evidence.excerpt import Cut, Footage, OtherFilm
from agent.evidence.export_boxes import CameraPlace, Provenance
from agent.evidence.exported import Absence, Contents, ExcerptRequest, Exported
from agent.evidence.film_writer import FilmWriter, Progress
from agent.evidence.remark import Remark, Saying
from agent.evidence.seal import seal
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.journal.entry import Act, Fact, Journal
from agent.recording.places import FilmPlace
from agent.recording.row import DestroyedSpan, SegmentRow

SheetWriter = Callable[[ExcerptRequest, Provenance, CameraPlace | None, "Exported"], str]


class Export:
    """One export. `signer` None leaves the film without a seal; its Media Signing is that of the recording in any case.

    `anchors` is the node's own CA, to check the result by. `progress` is told bytes read, of how many.
    """

    def __init__(
        self,
        footage: Footage,
        journal: Journal,
        clock: Clock,
        *,
        provenance: Callable[[ExcerptRequest, int], Provenance],
        sheet: SheetWriter,
        place: CameraPlace | None = None,
        origin: FilmPlace | None = None,
        signer: NodeSigner | None = None,
        anchors: CertificateChain | None = None,
        progress: Progress = lambda _done, _all: None,
    ) -> None:
        self._footage = footage
        self._journal = journal
        self._clock = clock
        self._provenance = provenance
        self._sheet = sheet
        self._place = place
        self._origin = origin
        self._signer = signer
        self._anchors = anchors
        self._progress = progress

    def write(self, request: ExcerptRequest, out: Path) -> Exported:
        """Export to `out`, and the conformity sheet beside it. Raises EvidenceError, StorageError or RegisterError; then nothing
        stands under the final names."""
        sheet_path = out.with_suffix(".html")
        _refuse_taken(out, sheet_path)
        if request.to_ns <= request.from_ns:
            raise EvidenceError(say("the span ends before it begins"))
        asked = self._footage.span(request.from_ns, request.to_ns)
        rows, lost = self._readable(asked)
        destroyed = tuple(self._footage.destroyed(request.from_ns, request.to_ns))
        if not rows:
            raise self._nothing(request, destroyed)
        provenance = self._provenance(request, self._clock.wall_ns())
        try:
            with Temporary(out, mode=0o640) as film, Temporary(sheet_path, mode=0o640) as sheet:
                contents = self._write_film(film, rows, request, provenance, dated_otherwise(self._footage, asked))
                if contents is None:
                    raise self._nothing(request, destroyed)
                contents.absences += lost
                note_missing(contents, request, destroyed, rows[-1])
                if self._signer is not None:
                    seal(film, self._signer)
                with ThreadPoolExecutor(1) as beside:  # hashing leaves the interpreter to the verifier
                    digest = beside.submit(_sha256, film)
                    report = verify(film, self._anchors) if self._anchors is not None else None
                size, sealed = film.stat().st_size, self._signer is not None
                exported = Exported(out, sheet_path, digest.result(), size, sealed, contents, report, destroyed, self._origin)
                text = self._sheet(request, provenance, self._place, exported).encode()
                write_durably(sheet, text)
                _refuse_taken(out, sheet_path)  # once more: another export to the same name may have been faster
                self._enter(request, exported, hashlib.sha256(text).hexdigest())
                _name_both((sheet, sheet_path), (film, out))
        except OSError as error:
            raise _refused(out, error) from None
        return exported

    def _readable(self, rows: Sequence[SegmentRow]) -> tuple[list[SegmentRow], list[Absence]]:
        """The segments whose file can be read; the others as absences."""
        kept, lost = [], []
        for row in rows:
            try:
                with excerpt.open_segment(row):
                    kept.append(row)
            except MalformedFilm as error:
                lost.append(Absence(row.wall_from_ns, row.wall_to_ns, Remark(Saying.FILE_DAMAGED, why=error.said[0])))
            except OtherFilm:
                lost.append(Absence(row.wall_from_ns, row.wall_to_ns, Remark(Saying.OTHER_FILM)))
            except EvidenceError:
                lost.append(Absence(row.wall_from_ns, row.wall_to_ns, Remark(Saying.FILE_MISSING)))
        return kept, lost

    def _nothing(self, request: ExcerptRequest, destroyed: Sequence[DestroyedSpan]) -> EvidenceError:
        span = say("between {begins} and {ends}", begins=moment(request.from_ns), ends=moment(request.to_ns))
        if destroyed:
            last = max(destroyed, key=lambda each: each.at_ns)
            return EvidenceError(
                say("the footage {span} was {gone}", span=span, gone=gone(last)), remedy=say("the register tells")
            )
        return EvidenceError(
            say("there is no footage {span}", span=span), remedy=say("`vigie status -v` names the oldest and the newest")
        )

    def _write_film(
        self,
        path: Path,
        rows: Sequence[SegmentRow],
        request: ExcerptRequest,
        provenance: Provenance,
        elsewhere: Mapping[int, Remark],
    ) -> Contents | None:
        film = FilmWriter(path, rows, provenance, self._place, self._signer, self._progress, elsewhere)
        with film:
            for current, following in _pairs(_cuts(rows, request)):
                kept = excerpt.without_unsigned_end(current, following)
                if kept.end < current.end:
                    film.contents.absences.append(left_out(current, kept.end))
                if kept.end > kept.first:
                    film.add(kept, following)
            return film.finish()

    def _enter(self, request: ExcerptRequest, exported: Exported, sheet_sha256: str) -> None:
        contents, origin = exported.contents, exported.origin
        of: dict[str, Fact] = {"place": origin.name, "deployment": origin.deployment or None} if origin else {}
        self._journal.enter(
            Act.EXPORTED,
            request.operator,
            {
                "from": rfc3339(contents.from_ns),
                "to": rfc3339(contents.to_ns),
                "asked_from": rfc3339(request.from_ns),
                "asked_to": rfc3339(request.to_ns),
                "reference": request.reference,
                "file": exported.film.name,
                "sha256": exported.sha256,
                "sheet_sha256": sheet_sha256,
                "bytes": exported.bytes,
                "pictures": contents.pictures,
                "segments": contents.segments,
                "gaps": len(contents.absences),
                "sealed": exported.sealed,
                "verdict": exported.report.verdict.value if exported.report else None,
                **of,
            },
        )


def _refuse_taken(*paths: Path) -> None:
    for path in paths:
        if os.path.lexists(path):  # a link to nothing as well
            raise _taken(path)


def _name_both(first: tuple[Path, Path], second: tuple[Path, Path]) -> None:
    """Give both finished files their names, durably, or neither."""
    try:
        name_finished(*first)
    except FileExistsError:
        raise _taken(first[1]) from None
    try:
        name_finished(*second)
    except FileExistsError:
        first[1].unlink(missing_ok=True)
        raise _taken(second[1]) from None
    except BaseException:
        first[1].unlink(missing_ok=True)
        raise
    sync_directory(second[1].parent)


def _taken(path: Path) -> EvidenceError:
    return EvidenceError(
        say("{path}: exists already", path=path), remedy=say("evidence is never overwritten: choose another name")
    )


def _cuts(rows: Sequence[SegmentRow], request: ExcerptRequest) -> Iterator[Cut]:
    for row in rows:
        film = excerpt.open_segment(row)
        found = excerpt.cut(row, film, request.from_ns, request.to_ns)
        if found is None:
            film.close()
        else:
            yield found


def _pairs(cuts: Iterator[Cut]) -> Iterator[tuple[Cut, Cut | None]]:
    """Every cut with the one that follows; films are closed behind."""
    current = next(cuts, None)
    while current is not None:
        following = next(cuts, None)
        yield current, following
        current.film.close()
        current = following


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(path: Path, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(
            say("{path}: the disk is full, nothing was exported", path=path), remedy=say("free space or choose another disk")
        )
    return StorageError(
        say("{path}: {why}, nothing was exported", path=path, why=system_words((error.strerror or str(error)).lower()))
    )
