"""The conformity sheet beside an export: for a court, in French, printable; everything shown is escaped."""

from __future__ import annotations

import re
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined
from msgspec import Struct

from agent import __version__
from agent.base.clock import ClockQuality, utc
from agent.evidence.export_boxes import Place, Provenance
from agent.evidence.exported import Exported, Request
from agent.evidence.report import Verdict

_CLOCK_WORDS = {
    ClockQuality.SYNCHRONISED.value: "synchronisée : l’heure des images est celle d’un serveur de temps",
    ClockQuality.HOLDOVER.value: "en maintien : synchronisée auparavant, l’heure a pu dériver depuis",
    ClockQuality.UNSET.value: "non réglée : l’heure des images n’est pas fiable, seule leur succession l’est",
}
_VIEW_WORDS = {
    "verified": "vérifiée",
    "uncertain": "incertaine",
    "moved": "déplacée, les masques ont suivi",
    "held": "image tenue : répète la précédente, marquée HELD",
}
_CLOSED_VIEW_WORDS = {**_VIEW_WORDS, "moved": "déplacée"}
_WHY_WORDS = {
    "no footage": "aucun enregistrement",
    "recorded, not signed yet": "enregistré, pas encore signé au moment de l’export : à exporter plus tard",
    "recorded with other dates, the clock was stepped": "enregistré sous d’autres dates, l’horloge ayant été changée",
    "recording interrupted": "enregistrement interrompu",
    "no picture came": "aucune image reçue de la caméra",
    "segment file missing": "fichier d’enregistrement absent",
    "another film lies in the segment's place": "un autre film se trouve à la place du fichier d’enregistrement",
    "segment damaged": "fichier d’enregistrement endommagé",
    "left out: its signature is lost": "écarté : sa signature est perdue",
    "destroyed on": "détruit le",
    "found missing on": "constaté absent, sans avoir été détruit par le nœud, le",
}
_REASON_WORDS = {": age": " : durée de conservation écoulée", ": space": " : faute de place"}
_MASK_WORDS = {"none-needed": "aucun masque requis (déclaration signée)", "various": "masques variables", "": "-"}
_NOTE_WORDS = (
    (
        r"recording interrupted from (\S+) to (\S+): signing began anew",
        r"Enregistrement interrompu de \1 à \2 : la signature reprend à neuf.",
    ),
    (
        r"recording interrupted from (\S+) to (\S+): nothing was signed between.*",
        r"Enregistrement interrompu de \1 à \2 : rien n’a été signé entre-temps, la chaîne des signatures continue.",
    ),
    (
        r"recorded, at least in part, before the clock was set:.*",
        "Enregistré, au moins en partie, avant que l’horloge ne soit réglée.",
    ),
    (
        r"(\d+) pictures repeat the one before and are marked HELD",
        r"Images tenues, qui répètent la précédente et portent la marque HELD : \1.",
    ),
    (
        r"size, cropping and decoder parameters .* are not covered:.*",
        "Taille, cadrage et paramètres de décodage (SPS, PPS) ne sont pas couverts : les signatures ne les énoncent pas.",
    ),
    (
        r"its certificate is not marked as one for signing films:.*",
        "Le certificat du nœud ne porte pas l’usage « signature de films » : tout autre de la même autorité passerait aussi.",
    ),
)
_VERDICT_WORDS = {
    Verdict.AUTHENTIC: "Authentique : chaque image est signée, dans l’ordre, et aucune ne manque.",
    Verdict.MISSING: "Authentique, mais incomplet : voir les manques et la vérification ci-dessous.",
    Verdict.NOT_AUTHENTIC: "NON authentique : voir la vérification ci-dessous.",
    Verdict.NOT_TRUSTED: "Chaîne de certification non reconnue : voir la vérification ci-dessous.",
    Verdict.NOT_SIGNED: "Non signé : l’authenticité ne peut être établie par le film seul.",
    Verdict.NOT_TOLD: "Ne peut être établi ici pour tout le film, faute de ce qui le dirait : voir la vérification ci-dessous.",
}


class ConformitySheet(Struct, frozen=True):
    """Writes sheets with times in `zone` and UTC. A `SheetWriter`."""

    zone: ZoneInfo

    def __call__(self, request: Request, provenance: Provenance, place: Place | None, exported: Exported) -> str:
        """The sheet as one HTML document without outside references."""
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        template = environment.from_string(files("agent.evidence").joinpath("conformity_sheet.html").read_text("utf-8"))
        report = exported.report
        return template.render(
            request=request,
            provenance=provenance,
            place=place,
            exported=exported,
            contents=exported.contents,
            report=report,
            verdict=_VERDICT_WORDS[report.verdict] if report else "Vérification non faite à l’export.",
            verdict_good=report is not None and report.verdict is Verdict.AUTHENTIC,
            version=__version__,
            time=self._time,
            why=_in_french,
            clock_words=_CLOCK_WORDS,
            view_words=lambda layer: (_CLOSED_VIEW_WORDS if layer.opaque else _VIEW_WORDS).get(layer.view, layer.view or "-"),
            mask_words=_MASK_WORDS,
            note=_note_in_french,
        )

    def _time(self, wall_ns: int) -> str:
        at = utc(wall_ns)
        local = at.astimezone(self.zone)
        same_day = at.date() == local.date()
        universal = f"{at:%H:%M:%S} UTC" if same_day else f"{at:%d/%m/%Y %H:%M:%S} UTC"
        return f"{local:%d/%m/%Y %H:%M:%S},{local.microsecond // 1000:03d} ({universal})"


def _note_in_french(note: str) -> str:
    for english, french in _NOTE_WORDS:
        if re.fullmatch(english, note):
            return re.sub(english, french, note)
    return note


def _in_french(why: str) -> str:
    for english, french in _WHY_WORDS.items():
        if why.startswith(english):
            rest = why[len(english) :]
            for reason, word in _REASON_WORDS.items():
                rest = rest.removesuffix(reason) + word if rest.endswith(reason) else rest
            return french + rest
    return why
