"""Who vouches for a film: does its certificate lead to the authority that the verifier trusts, and is it one for signing?"""

from __future__ import annotations

from agent.base.clock import NS
from agent.base.phrase import joined, say
from agent.evidence.stream_verifier import StreamVerifier
from agent.identity.certificates import CertificateChain, ChainNotTrusted, common_name
from agent.identity.usage import contradicting, lacking


def distrust(verifier: StreamVerifier, anchors: CertificateChain) -> str | None:
    """Why the film's certificate is not trusted; None when it is, or when nothing is signed."""
    if verifier.key.signing is None:
        return say("the film carries no certificate") if verifier.seis else None
    key, found = verifier.key, verifier.found
    for chains in ((key.maker, *key.renewed), (key.user,)):
        known = [chain for chain in chains if chain is not None]
        # A film without a date is judged when its certificate began to hold; the note on the clock says so.
        for at_ns in {found.earliest_ns, found.latest_ns} if known else ():
            refusals = [refusal(chain, anchors, at_ns, strictly=bool(verifier.stated)) for chain in known]
            if None not in refusals:
                return refusals[0]
    return None


def refusal(chain: CertificateChain, anchors: CertificateChain, at_ns: int | None, *, strictly: bool) -> str | None:
    """Why this chain is not trusted at that time, `strictly` also for what it does not say of its use; None when it is."""
    begun_ns = int(chain.leaf.not_valid_before_utc.timestamp()) * NS
    try:
        chain.check(anchors, begun_ns if at_ns is None else at_ns)
    except ChainNotTrusted as error:
        return error.said[0]
    if chain.leaf in anchors.certificates:
        return None  # whoever hands over the very certificate trusts it, whatever it is for
    wanting = lacking(chain.leaf) if strictly else contradicting(chain.leaf)
    if wanting:
        return say(
            "the certificate of {name!r} is not one for signing films: it lacks {names}",
            name=common_name(chain.leaf),
            names=joined(say(" and "), wanting),
        )
    return None
