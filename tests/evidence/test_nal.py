"""NAL units: boundaries and emulation prevention."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.signing import nal

zero_heavy = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), max_size=60).map(bytes)


@given(zero_heavy | st.binary(max_size=200))
def test_escaping_leaves_no_forbidden_sequence_and_is_undone_whole(payload: bytes) -> None:
    """Whatever the payload, no start code can be read inside it, and nothing of it is lost."""
    escaped = nal.escape(payload)
    assert not any(escaped[at : at + 2] == b"\0\0" and escaped[at + 2] < 3 for at in range(len(escaped) - 2))
    assert nal.unescape(escaped) == payload


@given(st.lists(st.binary(min_size=1, max_size=40).map(lambda b: nal.escape(b"\x65" + b + b"\x80")), max_size=6))
def test_units_are_found_between_start_codes_of_either_length(units: list[bytes]) -> None:
    """Three or four byte start codes and trailing zeros never change what a unit holds."""
    stream = b"".join((nal.START_CODE if number % 2 else b"\0\0\1") + unit for number, unit in enumerate(units))
    assert list(nal.units(stream)) == units
    assert list(nal.units(stream + b"\0\0\0")) == units


@pytest.mark.parametrize(
    ("unit", "start"), [(b"\x65\x88", True), (b"\x65\x48", False), (b"\x41\x9a", False), (b"\x65", False), (b"\x67\x80", False)]
)
def test_a_gop_starts_with_the_first_slice_of_an_idr_picture(unit: bytes, start: bool) -> None:
    """Further slices of the IDR picture, and other pictures, start none."""
    assert nal.is_gop_start(unit) is start
