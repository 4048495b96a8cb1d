"""The conformity sheet for the town hall's file: one printable page, in French, without one pixel of the camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from html import escape
from importlib.resources import files
from string import Template
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent import __version__
from agent.commissioning.examination import ExaminationReport
from agent.commissioning.line import Grade, Line
from agent.commissioning.sheet_words import UNKNOWN, french, number
from agent.config.digest import config_digest
from agent.config.model import Config
from agent.config.polygon import Polygon
from agent.view.excluded_area import ExcludedArea, Ground

OPENING = b'<!DOCTYPE html>\n<html lang="fr">'
"""What every sheet begins with; one of an export is another kind."""
_SUBJECTS = {
    "camera": "Prise de vues (arrêté du 3 août 2007 ; IEC 62676-4)",
    "privacy": "Protection de la vie privée (CSI, art. L. 251-3)",
    "recording": "Enregistrement et conservation (CSI, art. L. 252-5)",
    "clock": "Horodatage",
    "evidence": "Intégrité et traçabilité",
    "broker": "Liaison avec le centre de supervision",
    "board": "Matériel",
    "service": "Exploitation",
}
_GRADES = {
    Grade.OPEN: ("non jugé", "none"),
    Grade.OK: ("conforme", "ok"),
    Grade.WARN: ("à surveiller", "warn"),
    Grade.FAIL: ("non conforme", "fail"),
}
_GROUNDS = {
    Ground.NAMED: "incrustation",
    Ground.TICKS: "change comme une horloge",
    Ground.BURNT_IN: "net comme un texte incrusté",
    Ground.STAYED: "immobile à la poussée",
}
_MOST_NAMED = 6
_VERDICTS = {
    Grade.OK: "Aucune anomalie relevée.",
    Grade.WARN: "Aucune non-conformité relevée ; des points restent à surveiller.",
    Grade.FAIL: "Des non-conformités ont été relevées.",
}


def sheet(report: ExaminationReport) -> str:
    """The sheet as one HTML document that needs nothing else."""
    node = report.config.node
    rows = "".join(_subject(title, report.subjects.get(subject, ())) for subject, title in _SUBJECTS.items())
    page = Template(files(__package__).joinpath("sheet.html").read_text(encoding="utf-8"))
    return page.substitute(
        node=escape(node.id),
        site=escape(node.site or "—"),
        role={"fixed": "fixe", "nomadic": "nomade"}[node.role],
        plan={"overview": "plan large", "identification": "plan étroit (identification)"}[report.config.camera.purpose],
        at=_local(report),
        version=escape(__version__),
        digest=escape(config_digest(report.config)[:16]),
        days=number(report.config.recording.retention_days),
        verdict=_VERDICTS[report.grade],
        verdict_class=_GRADES[report.grade][1],
        picture=_mask_picture(report.config, report.fixed),
        rows=rows,
    )


def _local(report: ExaminationReport) -> str:
    """When it was taken, by the town's clock."""
    try:
        zone: tzinfo = ZoneInfo(report.config.encoding.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return f"{datetime.fromisoformat(report.at).astimezone(zone):%d/%m/%Y à %H:%M} ({zone})"


def _subject(title: str, lines: tuple[Line, ...]) -> str:
    rows = "".join(_rows(lines))
    return f'<tr class="subject"><th colspan="3">{escape(title)}</th></tr>{rows}' if rows else ""


def _rows(lines: tuple[Line, ...]) -> Iterator[str]:
    for line in lines:
        entry = french(line)
        if entry is None:
            continue
        try:
            found = entry.found(line.metrics)
        except KeyError:  # a check that failed before it had measured anything
            found = UNKNOWN
        word, style = _GRADES[line.grade]
        todo = "mesure à refaire" if found == UNKNOWN else entry.action
        action = f'<span class="action"> — {escape(todo)}</span>' if line.grade > Grade.OK else ""
        yield f'<tr><td>{escape(entry.label)}</td><td>{escape(found)}{action}</td><td class="{style}">{word}</td></tr>\n'


def _mask_picture(config: Config, fixed: Sequence[ExcludedArea]) -> str:
    """The masks as outlines on an empty frame, and what is fixed to the camera; of the scene nothing is shown."""
    width, height = 320, round(320 * config.camera.height / config.camera.width)
    shapes = [
        f'<polygon class="fixed" points="{_points(area.polygon, width, height)}">'
        f"<title>{escape(_fixed_name(area))}</title></polygon>"
        for area in fixed
    ]
    for index, mask in enumerate(config.privacy.mask, 1):
        left = sum(x for x, _ in mask.polygon) / len(mask.polygon) * width
        top = sum(y for _, y in mask.polygon) / len(mask.polygon) * height
        shapes.append(f'<polygon points="{_points(mask.polygon, width, height)}"><title>{escape(mask.name)}</title></polygon>')
        shapes.append(f'<text x="{left:.1f}" y="{top:.1f}">{index}</text>')
    names = "".join(f"<li>{escape(mask.name)}</li>" for mask in config.privacy.mask)
    if config.privacy.none_needed is not None:
        statement = config.privacy.none_needed
        who = f"déclaration de {escape(statement.by)} du {statement.on:%d/%m/%Y}"
        legend = f"<p>Aucun masque : {who} : « {escape(statement.why)} »</p>"
    else:
        legend = f"<ol>{names}</ol>" if names else "<p>Aucun masque : image entièrement opaque.</p>"
    if fixed:
        named = ", ".join(escape(_fixed_name(area)) for area in fixed[:_MOST_NAMED])
        more = f" et {len(fixed) - _MOST_NAMED} autres" if len(fixed) > _MOST_NAMED else ""
        legend = f"<div>{legend}<p>Sans valeur de preuve (en pointillé), liés à la caméra ou semblables : {named}{more}</p></div>"
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Emplacement des masques">'
        f'<rect width="{width}" height="{height}"/>{"".join(shapes)}</svg>{legend}'
    )


def _points(polygon: Polygon, width: int, height: int) -> str:
    return " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in polygon)


def _fixed_name(area: ExcludedArea) -> str:
    return area.name or _GROUNDS[area.ground]
