"""Forgeries: every one is caught, and placed where it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.evidence.report import Report, State, Verdict
from agent.evidence.verification import judge, verify
from agent.identity.certificates import CertificateChain, read_chain
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.signing import nal, sei
from agent.signing.media_signing import MediaSigner
from agent.signing.signed_unit import closed
from agent.signing.tlv import MalformedField
from tests.support.signed_film import VENDOR, encode, retimed, sign, with_unit, without_signatures, write

GOP = 5
Units = list[AccessUnit]


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Units:
    """Four GOPs of five pictures, as the encoder made them."""
    return encode(tmp_path_factory.mktemp("film") / "plain.mp4", gop=GOP, pictures=4 * GOP, size="64x48", crf=35)


@pytest.fixture(scope="session")
def signed(plain: Units, signer: NodeSigner) -> Units:
    """The same, signed and closed."""
    return sign(plain, signer)


def judged(units: Sequence[AccessUnit], ca: CertificateChain) -> Report:
    """The verdict on a stream, without a file around it."""
    return judge(lambda: ((picture, unit) for picture, au in enumerate(units) for unit in nal.units(au.data)), len(units), ca)


def faults(report: Report) -> list[tuple[State, int, int]]:
    """Everything that is not authentic."""
    return [(span.state, span.first, span.last) for span in report.spans if span.state is not State.AUTHENTIC]


def test_the_film_as_it_was_made_is_authentic(signed: Units, node_ca: CertificateChain) -> None:
    """The ground that every forgery below stands on."""
    assert judged(signed, node_ca).verdict is Verdict.AUTHENTIC


def test_every_single_bit_flip_is_caught_and_placed(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """Exhaustive: each bit of each slice of a film of six pictures, two slices each, is flipped in turn."""
    units = sign(encode(tmp_path / "tiny.mp4", gop=3, pictures=6, size="32x32", crf=45, slices=2), signer)
    flips = 0
    for picture, unit in enumerate(units):
        slices = [each for each in nal.units(unit.data) if nal.is_vcl(nal.unit_type(each))]
        for which, content in enumerate(slices):
            for bit in range(len(content) * 8):
                forged = list(units)
                forged[picture] = with_unit(unit, partial(_flipped, bit=bit), which=which)
                report = judged(forged, node_ca)
                flips += 1
                assert report.verdict in (Verdict.NOT_AUTHENTIC, Verdict.MISSING, Verdict.NOT_TOLD), (picture, which, bit)
                assert any(first - 1 <= picture <= last for _, first, last in faults(report)), (picture, which, bit)
    assert flips > 1000


def _flipped(content: bytes, bit: int) -> bytes:
    forged = bytearray(content)
    forged[bit // 8] ^= 1 << bit % 8
    return bytes(forged)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_names_its_picture_alone(
    plain: Units, signed: Units, node_ca: CertificateChain, data: st.DataObject
) -> None:
    """The rest of the film stays authentic: one picture is changed, and it is that one."""
    picture = data.draw(st.integers(0, len(signed) - 1))
    content = next(each for each in nal.units(signed[picture].data) if nal.is_vcl(nal.unit_type(each)))
    bit = data.draw(st.integers(16, len(content) * 8 - 1))
    changed = _flipped(content, bit)
    if changed.endswith(b"\0"):
        return  # a trailing zero belongs to no unit: the length changes too, which the exhaustive test covers
    forged = list(signed)
    forged[picture] = with_unit(signed[picture], lambda _: changed)
    report = judged(forged, node_ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    if nal.START_CODE[1:] not in changed:
        assert faults(report) == [(State.CHANGED, picture, picture)]


@pytest.mark.parametrize("picture", range(4 * GOP))
def test_a_dropped_picture_is_missed_at_its_place(signed: Units, node_ca: CertificateChain, picture: int) -> None:
    """Whichever it is; only the slices go, as when a stream loses a packet."""
    forged = list(signed)
    forged[picture] = replace(signed[picture], data=_only_signatures(signed[picture]))
    report = judged(forged, node_ca)
    assert report.verdict is Verdict.MISSING
    assert report.missing_units == 1
    ((state, first, _),) = faults(report)
    assert state is State.MISSING
    assert first in (picture, picture + 1)


@pytest.mark.parametrize("picture", range(4 * GOP))
def test_an_access_unit_cut_out_is_caught(signed: Units, node_ca: CertificateChain, picture: int) -> None:
    """With its signatures, if it has any: never authentic."""
    report = judged(signed[:picture] + signed[picture + 1 :], node_ca)
    assert report.verdict in (Verdict.MISSING, Verdict.NOT_AUTHENTIC, Verdict.NOT_TOLD)


@pytest.mark.parametrize("picture", range(4 * GOP))
def test_a_repeated_picture_is_caught(signed: Units, node_ca: CertificateChain, picture: int) -> None:
    """Right behind itself, or at the end of the film."""
    for place in (picture + 1, len(signed)):
        report = judged([*signed[:place], signed[picture], *signed[place:]], node_ca)
        assert report.verdict in (Verdict.NOT_AUTHENTIC, Verdict.MISSING, Verdict.NOT_TOLD), place


@pytest.mark.parametrize("picture", range(4 * GOP - 1))
def test_two_pictures_that_change_places_are_caught(signed: Units, node_ca: CertificateChain, picture: int) -> None:
    """Neighbours, or with the first of the film."""
    for other in {picture + 1, 0} - {picture}:
        forged = list(signed)
        forged[picture], forged[other] = forged[other], forged[picture]
        assert judged(forged, node_ca).verdict is Verdict.NOT_AUTHENTIC


def test_a_swap_inside_a_gop_names_one_of_the_two(signed: Units, node_ca: CertificateChain) -> None:
    """Pictures 6, 7 and 8 lie between keyframes."""
    forged = [*signed[:7], signed[8], signed[7], *signed[9:]]
    states = {state for state, *_ in faults(judged(forged, node_ca))}
    assert State.CHANGED in states
    assert {first for _, first, _ in faults(judged(forged, node_ca))} <= {7, 8, 9}


@pytest.mark.parametrize("gop", range(4))
def test_whole_gops_dropped_swapped_or_repeated_are_caught(signed: Units, node_ca: CertificateChain, gop: int) -> None:
    """Save for the first one dropped: that is a film that begins later, and says so."""
    gops = [signed[at : at + GOP] for at in range(0, len(signed), GOP)]
    repeated = [*gops[: gop + 1], gops[gop], *gops[gop + 1 :]]
    assert judged(list(chain.from_iterable(repeated)), node_ca).verdict is Verdict.NOT_AUTHENTIC
    appended = judged(list(chain.from_iterable([*gops, gops[gop]])), node_ca)
    assert appended.verdict is (Verdict.NOT_AUTHENTIC if gop else Verdict.NOT_TOLD)
    assert faults(appended)[0][1] == len(signed)
    dropped = judged(list(chain.from_iterable(gops[:gop] + gops[gop + 1 :])), node_ca)
    if gop == 0:
        assert dropped.verdict is Verdict.AUTHENTIC
        assert dropped.from_ns == signed[GOP].wall_ns
    else:
        assert dropped.verdict in (Verdict.MISSING, Verdict.NOT_AUTHENTIC, Verdict.NOT_TOLD)
        assert dropped.authentic < dropped.pictures or dropped.missing_units
    if gop < 3:
        swapped = [*gops[:gop], gops[gop + 1], gops[gop], *gops[gop + 2 :]]
        assert judged(list(chain.from_iterable(swapped)), node_ca).verdict is Verdict.NOT_AUTHENTIC


def test_a_film_signed_again_with_another_key_is_not_trusted(tmp_path: Path, plain: Units, node_ca: CertificateChain) -> None:
    """The forger's own key makes a film that is whole, but that nobody vouches for, whatever name it bears."""
    forger = IdentityDirectory(tmp_path / "forger").init("cam-1")
    report = judged(sign(plain, forger), node_ca)
    assert report.verdict is Verdict.NOT_TRUSTED


def test_a_part_signed_again_with_another_key_is_caught(
    tmp_path: Path, plain: Units, signed: Units, node_ca: CertificateChain
) -> None:
    """With or without the forger's certificate in the stream, wherever it begins."""
    forger = IdentityDirectory(tmp_path / "forger").init("cam-1")
    again = sign(plain[GOP : 2 * GOP], forger)
    for part in (again, [without_certificates(unit) for unit in again]):
        report = judged([*signed[:GOP], *part, *signed[2 * GOP :]], node_ca)
        assert report.verdict is Verdict.NOT_AUTHENTIC
        assert any(GOP <= first <= 2 * GOP for _, first, _ in faults(report))


def without_certificates(unit: AccessUnit) -> AccessUnit:
    """The unit without certificate SEI."""
    kept = [each for each in nal.units(unit.data) if not (sei.is_signing_sei(each) and sei.is_certificate_sei(each))]
    return replace(unit, data=b"".join(nal.START_CODE + each for each in kept))


def test_a_film_stripped_of_its_signatures_is_not_signed(signed: Units, node_ca: CertificateChain) -> None:
    """It cannot be told; it is not called a forgery either."""
    assert judged([without_signatures(unit) for unit in signed], node_ca).verdict is Verdict.NOT_SIGNED


def test_signatures_stripped_from_a_part_are_caught(signed: Units, node_ca: CertificateChain) -> None:
    """A GOP without its signature, between signed ones, is not authentic."""
    forged = list(signed)
    forged[2 * GOP] = without_signatures(signed[2 * GOP], certificates=False)
    report = judged(forged, node_ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert all(GOP <= first <= 2 * GOP for _, first, _ in faults(report))


def test_pictures_of_another_node_are_caught(tmp_path: Path, plain: Units, signed: Units, node_ca: CertificateChain) -> None:
    """Two films of one town joined: both certificates may be good, the film is still no one film."""
    other = IdentityDirectory(tmp_path / "other")
    joined = signed + sign([replace(unit, wall_ns=unit.wall_ns + 10**12) for unit in plain], other.init("cam-2"))
    both = CertificateChain(node_ca.certificates + read_chain(other.ca_path).certificates)
    assert judged(joined, both).verdict is Verdict.NOT_AUTHENTIC


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_damaged_signature_never_passes_and_never_crashes(
    signed: Units, node_ca: CertificateChain, data: st.DataObject
) -> None:
    """Any byte of any Media Signing unit changed: caught where it is signed; elsewhere the pictures stay authentic.

    A unit whose last byte is 0 has lost its end: players and the standard read on, so it is no signature any more.
    """
    holders = [number for number, unit in enumerate(signed) if any(map(sei.is_signing_sei, nal.units(unit.data)))]
    picture = data.draw(st.sampled_from(holders))
    units = list(nal.units(signed[picture].data))
    which = data.draw(st.sampled_from([n for n, each in enumerate(units) if sei.is_signing_sei(each)]))
    at = data.draw(st.integers(0, len(units[which]) - 1))
    units[which] = units[which][:at] + bytes([data.draw(st.integers(0, 255))]) + units[which][at + 1 :]
    forged = list(signed)
    forged[picture] = replace(signed[picture], data=b"".join(nal.START_CODE + each for each in units))
    report = judged(forged, node_ca)
    original = sei.parse(list(nal.units(signed[picture].data))[which])
    if original.certificate:
        assert report.authentic >= len(signed) - 1
    elif not units[which][-1] or _signed_part(units[which]) != (original.document, original.signature):
        assert report.verdict in (Verdict.NOT_AUTHENTIC, Verdict.MISSING, Verdict.NOT_TOLD)
    else:
        assert report.authentic == len(signed)


@pytest.mark.parametrize("picture", [0, 5, 15])
def test_a_damaged_tag_is_no_other_variant_of_the_standard(signed: Units, node_ca: CertificateChain, picture: int) -> None:
    """A byte that makes something else of the signature's tag: told with its picture, and the rest of the film is judged."""
    units = list(nal.units(signed[picture].data))
    which = next(n for n, each in enumerate(units) if sei.is_signing_sei(each))
    signature = sei.parse(units[which]).signature
    assert signature is not None
    at = units[which].index(signature[:16]) - 6  # the tag, before lengths and form
    assert units[which][at] == 3
    units[which] = units[which][:at] + b"\x7f" + units[which][at + 1 :]
    damaged = list(signed)
    damaged[picture] = replace(signed[picture], data=b"".join(nal.START_CODE + each for each in units))
    report = judged(damaged, node_ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert "lacks its signature" in report.reason
    assert report.authentic >= len(signed) - 11


def test_a_recording_that_broke_off_is_told_from_a_forgery(plain: Units, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """Power lost after 17 pictures, signing begun anew an hour later: the last GOP before has no signature, all else has."""
    before = sign(plain[:17], signer, close=False)
    media_signer = MediaSigner(signer, VENDOR)
    later = [replace(unit, wall_ns=unit.wall_ns + 3600 * 10**9) for unit in plain]
    after = [media_signer.process(unit) for unit in later]
    closing = media_signer.finish()
    assert closing is not None
    after[-1] = closed(after[-1], closing)
    report = judged(before + after, node_ca)
    assert faults(report) == [(State.PENDING, 15, 16)]
    assert report.verdict is Verdict.NOT_TOLD


def test_the_verdict_is_the_same_through_a_file(tmp_path: Path, signed: Units, node_ca: CertificateChain) -> None:
    """Muxed, written and read back: the same faults at the same pictures."""
    forged = retimed([*signed[:7], *signed[8:]])
    report = verify(write(forged, tmp_path / "forged.mp4"), node_ca)
    assert faults(report) == faults(judged(forged, node_ca)) == [(State.MISSING, 7, 7)]


@pytest.mark.parametrize("year", [10_000, 33_000, 59_000])
def test_a_film_dated_beyond_the_calendar_is_one_more_forgery(
    tmp_path: Path, plain: Units, node_ca: CertificateChain, year: int
) -> None:
    """Signed with whatever key, for a year that no date can name: not authentic, in words and as JSON, and no crash."""
    stranger = IdentityDirectory(tmp_path / "stranger").init("cam-1")
    ahead_ns = (year - 2026) * 365 * 86_400 * 10**9 + 86_400 * 2_000 * 10**9
    report = judged(sign([replace(unit, wall_ns=unit.wall_ns + ahead_ns) for unit in plain], stranger), node_ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert "beyond the calendar" in report.reason
    assert report.as_dict()["exit_code"] == 3


def test_a_signing_unit_that_ends_with_its_name_is_no_certificate() -> None:
    """Cut off right behind the UUID there is no flag to read."""
    assert not sei.is_certificate_sei(b"\x06\x05\x10" + sei.UUID)


def _signed_part(unit: bytes) -> tuple[bytes, bytes | None] | None:
    try:
        found = sei.parse(unit) if sei.is_signing_sei(unit) else None
        return (found.document, found.signature) if found else None
    except MalformedField:
        return None


def _only_signatures(unit: AccessUnit) -> bytes:
    return b"".join(nal.START_CODE + each for each in nal.units(unit.data) if not nal.is_vcl(nal.unit_type(each)))
