"""An MP4 film of H.264, fragmented or not, as a court's expert gets it: nothing in it is believed before it is checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.base.regular_file import open_regular
from agent.base.system_words import system_words
from agent.evidence.boxes import CutShort, MalformedFilm, TopBox, read_body, top_boxes
from agent.evidence.sample import MAX_SAMPLES, Sample, fragment_samples, table_samples
from agent.evidence.torn import whole_fragments
from agent.evidence.track import Track, read_moov

# A fragment of each second of a day, with its notes, and as many again.
_MOST_BOXES: Final = 600_000
_MAX_SAMPLE_BYTES: Final = 64 * 1024 * 1024


class Film:
    """An open MP4 file. Not for several threads. Close it, or use it as a context manager.

    `limit` is how many bytes of a file that still grows may be read. A pipe or a device is refused, and without `follow` a link.
    `torn` takes a fragmented film that lacks its end as far as it is whole: `torn_bytes` follow that belong to no whole fragment.
    """

    def __init__(self, path: Path, limit: int | None = None, *, follow: bool = True, torn: bool = False) -> None:
        self._limit = limit
        self._torn = torn
        self.torn_bytes = 0
        self.path = path
        self.name = str(path)
        try:
            self._file: BinaryIO = open_regular(path, follow=follow)
        except OSError as error:
            raise EvidenceError(say("{path}: {why}", path=path, why=system_words(error.strerror))) from None
        try:
            self.boxes = self._index()
            self.track = self._read_moov()
        except MalformedFilm as error:
            self._file.close()
            raise self._placed(error) from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file. Raises MalformedFilm when it has become shorter meanwhile."""
        found = os.pread(self._file.fileno(), size, offset)
        if len(found) != size:
            raise MalformedFilm(say("cut short at byte {at}", at=offset + len(found)), of=self.name)
        return found

    def box_body(self, kind: bytes) -> bytes | None:
        """The content of the first file-level box of this kind, or None."""
        for each in self.boxes:
            if each.kind == kind:
                return read_body(self._file, each, self.name)
        return None

    def samples(self) -> Iterator[Sample]:
        """Every access unit in decoding order. Raises MalformedFilm when one lies outside of the file or there are too many."""
        end = self.boxes[-1].end
        budget = end
        try:
            for count, sample in enumerate(chain(table_samples(self.track), self._fragment_samples())):
                budget -= sample.size
                if count >= MAX_SAMPLES or budget < 0:
                    raise MalformedFilm(say("describes more pictures than it can hold"))
                if sample.size > _MAX_SAMPLE_BYTES or sample.offset < 0 or sample.offset + sample.size > end:
                    raise MalformedFilm(
                        say("picture {count} lies outside of the file: the film is cut short or damaged", count=count)
                    )
                yield sample
        except MalformedFilm as error:
            raise self._placed(error) from None

    def count_shown(self) -> tuple[int, int]:
        """How many access units come up to where the edit list ends the film, and how many lie hidden behind it."""
        until = self.track.shown_until
        shown = total = 0
        for total, sample in enumerate(self.samples(), 1):
            if until is None or sample.shown < until:
                shown = total
        return shown, total - shown

    def nal_units(self, sample: Sample) -> Iterator[bytes]:
        """The NAL units of one access unit, without trailing zero bytes. Raises MalformedFilm."""
        data = self.read(sample.offset, sample.size)
        length_bytes = self.track.nal_length_bytes[sample.description - 1]
        at = 0
        while at < len(data):
            start = at + length_bytes
            end = start + int.from_bytes(data[at:start], "big")
            if end > len(data) or start > len(data):
                raise MalformedFilm(say("a NAL unit at byte {at} reaches past its picture", at=sample.offset + at), of=self.name)
            unit = data[start:end].rstrip(b"\0")
            if unit:
                yield unit
            at = end

    def _placed(self, error: MalformedFilm) -> MalformedFilm:
        return error if error.of else MalformedFilm(error.said[0], of=self.name, remedy=error.said[1])

    def _index(self) -> tuple[TopBox, ...]:
        found: list[TopBox] = []
        cut: CutShort | None = None
        try:
            for each in top_boxes(self._file, self.name, self._limit):
                found.append(each)
                if len(found) > _MOST_BOXES:
                    raise MalformedFilm(say("holds more boxes than any honest film"))
        except CutShort as error:
            cut = error
        if not self._torn or self._limit is not None:
            if cut is not None:
                raise cut
            return tuple(found)
        kept = whole_fragments(self._file, found, cut=cut is not None)
        if cut is not None and (not kept or kept[-1].kind != b"mdat" or all(each.kind != b"moof" for each in kept)):
            raise cut
        self.torn_bytes = os.fstat(self._file.fileno()).st_size - kept[-1].end
        return kept

    def _read_moov(self) -> Track:
        body = self.box_body(b"moov")
        if body is None:
            raise MalformedFilm(say("has no `moov` box: it is no film, or its recording never got under way"))
        return read_moov(memoryview(body))

    def _fragment_samples(self) -> Iterator[Sample]:
        decoded = 0
        dated = any(each.kind == b"sidx" for each in self.boxes)
        for each in self.boxes:
            if each.kind == b"moof":
                moof = memoryview(read_body(self._file, each, self.name))
                for sample in fragment_samples(self.track, moof, each.start, decoded, dated=dated):
                    decoded = sample.decoded + sample.duration
                    yield sample
