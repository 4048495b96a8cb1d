"""The conformity sheet's French: for each check its label, its finding in words, and the action when it is not in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from agent.commissioning.line import Line, Metric

Words = Callable[[Mapping[str, Metric]], str]


class SheetEntry(Struct, frozen=True):
    """`found` turns a line's figures into French; `action` is what is written beside a line that is not in order."""

    label: str
    found: Words
    action: str


def french(line: Line) -> SheetEntry | None:
    """The entry of this line; None for a check that the sheet does not show."""
    name = (
        "broker certificate"
        if line.check.endswith(" certificate")
        else "broker"
        if line.check.startswith("broker")
        else line.check
    )
    return ENTRIES.get(name)


UNKNOWN = "non mesuré"


def number(value: Metric, digits: int = 0, unit: str = "") -> str:
    """A number the French way: a comma, a narrow space between thousands, a space before the unit."""
    if not isinstance(value, int | float):
        return UNKNOWN
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",") + (f"\u00a0{unit}" if unit else "")


def _moment(value: Metric) -> str:
    try:
        return f"{datetime.fromisoformat(str(value)).astimezone(UTC):%d/%m/%Y à %H h %M} UTC"
    except ValueError:
        return str(value)


_TASKS_FIRST = {
    "inspect": "inspection", "identify": "identification", "recognise": "reconnaissance", "observe": "observation",
    "detect": "détection", "monitor": "surveillance de foule", "less than any task asks for": "aucune",
}  # fmt: skip
_TASKS_SECOND = {
    "scrutinise": "examen minutieux", "validate": "validation", "characterise": "caractérisation", "perceive": "perception",
    "discern": "discernement", "outline": "silhouette", "overview": "vue d'ensemble", "less than any task asks for": "aucune",
}  # fmt: skip
_MEDIA = {
    "sd": "carte SD", "emmc": "eMMC", "ssd": "SSD", "disk": "disque dur", "memory": "mémoire vive", "network": "partage réseau",
    "unknown": "support de nature inconnue",
}  # fmt: skip
_RATES = {"measured": "mesuré", "configured": "réglé"}

_STATES = {"enabled": "actif", "None": "non vérifiable ici"}


def _camera(f: Mapping[str, Metric]) -> str:
    if "same_s" in f:
        return f"{f['driver']}, image figée depuis {number(f['same_s'], 0, 's')}"
    return f"{f['driver']}, {number(f.get('fps'), 1, 'images/s')}"


def _density(f: Mapping[str, Metric]) -> str:
    if "pixels_per_metre" not in f:
        return "distance ou optique non renseignée"
    first, second = _TASKS_FIRST[str(f["iec_62676_4_2014"])], _TASKS_SECOND[str(f["iec_62676_4_2025"])]
    return f"{number(f['pixels_per_metre'])} px/m : {first} (éd. 2014), {second} (éd. 2025)"


def _days(f: Mapping[str, Metric]) -> str:
    rate = _RATES.get(str(f["bitrate_source"]), "estimé")
    kept = f"{number(f['days'], 1)} jours possibles pour {number(f['wanted_days'])} autorisés"
    return f"{kept}, débit {rate} de {number(f['bitrate_kbps'])} kbit/s"


def _masks(f: Mapping[str, Metric]) -> str:
    if not f.get("masks"):
        return "aucun masque"
    return f"{f['masks']} masque{'s' if f['masks'] != 1 else ''}, {number(f['cover_percent'], 1)} % de l'image"


def _identity(f: Mapping[str, Metric]) -> str:
    return (
        f"certificat de {f['name']} valable jusqu'au {f['until']}, empreinte de clé {str(f['key'])[:16]}…"
        if "key" in f
        else "absente ou inutilisable"
    )


def _broker_certificate(f: Mapping[str, Metric]) -> str:
    return f"{f['tls_version']}, certificat de {f['certificate']}, expire dans {number(f['days_left'], 0, 'jours')}"


def _yes(no: str, yes: str, key: str) -> Words:
    return lambda f: yes if f.get(key) else no


def _told(no: str, yes: str) -> Words:
    """Of what not every board tells."""
    return lambda f: UNKNOWN if "now" not in f else yes if f["now"] else f"{no} en cours"


ENTRIES: Mapping[str, SheetEntry] = {
    "camera": SheetEntry("Caméra", _camera, "vérifier câble, alimentation et réglage"),
    "delivered size": SheetEntry(
        "Image livrée par la caméra",
        lambda f: f"{f['width']} × {f['height']}, agrandie à {f['wanted_width']} × {f['wanted_height']}",
        "augmenter la définition dans la caméra",
    ),
    "picture size": SheetEntry(
        "Définition",
        lambda f: f"{f['width']} × {f['height']} (minimum {f['norm_width']} × {f['norm_height']})",
        "augmenter la définition",
    ),
    "picture rate": SheetEntry(
        "Cadence",
        lambda f: f"{number(f['fps'], 1, 'images/s')} (minimum {number(f['norm_fps'])})",
        "augmenter la cadence ou l'éclairage",
    ),
    "pixels per metre": SheetEntry("Densité de pixels", _density, "renseigner distance et optique, ou rapprocher la scène"),
    "focus": SheetEntry("Mise au point", lambda f: f"indice {number(f['focus'])}", "régler la mise au point ; nettoyer le dôme"),
    "exposure": SheetEntry(
        "Exposition", lambda f: f"luminance moyenne {number(f['mean_luma'])} (16 à 235)", "corriger l'exposition ou l'orientation"
    ),
    "masks": SheetEntry("Masques de confidentialité", _masks, "dessiner les masques des espaces privés"),
    "view": SheetEntry(
        "Vue de référence",
        lambda f: f"validée par {f['by']} le {_moment(f['on'])}" if "by" in f else "non validée : image entièrement opaque",
        "valider la vue (vigie masks validate)",
    ),
    "view guard": SheetEntry(
        "Contrôle permanent de la vue", lambda f: "vue vérifiée" if "shift_px" in f else "image fermée", "réaligner la caméra"
    ),
    "storage": SheetEntry("Support d'enregistrement", lambda f: f"{_MEDIA[str(f['kind'])]} {f['name']}", "remplacer le support"),
    "disk": SheetEntry("Durée de conservation", _days, "augmenter la capacité, ou réduire le débit ou la durée"),
    "disk speed": SheetEntry(
        "Débit d'écriture",
        lambda f: f"{number(f['write_mb_per_s'], 0, 'Mo/s')}, synchronisation {number(f['sync_median_ms'], 1, 'ms')}",
        "remplacer le support",
    ),
    "clock": SheetEntry(
        "Horodatage",
        lambda f: f"synchronisé par {f['keeper'] or 'le système'}" if f["quality"] == "synchronised" else "non synchronisé",
        "rétablir la synchronisation (NTP)",
    ),
    "signing": SheetEntry("Signature des enregistrements", lambda _: "désactivée", "activer la signature"),
    "identity": SheetEntry("Identité du nœud", _identity, "créer ou faire certifier l'identité du nœud"),
    "register": SheetEntry(
        "Registre des accès et destructions",
        lambda f: f"{number(f.get('lines', 0))} lignes, intègre" if not f.get("findings") else "altéré",
        "faire examiner le registre",
    ),
    "broker": SheetEntry(
        "Serveur du centre",
        lambda f: f"serveur {f['url']}" if "url" in f else "adresse non renseignée",
        "rétablir la liaison",
    ),
    "broker certificate": SheetEntry("Chiffrement de la liaison", _broker_certificate, "renouveler le certificat du serveur"),
    "temperature": SheetEntry("Température", lambda f: number(f.get("temperature_c"), 0, "°C"), "ventiler ou abriter le boîtier"),
    "throttling": SheetEntry("Bridage du processeur", _told("aucun", "en cours"), "ventiler ou abriter le boîtier"),
    "supply": SheetEntry("Alimentation", _told("aucune sous-tension", "sous-tension"), "remplacer l'alimentation ou le câble"),
    "vigie.service": SheetEntry("Démarrage automatique", lambda f: _STATES.get(str(f["state"]), "inactif"), "activer le service"),
    "vigie-retention.timer": SheetEntry(
        "Destruction automatique à échéance", lambda f: _STATES.get(str(f["state"]), "inactive"), "activer la minuterie"
    ),
    "security updates": SheetEntry(
        "Mises à jour de sécurité", _yes("non automatiques", "automatiques", "configured"), "les automatiser"
    ),
}
