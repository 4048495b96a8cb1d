"""What SPS and PPS say, as far as it decides how slices are read and how the frame is shown (ITU-T H.264, 7.3.2 and E.1)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from agent.evidence.bits import Bits

_HIGH_PROFILES: Final = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_EXTENDED_SAR: Final = 255
_ASPECTS: Final = (
    (0, 0), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
UNSPECIFIED: Final = 2


class Colour(Struct, frozen=True):
    """How the numbers of a frame become light: primaries, transfer, matrix and range, as the VUI says."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full_range: bool = False


class Timing(Struct, frozen=True):
    """How a picture timing SEI is read: the sizes of its delays in bits, None without HRD, and whether it names a structure."""

    delays: tuple[int, int] | None = None
    structure: bool = False


class SequenceParameters(Struct, frozen=True):
    """One SPS. `aspect` is that of a sample, (1, 1) where nothing is said; sizes are those shown, after cropping."""

    number: int
    width: int
    height: int
    aspect: tuple[int, int]
    colour: Colour
    timing: Timing
    frame_number_bits: int
    order_kind: int
    order_bits: int
    delta_always_zero: bool
    frames_only: bool
    separate_planes: bool

    @classmethod
    def read(cls, unit: bytes) -> SequenceParameters:
        """Raises ValueError."""
        bits = Bits.of_unit(unit)
        profile = bits.unsigned(8)
        bits.unsigned(16)
        number = bits.ue()
        chroma, separate = 1, False
        if profile in _HIGH_PROFILES:
            chroma, separate = _chroma(bits)
        frame_number_bits = bits.ue() + 4
        order_kind, order_bits, delta_always_zero = _order(bits)
        bits.ue()
        bits.flag()
        columns, rows = bits.ue() + 1, bits.ue() + 1
        frames_only = bits.flag()
        if not frames_only:
            bits.flag()
        bits.flag()
        left, right, top, bottom = (bits.ue(), bits.ue(), bits.ue(), bits.ue()) if bits.flag() else (0, 0, 0, 0)
        across = 2 if chroma in (1, 2) and not separate else 1
        down = (2 if chroma == 1 else 1) * (1 if frames_only else 2)
        width = columns * 16 - across * (left + right)
        height = rows * 16 * (1 if frames_only else 2) - down * (top + bottom)
        if not (number < 32 and frame_number_bits <= 16 and order_bits <= 16 and 0 < width <= 16384 and 0 < height <= 16384):
            raise ValueError("a sequence parameter set contradicts itself")
        aspect, colour, timing = _usability(bits) if bits.flag() else ((1, 1), Colour(), Timing())
        return cls(
            number, width, height, aspect, colour, timing,
            frame_number_bits, order_kind, order_bits, delta_always_zero, frames_only, separate,
        )  # fmt: skip


class PictureParameters(Struct, frozen=True):
    """One PPS, as far as slice headers hang on it."""

    number: int
    sequence: int
    field_order: bool
    redundant_counts: bool

    @classmethod
    def read(cls, unit: bytes) -> PictureParameters:
        """Raises ValueError; also for slice groups, which no camera uses and few players know."""
        bits = Bits.of_unit(unit)
        number, sequence = bits.ue(), bits.ue()
        bits.flag()
        field_order = bits.flag()
        if bits.ue():
            raise ValueError("a picture parameter set asks for slice groups")
        bits.ue(), bits.ue(), bits.unsigned(3), bits.se(), bits.se(), bits.se(), bits.unsigned(2)
        return cls(number, sequence, field_order, bits.flag())


def _chroma(bits: Bits) -> tuple[int, bool]:
    chroma = bits.ue()
    separate = chroma == 3 and bits.flag()
    bits.ue(), bits.ue(), bits.flag()
    if bits.flag():
        for table in range(8 if chroma != 3 else 12):
            if bits.flag():
                _skip_scaling(bits, 16 if table < 6 else 64)
    return chroma, separate


def _skip_scaling(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _order(bits: Bits) -> tuple[int, int, bool]:
    kind = bits.ue()
    if kind == 0:
        return kind, bits.ue() + 4, False
    if kind == 1:
        always_zero = bits.flag()
        bits.se(), bits.se()
        for _ in range(min(bits.ue(), 256)):
            bits.se()
        return kind, 0, always_zero
    if kind != 2:
        raise ValueError("a sequence parameter set contradicts itself")
    return kind, 0, False


def _usability(bits: Bits) -> tuple[tuple[int, int], Colour, Timing]:
    """The VUI, up to what picture timing SEI hang on."""
    aspect, colour = (1, 1), Colour()
    if bits.flag():
        kind = bits.unsigned(8)
        named = _ASPECTS[kind] if kind < len(_ASPECTS) else (0, 0)
        across, down = (bits.unsigned(16), bits.unsigned(16)) if kind == _EXTENDED_SAR else named
        aspect = (across, down) if across and down else (1, 1)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.unsigned(3)
        full = bits.flag()
        three = (bits.unsigned(8), bits.unsigned(8), bits.unsigned(8)) if bits.flag() else (UNSPECIFIED,) * 3
        colour = Colour(*three, full_range=full)
    if bits.flag():
        bits.ue(), bits.ue()
    if bits.flag():
        bits.unsigned(32), bits.unsigned(32), bits.flag()
    hrds = [_hrd(bits) for _ in range(2) if bits.flag()]
    if hrds:
        bits.flag()
    return aspect, colour, Timing(hrds[-1] if hrds else None, bits.flag())


def _hrd(bits: Bits) -> tuple[int, int]:
    """The sizes of the two delays."""
    count = min(bits.ue(), 31) + 1
    bits.unsigned(8)
    for _ in range(count):
        bits.ue(), bits.ue(), bits.flag()
    bits.unsigned(5)
    delays = (bits.unsigned(5) + 1, bits.unsigned(5) + 1)
    bits.unsigned(5)
    return delays
