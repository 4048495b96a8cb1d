"""Access units that carry signatures: where their SEI units stand, and how one is closed or gets its certificate.

    keyframe   (SPS, PPS), signature over the GOP before, certificate, slices
    frame      (signature over a part of a long GOP), slices
    last       ..., slices, signature over its own GOP: the closing signature

The signature goes before the certificate: a film that is cut here begins with a signature for a GOP it does not hold, and
ONVIF's reference leaves just the first signing unit of a film out of account.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from agent.picture.access_unit import AccessUnit
from agent.signing import nal, sei


def closing_unit(last: AccessUnit, following: AccessUnit) -> AccessUnit | None:
    """The closing unit of a segment that ends with `last`, taken from the unit that follows it in the stream.

    The signature of the GOP just ended comes with the next GOP; a segment that ends here needs a copy of it (the standard
    allows any number). None when `following` brings none.
    """
    signature = signature_before(following)
    return None if signature is None else closing_of(last, signature)


def closing_of(last: AccessUnit, signature: bytes) -> AccessUnit:
    """The closing unit with this signature: no frame (its duration is 0), to stand behind `last`."""
    return replace(last, data=nal.START_CODE + signature, keyframe=False, duration_ns=0)


def closed(last: AccessUnit, closing: AccessUnit) -> AccessUnit:
    """`last` with the signature of a closing unit behind its slices."""
    return replace(last, data=last.data + closing.data)


def certificate_of(unit: AccessUnit) -> bytes | None:
    """The certificate SEI before the slices of this unit, if it brings one."""
    return next((each for each in _signing(unit.data) if sei.is_certificate_sei(each)), None)


def signature_before(unit: AccessUnit) -> bytes | None:
    """The signature SEI before the slices of this unit, if it brings one."""
    return next((each for each in _signing(unit.data) if not sei.is_certificate_sei(each)), None)


def opened(keyframe: AccessUnit, signature: bytes | None, certificate: bytes | None) -> AccessUnit:
    """The keyframe as a film begins with it: the signature over the GOP before, then the certificate, as far as either is known.

    What it brings of its own stays.
    """
    if certificate is not None and certificate_of(keyframe) is None:
        keyframe = with_seis(keyframe, [certificate])
    if signature is None or signature_before(keyframe) is not None:
        return keyframe
    data = keyframe.data
    for start, end in nal.spans(data):
        if nal.is_vcl(data[start] & 0x1F) or sei.is_signing_sei(data[start:end]):
            return _with(keyframe, start, [signature])
    return keyframe


def with_seis(unit: AccessUnit, seis: Sequence[bytes]) -> AccessUnit:
    """The unit with these SEI units right before its first slice. It must have one."""
    data = unit.data
    return _with(unit, next(start for start, _ in nal.spans(data) if nal.is_vcl(data[start] & 0x1F)), seis)


def _with(unit: AccessUnit, first: int, seis: Sequence[bytes]) -> AccessUnit:
    """With these units before the one whose content begins at `first`."""
    data = unit.data
    at = first - 4 if first >= 4 and data[first - 4] == 0 else first - 3
    return replace(unit, data=b"".join((data[:at], *(nal.START_CODE + each for each in seis), data[at:])))


def _signing(data: bytes) -> Iterator[bytes]:
    """The Media Signing units before the first slice."""
    for start, end in nal.spans(data):
        unit = data[start:end]
        if nal.is_vcl(nal.unit_type(unit)):
            return
        if sei.is_signing_sei(unit):
            yield unit
