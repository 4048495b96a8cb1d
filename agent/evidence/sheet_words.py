"""The words of the conformity sheet, in French: one table for everything that export and verification may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.clock import ClockQuality
from agent.evidence.layer import Layer
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import Verdict

CLOCK_WORDS: Final = {
    ClockQuality.SYNCHRONISED.value: "synchronisée : l’heure des images est celle d’un serveur de temps",
    ClockQuality.HOLDOVER.value: "synchronisée auparavant, plus depuis : l’heure a pu dériver",
    ClockQuality.UNSET.value: "non réglée : l’heure des images n’est pas fiable, seule leur succession l’est",
}
BASIS_WORDS: Final = {
    "permanent": "autorisation préfectorale (CSI L252-1)",
    "event": "procédure événementielle (CSI L252-7)",
    "urgency": "procédure d’urgence (CSI L223-4)",
    "": "-",
}
MASK_WORDS: Final = {"none-needed": "aucun masque requis (déclaration signée)", "various": "masques variables", "": "-"}
VERDICT_WORDS: Final = {
    Verdict.AUTHENTIC: "Authentique : chaque image est signée, dans l’ordre, et aucune ne manque.",
    Verdict.MISSING: "Authentique, mais incomplet : voir les manques et la vérification ci-dessous.",
    Verdict.NOT_AUTHENTIC: "NON authentique : voir la vérification ci-dessous.",
    Verdict.NOT_TRUSTED: "Chaîne de certification non reconnue : voir la vérification ci-dessous.",
    Verdict.NOT_SIGNED: "Non signé : l’authenticité ne peut être établie par le film seul.",
    Verdict.NOT_TOLD: "Ne peut être établi ici pour tout le film, faute de ce qui le dirait : voir la vérification ci-dessous.",
}
_VIEW_WORDS: Final = {
    "verified": "vérifiée",
    "uncertain": "incertaine",
    "moved": "déplacée, les masques ont suivi",
    "held": "image tenue : répète la précédente, marquée HELD",
}
_CLOSED_VIEW_WORDS: Final = {**_VIEW_WORDS, "moved": "déplacée"}
_REASON_WORDS: Final = {"age": "durée de conservation écoulée", "space": "faute de place"}
_REMARKS: Final[Mapping[Saying, str]] = {
    Saying.NO_FOOTAGE: "aucun enregistrement",
    Saying.NOT_SIGNED_YET: "enregistré, pas encore signé au moment de l’export : à exporter plus tard",
    Saying.INTERRUPTED: "enregistrement interrompu",
    Saying.OTHER_DATES: "enregistré sous d’autres dates, l’horloge ayant été changée : {begins}/{ends}",
    Saying.NO_PICTURE: "aucune image reçue de la caméra",
    Saying.FILE_MISSING: "fichier d’enregistrement absent",
    Saying.OTHER_FILM: "un autre film se trouve à la place du fichier d’enregistrement",
    Saying.FILE_DAMAGED: "fichier d’enregistrement endommagé",
    Saying.SIGNATURE_LOST: "écarté : sa signature est perdue",
    Saying.DESTROYED: "détruit le {at} : {reason}",
    Saying.FOUND_MISSING: "constaté absent, sans avoir été détruit par le nœud, le {at}",
    Saying.SIGNED_ANEW: "Enregistrement interrompu de {begins} à {ends} : la signature reprend à neuf.",
    Saying.CHAIN_GOES_ON: (
        "Enregistrement interrompu de {begins} à {ends} : rien n’a été signé entre-temps, la chaîne des signatures continue."
    ),
    Saying.CLOCK_BEHIND: (
        "Après un enregistrement finissant à {begins} vient un enregistrement daté de {ends} : l’horloge était en retard, "
        "l’ordre est celui du scellé."
    ),
    Saying.CLOCK_UNSET: "Enregistré, au moins en partie, avant que l’horloge ne soit réglée.",
    Saying.HELD: "Images tenues, qui répètent la précédente et portent la marque HELD : {count}.",
    Saying.SHAPE_NOT_COVERED: (
        "Taille, cadrage et paramètres de décodage (SPS, PPS) ne sont pas couverts : les signatures ne les énoncent pas."
    ),
    Saying.ANY_CERTIFICATE: (
        "Le certificat du nœud ne porte pas l’usage « signature de films » : tout autre de la même autorité passerait aussi."
    ),
    Saying.TORN: "Les {count} derniers octets ne forment pas un fragment entier : le film a été tronqué là.",
    Saying.OTHER_PACE: (
        "Les images {first} à {last} durent {shown} s à la lecture et {signed} s selon les signatures : la durée de lecture, "
        "qu’aucun scellé ne couvre, a été changée, ou bien l’horloge."
    ),
    Saying.BEHIND_NOT_JUDGED: "Ce qui se trouve après la fin du film n’est pas jugé.",
    Saying.PICTURE_BEHIND: "L’image {number} se trouve après la fin du film : certains lecteurs la montrent, d’autres non.",
}


def in_french(remark: Remark) -> str:
    """The remark for a court; dates and numbers stand as they are. What a damaged file lacks is for the technician alone."""
    facts = {name: _REASON_WORDS.get(fact, fact) if name == "reason" else fact for name, fact in remark.facts.items()}
    return _REMARKS[remark.saying].format(**facts)


def view_words(layer: Layer) -> str:
    """How the guard saw the view while these masks held."""
    return (_CLOSED_VIEW_WORDS if layer.opaque else _VIEW_WORDS).get(layer.view, layer.view or "-")
