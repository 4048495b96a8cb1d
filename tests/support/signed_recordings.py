"""A node that records and signs, and exports out of its recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.base.clock import NS
from agent.evidence.conformity_sheet import ConformitySheet
from agent.evidence.export import Export
from agent.evidence.export_boxes import CameraPlace, ExportedCamera, Provenance
from agent.evidence.exported import ExcerptRequest, Exported
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.signing.media_signing import MediaSigner
from agent.signing.tlv import MANUFACTURER, VendorInformation
from tests.support.recordings import Recordings

VENDOR = VendorInformation("0.1.0", "cam-1", MANUFACTURER)
PLACE = CameraPlace("place de l'Horloge", 48.5, -2.75)


@dataclass
class SignedRecordings:
    """A node's recordings, signed, and exports out of them."""

    recordings: Recordings
    signer: NodeSigner
    ca: CertificateChain
    out: Path

    def record(self, seconds: float, *, close: bool = True) -> None:
        """A daemon's life, with signing."""
        self.recordings.pictures = 0
        media_signer = MediaSigner(self.signer, VENDOR)
        units = [media_signer.process(unit) for unit in self.recordings.units(seconds)]
        closing = media_signer.finish()
        assert closing is not None
        self.recordings.take([*units, closing] if close else units)

    def export(self, from_s: float, to_s: float, *, sealed: bool = True, out: Path | None = None, **more: object) -> Exported:
        """Seconds count from the first picture ever recorded."""
        begun_ns = self.recordings.rows()[0].wall_from_ns
        request = ExcerptRequest(begun_ns + round(from_s * NS), begun_ns + round(to_s * NS), "A. Martin", "PV 2026/417")
        return Export(
            self.recordings.catalog,
            more.get("journal", self.recordings.register),  # type: ignore[arg-type]
            self.recordings.clock,
            provenance=lambda r, at: Provenance(
                ExportedCamera("cam-1", mac="02:00:00:00:00:01"), ExportedCamera("place"), at, r.operator
            ),
            sheet=ConformitySheet(ZoneInfo("Europe/Paris")),
            place=PLACE,
            signer=self.signer if sealed else None,
            anchors=self.ca,
        ).write(request, out or self.out)
