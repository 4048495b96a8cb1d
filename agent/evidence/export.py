"""Exports a span of footage as one MP4 by ONVIF's Export File Format: NAL units bit by bit, nothing encoded again.

Nothing appears under the final name before film and sheet are whole, on disk, and entered in the register.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives import serialization

from agent.clock import NS, Clock, rfc3339
from agent.errors import EvidenceError, StorageError
from agent.evidence import excerpt, export_boxes
from agent.evidence.boxes import MalformedFilm
from agent.evidence.chain import CertificateChain
from agent.evidence.excerpt import Cut, Footage
from agent.evidence.export_boxes import TICKS_PER_S, FragmentSample, Place, Provenance
from agent.evidence.film import Film, Sample
from agent.evidence.identity import NodeSigner
from agent.evidence.report import Report
from agent.evidence.seal import seal
from agent.evidence.verification import verify
from agent.journal.entry import Act, Journal
from agent.recording.row import DestroyedSpan, Gap, MaskSpan, SegmentRow

_COPY_BYTES: Final = 4 << 20
_SPARE_BYTES: Final = 1 << 20
_GAP_PICTURES: Final = 2.5


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, by whom and why. Times are Unix nanoseconds."""

    from_ns: int
    to_ns: int
    operator: str
    reference: str


@dataclass(frozen=True, slots=True)
class Absence:
    """No picture of [from_ns, to_ns), wall time, and why."""

    from_ns: int
    to_ns: int
    why: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Which masks lay on the pictures of [from_ns, to_ns), wall time."""

    from_ns: int
    to_ns: int
    digest: str
    opaque: bool
    view: str


@dataclass(slots=True)
class Contents:
    """What went into the film."""

    pictures: int = 0
    segments: int = 0
    from_ns: int = 0
    to_ns: int = 0
    absences: list[Absence] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    clocks: set[str] = field(default_factory=set)
    sources: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export."""

    film: Path
    sheet: Path
    sha256: str
    bytes: int
    sealed: bool
    contents: Contents
    report: Report | None
    destroyed: tuple[DestroyedSpan, ...]


SheetWriter = Callable[[Request, Provenance, Place | None, "Exported"], str]
Progress = Callable[[int, int], None]


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
        provenance: Callable[[Request, int], Provenance],
        sheet: SheetWriter,
        place: Place | None = None,
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
        self._signer = signer
        self._anchors = anchors
        self._progress = progress

    def write(self, request: Request, out: Path) -> Exported:
        """Export to `out`, and the conformity sheet beside it. Raises EvidenceError, StorageError or JournalError; then nothing
        stands under the final names."""
        sheet_path = out.with_suffix(".html")
        for path in (out, sheet_path):
            if path.exists():
                raise EvidenceError(f"{path}: exists already", remedy="evidence is never overwritten: choose another name")
        if request.to_ns <= request.from_ns:
            raise EvidenceError("the span ends before it begins")
        rows, lost = self._readable(self._footage.span(request.from_ns, request.to_ns))
        destroyed = tuple(self._footage.destroyed(request.from_ns, request.to_ns))
        if not rows:
            raise self._nothing(request, destroyed)
        provenance = self._provenance(request, self._clock.wall_ns())
        try:
            with _Temporary(out) as film, _Temporary(sheet_path) as sheet:
                contents = self._write_film(film, rows, request, provenance)
                if contents is None:
                    raise self._nothing(request, destroyed)
                contents.absences += lost
                _note_ends(contents, request, destroyed)
                if self._signer is not None:
                    seal(film, self._signer)
                report = verify(film, self._anchors) if self._anchors is not None else None
                exported = Exported(
                    out, sheet_path, _sha256(film), film.stat().st_size, self._signer is not None, contents, report, destroyed
                )
                text = self._sheet(request, provenance, self._place, exported).encode()
                _write_durably(sheet, text)
                self._enter(request, exported, hashlib.sha256(text).hexdigest())
                sheet.replace(sheet_path)
                film.replace(out)
                _sync_directory(out.parent)
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
                lost.append(Absence(row.wall_from_ns, row.wall_to_ns, f"segment damaged: {error.what}"))
            except EvidenceError:
                lost.append(Absence(row.wall_from_ns, row.wall_to_ns, "segment file missing"))
        return kept, lost

    def _nothing(self, request: Request, destroyed: Sequence[DestroyedSpan]) -> EvidenceError:
        span = f"between {rfc3339(request.from_ns)} and {rfc3339(request.to_ns)}"
        if destroyed:
            on = rfc3339(max(each.at_ns for each in destroyed))
            return EvidenceError(
                f"the footage {span} was destroyed on {on} ({destroyed[-1].reason})", remedy="the register tells"
            )
        return EvidenceError(f"there is no footage {span}", remedy="`vigie status` names the oldest and the newest")

    def _write_film(self, path: Path, rows: Sequence[SegmentRow], request: Request, provenance: Provenance) -> Contents | None:
        film = _FilmWriter(path, rows, provenance, self._place, self._signer, self._progress)
        with film:
            for current, following in _pairs(_cuts(rows, request)):
                kept = excerpt.without_unsigned_end(current, following)
                if kept.end < current.end:
                    film.contents.absences.append(_left_out(current, kept.end))
                if kept.end > kept.first:
                    film.add(kept, following)
            return film.finish()

    def _enter(self, request: Request, exported: Exported, sheet_sha256: str) -> None:
        contents = exported.contents
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
            },
        )


class _FilmWriter:
    """Writes the boxes of one export, GOP by GOP; holds one segment's table at a time."""

    def __init__(
        self,
        path: Path,
        rows: Sequence[SegmentRow],
        provenance: Provenance,
        place: Place | None,
        signer: NodeSigner | None,
        progress: Progress,
    ) -> None:
        self._file: BinaryIO = path.open("r+b")
        self._rows = rows
        self._provenance = provenance
        self._place = place
        self._signer = signer
        self._progress = progress
        self._total = sum(row.bytes for row in rows)
        self._done = 0
        self._descriptions: list[bytes] = []
        self._size = (0, 0)
        self._moov_at = 0
        self._begun_ns = 0
        self._index: list[tuple[int, int]] = []
        self._last: Cut | None = None
        self._base = 0
        self._end = 0
        self.contents = Contents()

    def __enter__(self) -> _FilmWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, cut: Cut, following: Cut | None) -> None:
        """Append the GOPs of one segment. `following` is what comes next, if anything does."""
        if self._last is None:
            self._begin(cut)
        base = self._decoded_from(cut)
        self._tell(cut, base)
        content = self._rewritten(cut, following)
        description = self._description(cut.film)
        origin = cut.kept[0].decoded
        scale = cut.film.track.timescale
        for first, end in cut.gops():
            decoded = [base + (cut.samples[at].decoded - origin) * TICKS_PER_S // scale for at in range(first, end)]
            last = cut.samples[end - 1]
            decoded.append(base + (last.decoded + last.duration - origin) * TICKS_PER_S // scale)
            self._write_gop(cut, range(first, end), decoded, content, description)
        self._end = decoded[-1]
        self._base = base
        self._last = cut
        self._done += cut.row.bytes
        self._progress(self._done, self._total)

    def finish(self) -> Contents | None:
        """Write index and durations; durable on return. None when nothing was added."""
        if self._last is None:
            return None
        self._file.write(export_boxes.mfra(self._index))
        self._file.seek(self._moov_at)
        self._file.write(self._moov(self._end))
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.contents

    def _begin(self, cut: Cut) -> None:
        for row in self._rows:
            with excerpt.open_segment(row) as film:
                self._description(film)
        self._size = (cut.film.track.width, cut.film.track.height)
        # The timeline begins where the first picture is decoded, which is before it is shown when there are B-frames.
        first = cut.kept[0]
        self._begun_ns = cut.wall_ns(first) - (first.shown - first.decoded) * NS // cut.film.track.timescale
        self.contents.from_ns = cut.wall_ns(first)
        self._file.write(export_boxes.ftyp())
        self._moov_at = self._file.tell()
        self._file.write(self._moov(0))
        der = None
        if self._signer is not None:
            der = self._signer.chain.leaf.public_bytes(serialization.Encoding.DER)
        self._file.write(export_boxes.meta(self._provenance, self._begun_ns, der))

    def _moov(self, duration: int) -> bytes:
        return export_boxes.moov(self._descriptions, *self._size, self._begun_ns, duration, self._place)

    def _description(self, film: Film) -> int:
        """The number of this film's decoder configuration among those of the export, from 1."""
        box = film.track.description_box
        if box not in self._descriptions:
            self._descriptions.append(box)
        return self._descriptions.index(box) + 1

    def _decoded_from(self, cut: Cut) -> int:
        """Where the segment begins on the export's timeline: gaps keep their length, and time never goes back."""
        last = self._last
        if last is None:
            return 0
        if last.row.boot == cut.row.boot:
            apart_ns = cut.media_ns(cut.kept[0]) - last.media_ns(last.kept[0])
        else:
            apart_ns = cut.wall_ns(cut.kept[0]) - last.wall_ns(last.kept[0])
        return max(self._base + apart_ns * TICKS_PER_S // NS, self._end)

    def _tell(self, cut: Cut, base: int) -> None:
        contents = self.contents
        kept = cut.kept
        media_from, last = cut.media_ns(kept[0]), max(kept, key=lambda sample: sample.shown)
        period_ns = last.duration * NS // cut.film.track.timescale
        media_to = cut.media_ns(last) + period_ns
        if (
            self._last is not None
            and base - self._end > _GAP_PICTURES * kept[0].duration * TICKS_PER_S / cut.film.track.timescale
        ):
            contents.absences.append(Absence(contents.to_ns, cut.row.wall_ns(media_from), "recording interrupted"))
        for gap in cut.row.gaps:
            if gap.from_ns >= media_from and gap.to_ns <= media_to:
                contents.absences.append(Absence(cut.row.wall_ns(gap.from_ns), cut.row.wall_ns(gap.to_ns), "pictures lost"))
        for span in cut.row.masks:
            if span.from_ns < media_to and span.to_ns > media_from:
                _lay(contents.layers, cut.row, span, Gap(media_from, media_to))
        contents.pictures += len(kept)
        contents.segments += 1
        contents.clocks.add(cut.row.clock.value)
        contents.sources.append((cut.row.path.name, cut.row.sha256))
        contents.to_ns = cut.row.wall_ns(media_to)

    def _rewritten(self, cut: Cut, following: Cut | None) -> dict[int, bytes]:
        """The samples that get a unit more or less: the first its certificate, the last the signature over its GOP."""
        film, changed = cut.film, dict[int, list[bytes]]()
        if self._last is None:
            own = excerpt.certificate(self._rows)
            units = list(film.nal_units(cut.kept[0]))
            if own is not None and excerpt.with_certificate(units, own) != units:
                changed[cut.first] = excerpt.with_certificate(units, own)
        last = cut.end - 1
        closing = cut.closing_signature()
        if cut.end < len(cut.samples):
            needed = cut.leading_signature(cut.end)
            if closing is None and needed is not None:
                changed[last] = [*changed.get(last, film.nal_units(cut.samples[last])), needed]
        elif closing is not None and following is not None and following.leading_signature(following.first) == closing:
            changed[last] = [*changed.get(last, film.nal_units(cut.samples[last]))][:-1]
        return {
            at: excerpt.length_prefixed(units, film.track.nal_length_bytes[cut.samples[at].description - 1])
            for at, units in changed.items()
        }

    def _write_gop(self, cut: Cut, span: range, decoded: Sequence[int], content: dict[int, bytes], description: int) -> None:
        samples = cut.samples
        scale = cut.film.track.timescale
        table = [
            FragmentSample(
                size=len(content[at]) if at in content else samples[at].size,
                duration=decoded[number + 1] - decoded[number],
                shift=(samples[at].shown - samples[at].decoded) * TICKS_PER_S // scale,
                sync=samples[at].sync,
            )
            for number, at in enumerate(span)
        ]
        self._index.append((decoded[0] + table[0].shift, self._file.tell()))
        self._file.write(export_boxes.fragment_head(len(self._index), decoded[0], description, table))
        for piece in _pieces(samples, span, content):
            if isinstance(piece, bytes):
                self._file.write(piece)
                continue
            offset, size = piece
            for at in range(offset, offset + size, _COPY_BYTES):
                self._file.write(cut.film.read(at, min(_COPY_BYTES, offset + size - at)))


def _cuts(rows: Sequence[SegmentRow], request: Request) -> Iterator[Cut]:
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


def _left_out(cut: Cut, end: int) -> Absence:
    last = max(cut.samples[end : cut.end], key=lambda sample: sample.shown)
    to_ns = cut.wall_ns(last) + last.duration * NS // cut.film.track.timescale
    return Absence(cut.wall_ns(cut.samples[end]), to_ns, "left out: its signature is lost")


def _pieces(samples: Sequence[Sample], span: range, content: dict[int, bytes]) -> Iterator[bytes | tuple[int, int]]:
    """What a GOP is copied from: new content, or (offset, size) of bytes that lie together in the segment."""
    start = end = 0
    for at in span:
        sample = samples[at]
        if at in content:
            if end > start:
                yield start, end - start
            yield content[at]
            start = end = 0
        elif sample.offset == end:
            end += sample.size
        else:
            if end > start:
                yield start, end - start
            start, end = sample.offset, sample.offset + sample.size
    if end > start:
        yield start, end - start


def _lay(layers: list[Layer], row: SegmentRow, span: MaskSpan, within: Gap) -> None:
    from_ns, to_ns = row.wall_ns(max(span.from_ns, within.from_ns)), row.wall_ns(min(span.to_ns, within.to_ns))
    last = layers[-1] if layers else None
    if last is not None and (last.digest, last.opaque, last.view) == (span.digest, span.opaque, span.view):
        layers[-1] = Layer(last.from_ns, to_ns, last.digest, last.opaque, last.view)
    else:
        layers.append(Layer(from_ns, to_ns, span.digest, span.opaque, span.view))


def _note_ends(contents: Contents, request: Request, destroyed: Sequence[DestroyedSpan]) -> None:
    """What is lacking of the asked span before the first picture and after the last, and what of it was destroyed."""
    if contents.from_ns > request.from_ns:
        contents.absences.append(Absence(request.from_ns, contents.from_ns, "no footage"))
    if contents.to_ns < request.to_ns:
        contents.absences.append(Absence(contents.to_ns, request.to_ns, "no footage"))
    for each in destroyed:
        from_ns, to_ns = max(each.from_ns, request.from_ns), min(each.to_ns, request.to_ns)
        contents.absences.append(Absence(from_ns, to_ns, f"destroyed on {rfc3339(each.at_ns)}: {each.reason}"))
    contents.absences.sort(key=lambda absence: (absence.from_ns, absence.to_ns))


class _Temporary:
    """A file beside the final one; gone at the end unless it was moved away."""

    def __init__(self, final: Path) -> None:
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{final.name}.", suffix=".part", dir=final.parent)
        except OSError as error:
            raise _refused(final, error) from None
        os.fchmod(descriptor, 0o640)
        os.close(descriptor)
        self._path = Path(name)

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(path: Path, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(f"{path}: the disk is full, nothing was exported", remedy="free space or choose another disk")
    return StorageError(f"{path}: {(error.strerror or str(error)).lower()}, nothing was exported")
