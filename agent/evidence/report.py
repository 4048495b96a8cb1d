"""What is said of a film: one verdict, and the spans it rests on."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from agent.base.clock import rfc3339
from agent.evidence.layer import Layer
from agent.evidence.remark import Remark
from agent.evidence.seal import Seal
from agent.identity.certificates import CertificateChain
from agent.signing.tlv import VendorInformation


class Verdict(StrEnum):
    """What is said of a whole film."""

    AUTHENTIC = "authentic"
    MISSING = "authentic with missing units"
    NOT_AUTHENTIC = "not authentic"
    NOT_TRUSTED = "chain not trusted"
    NOT_SIGNED = "not signed"
    NOT_TOLD = "cannot be told here"

    @property
    def exit_code(self) -> int:
        """What `vigie verify` leaves with: a film that lacks something is not the film that was recorded."""
        return {Verdict.AUTHENTIC: 0, Verdict.NOT_SIGNED: 4, Verdict.NOT_TOLD: 4}.get(self, 3)


class State(StrEnum):
    """What is said of a span."""

    AUTHENTIC = "authentic"
    CHANGED = "not authentic"
    MISSING = "missing"
    PENDING = "not signed yet"


class Span(Struct, frozen=True):
    """Pictures `first`..`last` (decoding order, from 0) share a state; what is missing lacks before frame `first`.

    `units` counts NAL units. UTC times are the signer's, of the GOPs concerned; None when nothing signed tells.
    """

    state: State
    first: int
    last: int
    units: int
    why: str = ""
    from_ns: int | None = None
    to_ns: int | None = None


class Report(Struct, frozen=True):
    """The verdict and everything it rests on."""

    verdict: Verdict
    reason: str
    spans: tuple[Span, ...]
    notes: tuple[Remark, ...]
    pictures: int
    authentic: int
    changed: int
    pending: int
    missing_units: int
    gops: int
    signer: str | None
    key_digest: str | None
    vendor: VendorInformation | None
    chain: CertificateChain | None
    chain_trusted: bool
    chain_error: str | None
    from_ns: int | None
    to_ns: int | None
    seal: Seal | None = None
    layers: tuple[Layer, ...] = ()
    held: int = 0
    """Pictures that are no new ones, as the export says under its seal."""
    oddities: tuple[str, ...] = ()

    @property
    def is_sealed(self) -> bool:
        """True when the file has a seal, intact or not; only one that is intact covers times, gaps and track."""
        return self.seal is not None and self.seal.intact is not None

    @property
    def _seal_word(self) -> str:
        if self.seal is None or self.seal.intact is None:
            return "none"
        if self.seal.untrusted:
            return "not trusted"
        return "intact" if self.seal.intact else "broken"

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "verdict": self.verdict.value,
            "exit_code": self.verdict.exit_code,
            "reason": self.reason,
            "from": _time(self.from_ns),
            "to": _time(self.to_ns),
            "signer": {
                "name": self.signer,
                "key_sha256": self.key_digest,
                "firmware": self.vendor.firmware if self.vendor else None,
                "serial": self.vendor.serial if self.vendor else None,
                "manufacturer": self.vendor.manufacturer if self.vendor else None,
            },
            "chain": {"trusted": self.chain_trusted, "error": self.chain_error},
            "frames": {
                "total": self.pictures,
                "authentic": self.authentic,
                "not_authentic": self.changed,
                "pending": self.pending,
                "missing_units": self.missing_units,
                "held": self.held,
            },
            "gops": self.gops,
            "masks": [_masks(each) for each in self.layers],
            "seal": self._seal_word,
            "export": None
            if self.seal is None
            else {
                "seal_intact": self.seal.intact,
                "error": self.seal.error,
                "unit": self.seal.unit,
                "operator": self.seal.operator,
                "at": _time(self.seal.exported_ns),
            },
            "spans": [
                {
                    "state": span.state.value,
                    "first_frame": span.first,
                    "last_frame": span.last,
                    "units": span.units,
                    "from": _time(span.from_ns),
                    "to": _time(span.to_ns),
                    "why": span.why,
                }
                for span in self.spans
            ],
            "oddities": list(self.oddities),
            "notes": list(self.notes),
        }


def _time(at_ns: int | None) -> str | None:
    return None if at_ns is None else rfc3339(at_ns)


def _masks(layer: Layer) -> dict[str, object]:
    return {
        "from": _time(layer.from_ns),
        "to": _time(layer.to_ns),
        "digest": layer.digest,
        "opaque": layer.opaque,
        "view": layer.view,
    }
