"""An MP4 muxer whose tables say what a forger wants: right by itself, wrong wherever it is told to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.evidence.boxes import box, full_box

UPRIGHT = b"".join(each.to_bytes(4, "big") for each in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
FTYP = box(b"ftyp", b"isom", bytes(4), b"isomiso6avc1mp41")
PERIOD = 100
"""Of a picture, in thousandths of a second."""


def numbers(*values: int) -> bytes:
    """Of four bytes each."""
    return b"".join((value & 0xFFFFFFFF).to_bytes(4, "big") for value in values)


def sample(units: Sequence[bytes], length_bytes: int = 4) -> bytes:
    """An access unit as it stands in a film."""
    return b"".join(len(unit).to_bytes(length_bytes, "big") + unit for unit in units)


def configuration(sps: bytes, pps: bytes, length_bytes: int = 4) -> bytes:
    """The box `avcC`."""
    sets = b"\xe1" + len(sps).to_bytes(2, "big") + sps + b"\1" + len(pps).to_bytes(2, "big") + pps
    more = b"\xfd\xf8\xf8\0" if sps[1] == 100 else b""
    return box(b"avcC", b"\1" + sps[1:4] + bytes((0xFC | (length_bytes - 1),)) + sets + more)


def entry(*inside: bytes, kind: bytes = b"avc1", depth: bytes = b"\0\x18\xff\xff") -> bytes:
    """A sample entry of 64x48."""
    return box(
        kind, bytes(6), b"\0\1", bytes(16), b"\0\x40\0\x30", b"\0\x48\0\0" * 2, bytes(4), b"\0\1", bytes(32), depth, *inside
    )


def movie(tables: bytes, *, lasts: int = 0, movie_lasts: int | None = None, mvex: bytes = b"", more: bytes = b"") -> bytes:
    """`moov` of one track that counts milliseconds."""
    whole = lasts if movie_lasts is None else movie_lasts
    mvhd = full_box(b"mvhd", 0, 0, bytes(8), numbers(1000, whole, 0x10000), b"\1\0", bytes(10), UPRIGHT, bytes(24), numbers(2))
    tkhd = full_box(b"tkhd", 0, 3, bytes(8), numbers(1, 0, lasts), bytes(16), UPRIGHT, numbers(64 << 16, 48 << 16))
    mdhd = full_box(b"mdhd", 0, 0, bytes(8), numbers(1000, lasts), b"\x55\xc4\0\0")
    handler = full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(13))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, numbers(1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), dinf, tables)
    return box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, handler, minf)), mvex, more)


def plain(
    chunks: Sequence[Sequence[bytes]],
    entries: Sequence[bytes],
    *,
    in_chunks: Sequence[tuple[int, int, int]] | None = None,
    count: int | None = None,
    movie_lasts: int | None = None,
    more: bytes = b"",
    front: bytes = b"",
) -> bytes:
    """A film whose tables stand in `moov`. `in_chunks` is its `stsc`, `count` how many pictures it says to hold."""
    samples = [each for chunk in chunks for each in chunk]
    sizes = [len(each) for each in samples][:count]
    runs = in_chunks or [(number, len(chunk), 1) for number, chunk in enumerate(chunks, 1)]

    def head(offsets: Sequence[int]) -> bytes:
        tables = box(
            b"stbl",
            full_box(b"stsd", 0, 0, numbers(len(entries)), *entries),
            full_box(b"stts", 0, 0, numbers(1, len(sizes), PERIOD)),
            full_box(b"stsc", 0, 0, numbers(len(runs)), *(numbers(*run) for run in runs)),
            full_box(b"stsz", 0, 0, numbers(0, len(sizes), *sizes)),
            full_box(b"stco", 0, 0, numbers(len(offsets), *offsets)),
        )
        return FTYP + movie(tables, lasts=PERIOD * len(sizes), movie_lasts=movie_lasts, more=more) + front

    at = len(head([0] * len(chunks))) + 8
    offsets = [at + sum(len(each) for chunk in chunks[:number] for each in chunk) for number in range(len(chunks))]
    return head(offsets) + box(b"mdat", *samples)


def begun(entries: Sequence[bytes], track: int = 1) -> bytes:
    """What stands before the fragments; `track` is whose `mvex` announces."""
    empty = (full_box(kind, 0, 0, numbers(0)) for kind in (b"stts", b"stsc", b"stco"))
    tables = box(
        b"stbl", full_box(b"stsd", 0, 0, numbers(len(entries)), *entries), *empty, full_box(b"stsz", 0, 0, numbers(0, 0))
    )
    return FTYP + movie(tables, mvex=box(b"mvex", full_box(b"trex", 0, 0, numbers(track, 1, PERIOD, 0, 0))))


def fragment(
    samples: Sequence[bytes],
    at: int | None,
    *,
    track: int = 1,
    description: int = 1,
    shift: int | None = None,
    runs: Callable[[int], bytes] | None = None,
) -> bytes:
    """`moof` and `mdat`; without `at` it does not say when it begins. `runs` makes other `trun` boxes, of where `mdat` begins."""

    def run(offset: int) -> bytes:
        rows = (numbers(len(each)) + (b"" if shift is None else numbers(shift)) for each in samples)
        flags = 0x201 if shift is None else 0xA01
        return full_box(b"trun", 0, flags, numbers(len(samples), offset), *rows)

    def head(offset: int) -> bytes:
        when = b"" if at is None else full_box(b"tfdt", 0, 0, numbers(at))
        traf = box(b"traf", full_box(b"tfhd", 0, 0x020002, numbers(track, description)), when, (runs or run)(offset))
        return box(b"moof", full_box(b"mfhd", 0, 0, numbers(1)), traf)

    return head(len(head(0)) + 8) + box(b"mdat", *samples)
