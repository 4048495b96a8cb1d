"""`vigie export`: evidence out of the recordings, with its conformity sheet, entered in the register."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from agent import __version__
from agent.base.clock import rfc3339
from agent.base.errors import EvidenceError
from agent.base.language import for_reader
from agent.base.phrase import many, moment, say
from agent.base.tidy_end import tidy_end
from agent.cli._film_words import VERDICTS
from agent.cli._instant import Instant
from agent.cli._node_files import NodeFiles
from agent.cli._options import SHORTEST_REFERENCE, EntryText, config_option, json_option, print_json
from agent.cli._speech import tell
from agent.evidence.by_place import OfOnePlace, parts
from agent.evidence.conformity_sheet import ConformitySheet
from agent.evidence.excerpt import Footage
from agent.evidence.export import Export
from agent.evidence.export_boxes import CameraPlace, ExportedCamera, Provenance
from agent.evidence.exported import ExcerptRequest, Exported
from agent.evidence.film_origin import origin_of, unnamed_place
from agent.identity.certificates import CertificateChain
from agent.identity.name import misnamed
from agent.identity.node_key import NodeSigner
from agent.recording.places import FilmPlace

_INTERFACES = Path("/sys/class/net")
UNPROVED: Final = say(
    "without a seal nothing proves the times, the gaps and the track of this film: only its pictures and their order are signed"
)
_NO_MAC = "00:00:00:00:00:00"


@click.command()
@click.option("--from", "from_ns", type=Instant(), required=True, help="first instant: RFC 3339, or as on the picture")
@click.option("--to", "to_ns", type=Instant(), required=True, help="last instant: RFC 3339, or as on the picture")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE", help="the film to write (.mp4)"
)
@click.option("--operator", type=EntryText(), required=True, help="who exports")
@click.option("--reference", type=EntryText(SHORTEST_REFERENCE), required=True, help="why: the requisition or file number")
@config_option
@json_option
def command(config_path: Path, from_ns: int, to_ns: int, out: Path, operator: str, reference: str, *, as_json: bool) -> None:
    """Export a span as one MP4, cut on GOPs around it. The daemon keeps recording."""
    if out.suffix.lower() != ".mp4":
        raise click.UsageError(say("{out}: the film must be called .mp4; the sheet takes the same name with .html", out=out))
    node = NodeFiles.of(config_path)
    catalog = node.catalog()
    unnamed = unnamed_place(node.config)
    found = parts(catalog, ExcerptRequest(from_ns, to_ns, operator, reference), unnamed)
    names = [out] if len(found) == 1 else [out.with_stem(f"{out.stem}-{number}") for number in range(1, len(found) + 1)]
    signer, anchors = _identity(node)
    films: list[Exported] = []
    with tidy_end(), _bar(quiet=as_json) as bar:
        for part, name in zip(found, names, strict=True):
            task = bar.add_task("export", total=None)
            progress = partial(_tell_progress, bar, task)
            origin = origin_of(node.config, part.place)
            exporting = _exporting(node, OfOnePlace(catalog, part.place, unnamed), origin, signer, anchors, progress)
            films.append(exporting.write(part.request, name))
    if as_json:
        print_json(_document(films[0]) if len(films) == 1 else {"films": [_document(film) for film in films]})
        return
    if len(films) > 1:
        tell(many("the span is of 1 place", "the span is of {number} places, each a film of its own", len(films)))
    for film in films:
        _tell(film)


def _tell_progress(bar: Progress, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _exporting(
    node: NodeFiles,
    footage: Footage,
    origin: FilmPlace | None,
    signer: NodeSigner | None,
    anchors: CertificateChain | None,
    progress: Callable[[int, int], None],
) -> Export:
    settings = node.config.node
    site = origin.site if origin is not None and origin.site else settings.id
    unit = ExportedCamera(settings.id, f"urn:vigie:{settings.id}", _mac())
    camera = ExportedCamera(site, f"urn:vigie:{settings.id}", _mac(), "1")
    place = None
    if origin is not None and origin.latitude is not None and origin.longitude is not None:
        place = CameraPlace(site, origin.latitude, origin.longitude)
    return Export(
        footage,
        node.register(),
        node.clock,
        provenance=lambda request, at_ns: Provenance(unit, camera, at_ns, request.operator),
        sheet=ConformitySheet(ZoneInfo(node.config.encoding.time_zone)),
        place=place,
        origin=origin,
        signer=signer,
        anchors=anchors,
        progress=progress,
    )


def _identity(node: NodeFiles) -> tuple[NodeSigner | None, CertificateChain | None]:
    """Key and CA as far as this user may read them: without the key the film gets no seal, and says so."""
    identity = node.identity()
    signer, anchors = None, None
    try:
        anchors = identity.anchors()
        signer = identity.load()
    except (EvidenceError, OSError) as error:
        tell(
            say(
                "vigie: the export is not sealed: {error}",
                error=error.text(for_reader) if isinstance(error, EvidenceError) else error,
            ),
            err=True,
        )
        tell(say("vigie: {unproved}", unproved=UNPROVED), err=True)
    if signer is not None and (other := misnamed(signer.chain.leaf, node.config.node.id)) is not None:
        tell(say("vigie: the sheet will show two names: {what}; {remedy}", what=other.what, remedy=other.remedy), err=True)
    return signer, anchors


def _bar(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    errors = Console(stderr=True)
    return Progress(*columns, console=errors, disable=quiet or not errors.is_terminal)


def _mac() -> str:
    """The address of the first network interface that has one; empty where none has."""
    for address in sorted(_INTERFACES.glob("*/address")):
        try:
            found = address.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found and found != _NO_MAC:
            return found
    return ""


def _document(exported: Exported) -> dict[str, object]:
    contents = exported.contents
    return {
        "film": str(exported.film),
        "sheet": str(exported.sheet),
        "sha256": exported.sha256,
        "bytes": exported.bytes,
        "sealed": exported.sealed,
        "from": rfc3339(contents.from_ns),
        "to": rfc3339(contents.to_ns),
        "pictures": contents.pictures,
        "segments": contents.segments,
        "clock": sorted(contents.clocks),
        "absences": [{"from": rfc3339(a.from_ns), "to": rfc3339(a.to_ns), "why": a.why} for a in contents.absences],
        "verdict": exported.report.verdict.value if exported.report else None,
        "place": exported.origin.site if exported.origin else "",
        "deployment": exported.origin.deployment if exported.origin else "",
        "authorisation": exported.origin.authorisation if exported.origin else "",
        "version": __version__,
    }


def _tell(exported: Exported) -> None:
    contents = exported.contents
    tell(
        say(
            "{film}: {begins} to {ends}, {pictures} pictures",
            film=exported.film,
            begins=moment(contents.from_ns),
            ends=moment(contents.to_ns),
            pictures=contents.pictures,
        )
    )
    tell(say("{sheet}: the conformity sheet", sheet=exported.sheet))
    tell(f"sha256 {exported.sha256}")
    if exported.report is not None:
        tell(say("verified: {verdict}: {reason}", verdict=VERDICTS[exported.report.verdict], reason=exported.report.reason))
    for absence in contents.absences:
        tell(
            say(
                "vigie: missing {begins} to {ends}: {why}",
                begins=moment(absence.from_ns),
                ends=moment(absence.to_ns),
                why=absence.why,
            ),
            err=True,
        )
