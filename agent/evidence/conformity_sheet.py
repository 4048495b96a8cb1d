"""The conformity sheet beside an export: for a court, in French, printable; everything shown is escaped."""

from __future__ import annotations

from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined
from msgspec import Struct

from agent import __version__
from agent.base.clock import utc
from agent.evidence.export_boxes import CameraPlace, Provenance
from agent.evidence.exported import ExcerptRequest, Exported
from agent.evidence.report import Verdict
from agent.evidence.sheet_words import BASIS_WORDS, CLOCK_WORDS, MASK_WORDS, VERDICT_WORDS, in_french, view_words


class ConformitySheet(Struct, frozen=True):
    """Writes sheets with times in `zone` and UTC. A `SheetWriter`."""

    zone: ZoneInfo

    def __call__(self, request: ExcerptRequest, provenance: Provenance, place: CameraPlace | None, exported: Exported) -> str:
        """The sheet as one HTML document without outside references."""
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        template = environment.from_string(files("agent.evidence").joinpath("conformity_sheet.html").read_text("utf-8"))
        report = exported.report
        return template.render(
            request=request,
            provenance=provenance,
            place=place,
            exported=exported,
            origin=exported.origin,
            basis_words=BASIS_WORDS,
            contents=exported.contents,
            report=report,
            verdict=VERDICT_WORDS[report.verdict] if report else "Vérification non faite à l’export.",
            verdict_good=report is not None and report.verdict is Verdict.AUTHENTIC,
            version=__version__,
            time=self._time,
            in_french=in_french,
            clock_words=CLOCK_WORDS,
            view_words=view_words,
            mask_words=MASK_WORDS,
        )

    def _time(self, wall_ns: int) -> str:
        at = utc(wall_ns)
        local = at.astimezone(self.zone)
        same_day = at.date() == local.date()
        universal = f"{at:%H:%M:%S} UTC" if same_day else f"{at:%d/%m/%Y %H:%M:%S} UTC"
        return f"{local:%d/%m/%Y %H:%M:%S},{local.microsecond // 1000:03d} ({universal})"
