"""The head of a coded slice: which frame it belongs to, and when that frame is shown (ITU-T H.264, 7.3.3 and 7.4.1.2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from agent.evidence.bits import Bits
from agent.evidence.parameters import PictureParameters, SequenceParameters
from agent.signing import nal

# More than any head needs: sixteen fields of at most 32 bits.
_HEAD_BYTES: Final = 48


class PictureIdentity(Struct, frozen=True, gc=False):
    """What all slices of one frame share; where two slices differ in it, they are of two frames."""

    idr: bool
    reference: bool
    parameters: int
    frame_number: int
    idr_number: int
    order: int
    order_delta: tuple[int, int]


class SliceHeader(Struct, frozen=True, gc=False):
    """The head of one slice. `redundant` slices are shown only where the primary ones are damaged."""

    first_macroblock: int
    picture: PictureIdentity
    sequence: SequenceParameters
    field: bool
    redundant: bool

    @classmethod
    def read(
        cls, unit: bytes, sequences: Mapping[int, SequenceParameters], pictures: Mapping[int, PictureParameters]
    ) -> SliceHeader:
        """Raises ValueError when the slice is cut short or names parameter sets that are not there."""
        idr, reference = unit[0] & 0x1F == nal.IDR_SLICE, bool(unit[0] & 0x60)
        bits = Bits.of_unit(unit, _HEAD_BYTES)
        first, _, parameters = bits.ue(), bits.ue(), bits.ue()
        pps = pictures.get(parameters)
        sps = None if pps is None else sequences.get(pps.sequence)
        if pps is None or sps is None:
            raise ValueError("a slice names parameter sets that the film does not hold")
        if sps.separate_planes:
            bits.unsigned(2)
        frame_number = bits.unsigned(sps.frame_number_bits)
        is_field = not sps.frames_only and bits.flag()
        if is_field:
            bits.flag()
        idr_number = bits.ue() if idr else 0
        order, delta = 0, (0, 0)
        if sps.order_kind == 0:
            order = bits.unsigned(sps.order_bits)
            if pps.field_order and not is_field:
                delta = (bits.se(), 0)
        elif sps.order_kind == 1 and not sps.delta_always_zero:
            delta = (bits.se(), bits.se() if pps.field_order and not is_field else 0)
        redundant = pps.redundant_counts and bits.ue() > 0
        picture = PictureIdentity(idr, reference, parameters, frame_number, idr_number, order, delta)
        return cls(first, picture, sps, is_field, redundant)
