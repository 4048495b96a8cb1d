"""Is this film authentic, whole and in order? The client side of ONVIF Media Signing (26.06), for H.264 in MP4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import rfc3339
from agent.base.errors import EvidenceError
from agent.base.phrase import joined, say
from agent.evidence.attestation import read_attestation, read_held, read_intermediates
from agent.evidence.film import Film
from agent.evidence.findings import VerifiedSlices
from agent.evidence.oddity import Oddity
from agent.evidence.pace import DisplayTimes
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import Report, State, Verdict
from agent.evidence.seal import Seal, read_seal
from agent.evidence.signing_key import Key
from agent.evidence.stream_verifier import MOST_EFFORT, StreamVerifier
from agent.evidence.strict_film import StrictFilm
from agent.evidence.vouching import distrust, refusal
from agent.identity.certificates import CertificateChain, common_name
from agent.identity.usage import lacking
from agent.signing import nal, sei

_MOST_ODDITIES: Final = 64


NumberedUnits = Callable[[], Iterator[tuple[int, bytes]]]
"""Begins anew at each call: every NAL unit of a stream with the number of its frame, in decoding order."""


class Judged(Struct, frozen=True):
    """What is said of a film, and which of its slices the signatures speak for."""

    report: Report
    verified: tuple[VerifiedSlices, ...]


def verify(
    path: Path, anchors: CertificateChain, progress: Callable[[int, int], None] | None = None, *, node: str | None = None
) -> Report:
    """As `judge_film`, for whoever wants the verdict alone."""
    return judge_film(path, anchors, progress, node=node).report


def judge_film(
    path: Path, anchors: CertificateChain, progress: Callable[[int, int], None] | None = None, *, node: str | None = None
) -> Judged:
    """Judge a film. Raises EvidenceError (of which MalformedFilm) when it cannot be read as a film at all.

    `progress` is told how many bytes of how many are read. With `node`, a film of another node is not trusted.
    """
    with Film(path, torn=True) as film:
        strict = StrictFilm(film)
        verifier = _verifier(_plain_units(film), anchors)
        pace = DisplayTimes(film.track.timescale)
        oddities, pictures = _feed(strict, verifier, film, pace, progress)
        report = _torn_off(_with_oddities(_report(verifier, pictures, anchors), oddities), film.torn_bytes)
        beside = (*(report.chain.certificates if report.chain else ()), *read_intermediates(film))
        seal = read_seal(path, anchors, beside, report.key_digest)
        if seal is not None and film.torn_bytes:
            seal = replace(seal, intact=None, error="the seal cannot be checked: the film lacks its end", untrusted=False)
        elif seal is not None and seal.intact and verifier.found.unordered:
            verifier.found.trust_order()
            report = _with_oddities(_report(verifier, pictures, anchors), oddities)
        report = _of_node(_with_seal(report, seal), node)
        # Media Signing does not cover the masks' box: without the seal anybody may have written it.
        if report.seal is not None and report.seal.intact:
            held = read_held(film)
            note = (Remark(Saying.HELD, count=held),) if held else ()
            report = replace(report, layers=read_attestation(film), held=held, notes=(*report.notes, *note))
        elif (other := pace.remark(verifier.found.verified)) is not None:
            report = replace(report, notes=(*report.notes, other))
        return Judged(report, tuple(verifier.found.verified))


def _feed(
    strict: StrictFilm, verifier: StreamVerifier, film: Film, pace: DisplayTimes, progress: Callable[[int, int], None] | None
) -> tuple[tuple[Oddity, ...], int]:
    """Feed the film to the verifier. What is odd about its container, and how many frames were judged."""
    oddities, pictures = strict.oddities, 0
    for shown in strict.pictures():
        if shown.behind and not verifier.is_of_vigie:
            # ONVIF's reference ends its films so. What it leaves behind the end is neither judged nor counted.
            _say_once(verifier.found.notes, Remark(Saying.BEHIND_NOT_JUDGED))
            if shown.header is not None and len(oddities) < _MOST_ODDITIES:
                end = film.track.ended_by
                oddities += tuple(each for each in shown.oddities if each.where == end)
                oddities += (
                    (
                        Oddity(
                            end,
                            say("ends before picture {number}: some players show it, some do not", number=shown.number),
                        ),
                    )
                    if shown.sample.duration
                    else ()
                )
            continue
        for oddity in shown.oddities:
            verifier.fault(shown.number, oddity.words if oddity.where.startswith("moov") else oddity.what)
        for unit in shown.units:
            verifier.take(unit, shown.number)
        pictures = shown.number + 1
        pace.take(shown.number, shown.sample.shown)
        verifier.found.left_out += shown.before
        if shown.behind and shown.header is not None:
            verifier.found.notes.append(Remark(Saying.PICTURE_BEHIND, number=shown.number))
        if verifier.exhausted:
            break
        if progress is not None and pictures % 256 == 0:
            progress(shown.sample.offset, film.boxes[-1].end)
    verifier.finish()
    return oddities, pictures


def judge(units: NumberedUnits, pictures: int, anchors: CertificateChain) -> Report:
    """Judge a stream of `pictures` frames, without a file around it."""
    verifier = _verifier(units(), anchors)
    for picture, unit in units():
        verifier.take(unit, picture)
        if verifier.exhausted:
            break
    verifier.finish()
    return _report(verifier, pictures, anchors)


def _plain_units(film: Film) -> Iterator[tuple[int, bytes]]:
    """Every unit, not yet read strictly: only certificates are looked for, and each proves itself."""
    return ((picture, unit) for picture, sample in enumerate(film.samples()) for unit in film.nal_units(sample))


def _with_oddities(report: Report, oddities: tuple[Oddity, ...]) -> Report:
    """What the container makes players do overrules a good stream: authentic is what is shown."""
    if not oddities:
        return report
    report = replace(report, oddities=tuple(each.words for each in oddities))
    if report.verdict is Verdict.NOT_AUTHENTIC:
        return report
    return replace(report, verdict=Verdict.NOT_AUTHENTIC, reason=oddities[0].words)


def _torn_off(report: Report, count: int) -> Report:
    """What is left of a film can be judged; what it showed behind that cannot, and players may show some of it."""
    if not count:
        return report
    what = Remark(Saying.TORN, count=count)
    if report.verdict not in (Verdict.AUTHENTIC, Verdict.NOT_TOLD):
        return replace(report, notes=(*report.notes, what))
    reason = what if report.verdict is Verdict.AUTHENTIC else joined("; ", (what, report.reason))
    return replace(report, verdict=Verdict.NOT_TOLD, reason=reason)


def _with_seal(report: Report, seal: Seal | None) -> Report:
    """The seal of an export covers what Media Signing does not: a broken one overrules a good stream, and so does one whose key
    nobody trusted vouches for, which accuses no one.
    """
    if seal is None:
        return report
    report = replace(report, seal=seal)
    if seal.intact is False and report.verdict in (Verdict.AUTHENTIC, Verdict.MISSING):
        verdict = Verdict.NOT_TRUSTED if seal.untrusted else Verdict.NOT_AUTHENTIC
        return replace(report, verdict=verdict, reason=seal.error)
    return report


def _of_node(report: Report, node: str | None) -> Report:
    """Whoever trusts a whole town may still want one camera."""
    if node is None or report.signer in (node, None) or report.verdict is Verdict.NOT_AUTHENTIC:
        return report
    return replace(
        report,
        verdict=Verdict.NOT_TRUSTED,
        reason=say("this is a film of {signer!r}, not of {node!r}", signer=report.signer, node=node),
    )


def _verifier(units: Iterable[tuple[int, bytes]], anchors: CertificateChain) -> StreamVerifier:
    """A verifier for the key of the first unit that carries certificates; signatures may come before it."""
    for effort, (_, unit) in enumerate(units):
        if effort > MOST_EFFORT:
            break
        if nal.unit_type(unit) == nal.SEI and sei.is_signing_sei(unit):
            try:
                found = sei.parse(unit)
                maker = CertificateChain.from_pem(found.maker_chain_pem, of="film") if found.maker_chain_pem else None
                user = CertificateChain.from_pem(found.user_chain_pem, of="film") if found.user_chain_pem else None
            except EvidenceError:
                continue
            if maker or user:
                key = Key(maker, user)
                hash_name = found.crypto.hash_name if found.crypto else "sha256"
                chains = [chain for chain in (maker, user) if chain is not None]
                return StreamVerifier(
                    hash_name, key, all(refusal(chain, anchors, None, strictly=False) is None for chain in chains)
                )
    return StreamVerifier(trusted=False)


def _say_once(notes: list[Remark], note: Remark) -> None:
    if note not in notes:
        notes.append(note)


def _report(verifier: StreamVerifier, pictures: int, anchors: CertificateChain) -> Report:
    chain_error = distrust(verifier, anchors)
    found = verifier.found
    leaf = verifier.key.signing.leaf if verifier.key.signing else None
    if chain_error is None and leaf is not None and leaf not in anchors.certificates and lacking(leaf):
        _say_once(found.notes, Remark(Saying.ANY_CERTIFICATE))
    missing = found.missing_units
    counts = {state: found.count(state) for state in (State.AUTHENTIC, State.CHANGED, State.PENDING)}
    signing = verifier.key.signing
    verdict, reason = _verdict(verifier, counts, missing, chain_error)
    return Report(
        verdict=verdict,
        reason=reason,
        spans=tuple(sorted(found.spans, key=lambda span: span.first)),
        notes=tuple(found.notes),
        pictures=pictures,
        authentic=counts[State.AUTHENTIC],
        changed=counts[State.CHANGED],
        pending=counts[State.PENDING] if verifier.seis else pictures,
        missing_units=missing,
        gops=verifier.gops,
        signer=common_name(signing.leaf) if signing else None,
        key_digest=signing.key_digest if signing else None,
        vendor=verifier.vendor,
        chain=signing,
        chain_trusted=chain_error is None and signing is not None,
        chain_error=chain_error,
        from_ns=found.from_ns,
        to_ns=found.to_ns,
    )


def _verdict(verifier: StreamVerifier, counts: dict[State, int], missing: int, chain_error: str | None) -> tuple[Verdict, str]:
    found = verifier.found
    if counts[State.CHANGED]:
        fault = found.first(State.CHANGED)
        return Verdict.NOT_AUTHENTIC, say("picture {first}: {why}", first=fault.first, why=fault.why)
    if not verifier.seis:
        return Verdict.NOT_SIGNED, say("the film carries no signature: whether it is authentic cannot be told")
    if verifier.key.signing is None:
        return Verdict.NOT_TOLD, say(
            "the film carries no certificate: it was cut off, and nothing tells whose signatures these are"
        )
    if chain_error is not None:
        return Verdict.NOT_TRUSTED, chain_error
    if missing > found.cut_units:
        fault = found.first(State.MISSING)
        return Verdict.MISSING, say("before picture {first}: {why}", first=fault.first, why=fault.why)
    if not counts[State.AUTHENTIC]:
        return Verdict.NOT_SIGNED, say("no signature speaks for any picture: whether the film is authentic cannot be told")
    if verifier.exhausted:
        return Verdict.NOT_TOLD, say("judging stopped: no signature speaks for what follows")
    if found.cut_units:
        return (
            Verdict.NOT_TOLD,
            say("the film begins in the middle of a GOP, whose keyframe was cut off: ask for it from a keyframe on"),
        )
    if found.left_out:
        before = say("the edit list begins behind the first {left_out} pictures", left_out=found.left_out)
        return Verdict.NOT_TOLD, say(
            "{before}: the film was cut in the middle of a GOP, ask for it from a keyframe on", before=before
        )
    if found.unordered:
        ended, begun = map(rfc3339, found.unordered[0])
        what = say("behind a recording until {ended} stands one of {begun}", ended=ended, begun=begun)
        return Verdict.NOT_TOLD, say("{what}: which was first is told by the seal of an export alone", what=what)
    if counts[State.PENDING] and verifier.is_of_vigie:
        fault = found.first(State.PENDING)
        lost = say(
            "pictures {first} to {last} lack the signature that closes every film of Vigie", first=fault.first, last=fault.last
        )
        return Verdict.NOT_TOLD, say(
            "{lost}: the film was cut or added to there, captured live, or the node lost its power", lost=lost
        )
    if counts[State.PENDING]:
        return Verdict.AUTHENTIC, say(
            "except for the last {count} pictures, which no signature covers", count=counts[State.PENDING]
        )
    return Verdict.AUTHENTIC, say("every picture is signed, in order, and none is missing")
