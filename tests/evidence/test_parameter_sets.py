"""Parameter sets: their digest depends on what decodes the film, not on how often or in which order it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.signing.parameter_sets import ParameterSets, split_digest, with_digest

SPS = bytes.fromhex("67640015acd941e08fe5c044000003000400000300a03c58b658")
PPS = bytes.fromhex("68ebe3cb22c0")
SECOND_PPS = bytes.fromhex("685be3cb22c0")


def digest_of(*units: bytes) -> bytes:
    """Of these, taken in this order."""
    sets = ParameterSets()
    for unit in units:
        sets.take(unit)
    return sets.digest


def test_the_digest_is_of_what_is_in_force() -> None:
    """Repetition, order and trailing zeros change nothing; a second PPS, another SPS or a lacking one do."""
    whole = digest_of(SPS, PPS)
    assert digest_of(PPS, SPS, SPS + b"\0\0", PPS) == whole
    others = {digest_of(SPS), digest_of(PPS), digest_of(SPS, PPS, SECOND_PPS), digest_of(SPS[:-1] + b"\x59", PPS), digest_of()}
    assert whole not in others
    assert len(others) == 5


def test_a_set_of_the_same_number_takes_the_place_of_the_one_before() -> None:
    """And `take` tells a change from a repetition."""
    sets = ParameterSets()
    assert sets.take(PPS)
    assert not sets.take(PPS)
    assert sets.take(PPS[:-1] + b"\xc8")
    assert sets.units == (PPS[:-1] + b"\xc8",)


@pytest.mark.parametrize("unit", [b"", b"\0\0", b"\x67", b"\x67\x64\0\x15", b"\x68\0\0\0", b"\x65\x88\x84"])
def test_what_is_no_parameter_set_is_refused(unit: bytes) -> None:
    """In one way."""
    with pytest.raises(ValueError, match=r"parameter set"):
        ParameterSets().take(unit)


@given(firmware=st.text(max_size=40), digest=st.binary(min_size=32, max_size=32))
def test_the_firmware_carries_the_digest_and_gives_it_back(firmware: str, digest: bytes) -> None:
    """Whatever the firmware is called."""
    assert split_digest(with_digest(firmware, digest)) == (firmware, digest)


@given(firmware=st.text(max_size=60))
def test_a_firmware_without_a_digest_stays_as_it_is(firmware: str) -> None:
    """Of other makers, or of older films."""
    assert split_digest(firmware) == (firmware, None)
    assert split_digest(firmware + " sets:" + "é" * 43) == (firmware + " sets:" + "é" * 43, None)
