"""The boxes of an exported film, by ISO/IEC 14496-12 and ONVIF's Export File Format 26.06.

ftyp moov            as of any fragmented MP4; `loci` in its `udta` when the place is known
meta                 suep (who exported what), cstb (when the film begins), ipro (the seal over the whole file)
moof mdat ...        one pair for each GOP
mfra                 where each GOP begins
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from agent.base.clock import NS
from agent.evidence.boxes import box, full_box
from agent.signing.tlv import ticks

TICKS_PER_S: Final = 90_000
TRACK: Final = 1
SIGNATURE_BYTES: Final = 71

_MOVIE_TICKS_PER_S: Final = 1000
_UNIX_IN_1904_S: Final = 2_082_844_800
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC: Final = 0x02000000
_NON_SYNC: Final = 0x01010000
_UNDETERMINED_LANGUAGE: Final = 0x55C4
_ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_SCHEME: Final = b"oeff"


class ExportedCamera(Struct, frozen=True):
    """The camera, as `suep` names it."""

    name: str
    url: str = ""
    mac: str = ""
    line: str = ""


class Provenance(Struct, frozen=True):
    """Who exported, on what, when (Unix nanoseconds), and what the film shows."""

    unit: ExportedCamera
    camera: ExportedCamera
    exported_ns: int
    operator: str


class CameraPlace(Struct, frozen=True):
    """Where the camera stands, in degrees (WGS 84) and metres."""

    name: str
    latitude: float
    longitude: float
    altitude_m: float = 0.0


class FragmentSample(Struct, frozen=True):
    """One access unit in a `trun`; times in 1/90000 s."""

    size: int
    duration: int
    shift: int
    sync: bool


def ftyp() -> bytes:
    """Brands: `isom` as ONVIF asks, `iso6` for fragments with their own decode times."""
    return box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso6avc1mp41")


def moov(
    descriptions: Sequence[bytes], width: int, height: int, begun_ns: int, duration: int, place: CameraPlace | None
) -> bytes:
    """`duration` in 1/90000 s. Its length does not depend on it, so that it can be written again once it is known."""
    created = begun_ns // NS + _UNIX_IN_1904_S
    movie_duration = duration * _MOVIE_TICKS_PER_S // TICKS_PER_S
    # GStreamer dates the signature behind the last frame at the film's end, and clips what is not before it: with one
    # millisecond more ONVIF's reference, which is built on it, sees the signature of the last GOP.
    whole_duration = movie_duration + 1 if movie_duration else 0
    mvhd = full_box(
        b"mvhd", 1, 0,
        struct.pack(">QQIQ", created, created, _MOVIE_TICKS_PER_S, movie_duration),
        struct.pack(">IHHQ", 0x10000, 0x0100, 0, 0), _MATRIX, bytes(24), struct.pack(">I", TRACK + 1),
    )  # fmt: skip
    tkhd = full_box(
        b"tkhd", 1, 3,
        struct.pack(">QQIIQ", created, created, TRACK, 0, movie_duration),
        bytes(16), _MATRIX, struct.pack(">II", width << 16, height << 16),
    )  # fmt: skip
    mdhd = full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", created, created, TICKS_PER_S, duration, _UNDETERMINED_LANGUAGE, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"Vigie\0")
    tables = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", len(descriptions)), *descriptions),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    data_is_here = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), data_is_here, tables)
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    mvex = box(
        b"mvex",
        full_box(b"mehd", 1, 0, struct.pack(">Q", whole_duration)),
        full_box(b"trex", 0, 0, struct.pack(">5I", TRACK, 1, 0, 0, 0)),
    )
    return box(b"moov", mvhd, trak, mvex, *([box(b"udta", _loci(place))] if place is not None else []))


def meta(provenance: Provenance, begun_ns: int, certificate_der: bytes | None) -> bytes:
    """The file's own `meta`; with a certificate it holds an empty seal, to be filled by `seal.py`."""
    parts = [full_box(b"hdlr", 0, 0, bytes(4), b"null", bytes(12), b"\0"), _suep(provenance), _cstb(begun_ns)]
    if certificate_der is not None:
        scheme = full_box(b"schm", 0, 0, _SCHEME, struct.pack(">I", 0x00010000))
        information = box(
            b"schi",
            box(b"sibo", bytes(SIGNATURE_BYTES)),
            box(b"cert", certificate_der),
            box(b"sigC", _ECDSA_WITH_SHA256),
        )
        parts.append(full_box(b"ipro", 0, 0, struct.pack(">H", 1), box(b"sinf", scheme, information)))
    return full_box(b"meta", 0, 0, *parts)


def fragment_head(sequence: int, decoded: int, description: int, samples: Sequence[FragmentSample]) -> bytes:
    """`moof`, and the head of the `mdat` that must follow with the samples' bytes."""
    run = b"".join(
        struct.pack(">IIIi", each.duration, each.size, _SYNC if each.sync else _NON_SYNC, each.shift) for each in samples
    )

    def moof(data_offset: int) -> bytes:
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)),
            box(
                b"traf",
                full_box(b"tfhd", 0, 0x020002, struct.pack(">II", TRACK, description)),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", decoded)),
                full_box(b"trun", 1, 0xF01, struct.pack(">Ii", len(samples), data_offset), run),
            ),
        )

    content = sum(each.size for each in samples)
    return moof(len(moof(0)) + 8) + struct.pack(">I4s", content + 8, b"mdat")


def mfra(entries: Sequence[tuple[int, int]]) -> bytes:
    """The index at the end: presentation time and `moof` offset of every GOP."""
    rows = b"".join(struct.pack(">QQBBB", time, offset, 1, 1, 1) for time, offset in entries)
    tfra = full_box(b"tfra", 1, 0, struct.pack(">III", TRACK, 0, len(entries)), rows)
    size = 8 + len(tfra) + 16
    return box(b"mfra", tfra, full_box(b"mfro", 0, 0, struct.pack(">I", size)))


def _suep(provenance: Provenance) -> bytes:
    unit, camera = provenance.unit, provenance.camera
    return full_box(
        b"suep", 1, 0,
        _text(unit.name), _text(unit.url), _text(unit.mac),
        struct.pack(">Q", provenance.exported_ns // NS + _UNIX_IN_1904_S),
        _text(provenance.operator),
        struct.pack(">IH", 1, TRACK),
        _text(camera.name), _text(camera.url), _text(camera.mac), _text(camera.line),
    )  # fmt: skip


def _cstb(begun_ns: int) -> bytes:
    return box(b"cstb", struct.pack(">IIQ", 1, TRACK, ticks(begun_ns)))


def _loci(place: CameraPlace) -> bytes:
    position = struct.pack(">iii", *(round(value * 65536) for value in (place.longitude, place.latitude, place.altitude_m)))
    language = struct.pack(">H", _UNDETERMINED_LANGUAGE)
    return full_box(b"loci", 0, 0, language, _text(place.name), b"\x01", position, _text("earth"), _text(""))


def _text(text: str) -> bytes:
    return text.replace("\0", " ").encode() + b"\0"
