"""Which access units of which segment go into an export, cut on GOPs around the asked span."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import NS
from agent.base.errors import EvidenceError, StorageError
from agent.base.phrase import say
from agent.evidence.film import Film
from agent.evidence.sample import Sample
from agent.recording.row import DestroyedSpan, SegmentRow, SegmentState
from agent.recording.strays import FilmIdentity
from agent.signing import nal, sei
from agent.signing.tlv import MalformedField


class Footage(Protocol):
    """The catalog, as an export sees it."""

    def span(self, from_wall_ns: int, to_wall_ns: int) -> Sequence[SegmentRow]: ...

    def between(self, row: SegmentRow, later: SegmentRow) -> Sequence[SegmentRow]: ...

    def destroyed(self, from_wall_ns: int, to_wall_ns: int) -> Sequence[DestroyedSpan]: ...


class Cut(Struct, frozen=True):
    """Samples `first`..`end` (exclusive) of one segment."""

    row: SegmentRow
    film: Film
    samples: tuple[Sample, ...]
    first: int
    end: int

    @property
    def kept(self) -> tuple[Sample, ...]:
        return self.samples[self.first : self.end]

    def media_ns(self, sample: Sample) -> int:
        """When this sample is shown, in the segment's media time."""
        origin = self.samples[0].shown
        return self.row.media_from_ns + (sample.shown - origin) * NS // self.film.track.timescale

    def wall_ns(self, sample: Sample) -> int:
        """When this sample was captured."""
        return self.row.wall_ns(self.media_ns(sample))

    def gops(self) -> Iterator[tuple[int, int]]:
        """First and end (exclusive) of every GOP kept, as indices into `samples`."""
        starts = [at for at in range(self.first, self.end) if at == self.first or self.samples[at].sync]
        yield from zip(starts, [*starts[1:], self.end], strict=True)

    def leading_signature(self, at: int) -> bytes | None:
        """The signature unit (no certificate) before the slices of sample `at`: it speaks for the GOP before."""
        if at >= len(self.samples):
            return None
        for unit in self.film.nal_units(self.samples[at]):
            kind = nal.unit_type(unit)
            if nal.is_vcl(kind):
                return None
            if kind == nal.SEI and sei.is_signing_sei(unit) and not sei.is_certificate_sei(unit):
                return unit
        return None

    def covers_end_of(self, before: Cut) -> bool:
        """True unless this cut begins with a signature for another GOP than the last one of `before`."""
        unit = self.leading_signature(self.first)
        if unit is None:
            return True
        try:
            signed = sei.parse(unit).hashes
        except MalformedField:
            return False
        start = max(at for at in range(before.first, before.end) if before.samples[at].sync)
        slices = (unit for unit in before.film.nal_units(before.samples[start]) if nal.is_gop_start(unit))
        first = next(slices, None)
        return first is not None and bool(signed) and hashlib.sha256(first).digest() == signed[0]

    def closing_signature(self) -> bytes | None:
        """The signature unit behind the slices of the last sample kept."""
        return self.signature_behind(self.end - 1)

    def signature_behind(self, at: int) -> bytes | None:
        """The signature unit behind the slices of sample `at`."""
        last = None
        for last in self.film.nal_units(self.samples[at]):  # noqa: B007 - the last one is wanted
            pass
        return last if last is not None and nal.unit_type(last) == nal.SEI and sei.is_signing_sei(last) else None


class OtherFilm(EvidenceError):
    """What lies in a segment's place is another film: its frames would be told with times that are not theirs."""


def open_segment(row: SegmentRow) -> Film:
    """The segment's film; of one that is still recorded, as much as is safe on disk. Raises EvidenceError, and OtherFilm.

    Nobody's link is followed. A film that does not say what it is any more is taken at its place's word: it is damaged.
    """
    film = Film(row.path, row.bytes if row.state is SegmentState.OPEN else None, follow=False)
    try:
        if FilmIdentity.at(row.path) not in (None, FilmIdentity.of(row)):
            raise OtherFilm(say("{path} is not the film that was recorded there", path=row.path))
    except BaseException as error:
        film.close()
        if isinstance(error, StorageError):
            raise EvidenceError(str(error)) from None
        raise
    return film


def cut(row: SegmentRow, film: Film, from_ns: int, to_ns: int) -> Cut | None:
    """The GOPs of a segment that overlap [from_ns, to_ns) of wall time; None when none does.

    The last GOP of a segment that is still being recorded is left out while no signature speaks for it.
    """
    samples = tuple(film.samples())
    if not samples or not samples[0].sync:
        return None
    whole = Cut(row, film, samples, 0, len(samples))
    starts = [at for at, sample in enumerate(samples) if sample.sync]
    first = max((at for at in starts if whole.wall_ns(samples[at]) <= from_ns), default=0)
    end = min((at for at in starts if whole.wall_ns(samples[at]) >= to_ns), default=len(samples))
    if end == len(samples) and row.state is SegmentState.OPEN and _is_signed(whole) and whole.closing_signature() is None:
        end = starts[-1]
    return Cut(row, film, samples, first, end) if first < end else None


def without_unsigned_end(cut: Cut, following: Cut | None) -> Cut:
    """The cut without its last GOP when its signature was lost with what is missing before `following`; perhaps empty.

    A recording that broke off (a new one begins without a signature) keeps its end: what follows does not speak against it.
    """
    whole = cut.end == len(cut.samples)
    if not whole or following is None or cut.closing_signature() is not None or following.covers_end_of(cut):
        return cut
    start = max(at for at in range(cut.first, cut.end) if cut.samples[at].sync)
    return replace(cut, end=start)


def certificate(cuts: Sequence[SegmentRow]) -> bytes | None:
    """The first certificate unit of these segments."""
    for row in cuts:
        with open_segment(row) as film:
            for sample in film.samples():
                for unit in film.nal_units(sample) if sample.sync else ():
                    if nal.unit_type(unit) == nal.SEI and sei.is_signing_sei(unit) and sei.is_certificate_sei(unit):
                        return unit
    return None


def opened(units: Sequence[bytes], signature: bytes | None, certificate_unit: bytes | None) -> list[bytes]:
    """The units of an access unit as a film begins with it: the signature over the GOP before, then the certificate.

    Where they are lacking and known; both stand before the slices.
    """
    at = next(number for number, each in enumerate(units) if nal.is_vcl(nal.unit_type(each)))
    own = [each for each in units[:at] if sei.is_signing_sei(each)]
    before = [each for each in units[:at] if not sei.is_signing_sei(each)]
    signatures = [each for each in own if not sei.is_certificate_sei(each)] or ([signature] if signature else [])
    certificates = [each for each in own if sei.is_certificate_sei(each)] or ([certificate_unit] if certificate_unit else [])
    return [*before, *signatures, *certificates, *units[at:]]


def length_prefixed(units: Sequence[bytes], length_bytes: int) -> bytes:
    """NAL units as a sample holds them."""
    return b"".join(len(each).to_bytes(length_bytes, "big") + each for each in units)


def _is_signed(whole: Cut) -> bool:
    return any(nal.unit_type(unit) == nal.SEI and sei.is_signing_sei(unit) for unit in whole.film.nal_units(whole.samples[0]))
