"""Writes the film of an export, GOP by GOP, out of the segments' own bytes."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives import serialization

from agent.base.clock import NS
from agent.evidence import excerpt, export_boxes
from agent.evidence.attestation import attestation_box
from agent.evidence.excerpt import Cut
from agent.evidence.export_boxes import TICKS_PER_S, CameraPlace, FragmentSample, Provenance
from agent.evidence.exported import Absence, Contents
from agent.evidence.film import Film
from agent.evidence.layer import Layer
from agent.evidence.remark import Remark, Saying
from agent.evidence.sample import Sample
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.cover import HELD
from agent.recording.note import FragmentNote
from agent.recording.row import VARIOUS, Gap, MaskSpan, SegmentRow

_COPY_BYTES: Final = 4 << 20
_GAP_PICTURES: Final = 2.5
_MOST_NOTE_BYTES: Final = 4 << 20

Progress = Callable[[int, int], None]
"""Bytes done, of how many."""


class FilmWriter:
    """Writes the boxes of one export, GOP by GOP; holds one segment's table at a time."""

    def __init__(
        self,
        path: Path,
        rows: Sequence[SegmentRow],
        provenance: Provenance,
        place: CameraPlace | None,
        signer: NodeSigner | None,
        progress: Progress,
        elsewhere: Mapping[int, Remark],
    ) -> None:
        self._file: BinaryIO = path.open("r+b")
        self._rows = rows
        self._provenance = provenance
        self._place = place
        self._signer = signer
        self._progress = progress
        self._elsewhere = elsewhere
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

    def __enter__(self) -> FilmWriter:
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
        chain = self._signer.chain.certificates if self._signer is not None else ()
        self._file.write(attestation_box(self.contents.layers, CertificateChain(chain[1:]), self.contents.held))
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
            why = self._elsewhere.get(cut.row.id, Remark(Saying.INTERRUPTED))
            contents.absences.append(Absence(contents.spans[-1][1], cut.row.wall_ns(media_from), why))
        for gap in cut.row.gaps:
            if gap.from_ns >= media_from and gap.to_ns <= media_to:
                contents.absences.append(
                    Absence(cut.row.wall_ns(gap.from_ns), cut.row.wall_ns(gap.to_ns), Remark(Saying.NO_PICTURE))
                )
        spans = _mask_spans(cut)
        for span in spans:
            if span.from_ns < media_to and span.to_ns > media_from:
                _lay(contents.layers, cut.row, span, Gap(media_from, media_to))
        held = [span for span in spans if span.view == HELD]
        if held:
            shown = sorted(cut.media_ns(sample) for sample in kept)
            contents.held += sum(bisect_left(shown, span.to_ns) - bisect_left(shown, span.from_ns) for span in held)
        contents.pictures += len(kept)
        contents.segments += 1
        contents.clocks.add(cut.row.clock.value)
        contents.sources.append((cut.row.path.name, cut.row.sha256))
        contents.spans.append((cut.row.wall_ns(media_from), cut.row.wall_ns(media_to)))
        contents.from_ns = min(from_ns for from_ns, _ in contents.spans)
        contents.to_ns = max(to_ns for _, to_ns in contents.spans)

    def _rewritten(self, cut: Cut, following: Cut | None) -> dict[int, bytes]:
        """The samples that get a unit more or less: the first what every film begins with, the last its signature."""
        film, changed = cut.film, dict[int, list[bytes]]()
        if self._last is None:
            units = list(film.nal_units(cut.kept[0]))
            before = cut.signature_behind(cut.first - 1) if cut.first else None
            whole = excerpt.opened(units, before, excerpt.certificate(self._rows))
            if whole != units:
                changed[cut.first] = whole
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


def _mask_spans(cut: Cut) -> Sequence[MaskSpan]:
    """The masks of a segment: by the catalog, and by the notes of the film where the catalog only says that they varied."""
    if all(span.digest != VARIOUS for span in cut.row.masks):
        return cut.row.masks
    spans: list[MaskSpan] = []
    for each in cut.film.boxes:
        if each.kind == b"uuid" and each.end - each.body <= _MOST_NOTE_BYTES:
            note = FragmentNote.read(cut.film.read(each.body, each.end - each.body))
            spans += note.masks if note is not None else []
    return spans


def _lay(layers: list[Layer], row: SegmentRow, span: MaskSpan, within: Gap) -> None:
    from_ns, to_ns = row.wall_ns(max(span.from_ns, within.from_ns)), row.wall_ns(min(span.to_ns, within.to_ns))
    last = layers[-1] if layers else None
    if last is not None and (last.digest, last.opaque, last.view) == (span.digest, span.opaque, span.view):
        layers[-1] = Layer(last.from_ns, to_ns, last.digest, last.opaque, last.view)
    else:
        layers.append(Layer(from_ns, to_ns, span.digest, span.opaque, span.view))
