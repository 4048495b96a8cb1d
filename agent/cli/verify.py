"""`vigie verify FILE --ca PEM`: is this film authentic, whole and in order?"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import Progress
from rich.table import Column, Table

from agent.base.errors import EvidenceError
from agent.base.language import for_reader
from agent.base.paragraph import UNBROKEN, columns
from agent.base.phrase import many, moment, say
from agent.base.tidy_end import tidy_end
from agent.cli._film_words import STATES, VERDICTS
from agent.cli._legible import legible
from agent.cli._options import json_option, print_json
from agent.cli._speech import tell
from agent.evidence.extraction import extract
from agent.evidence.report import Report, State, Verdict
from agent.evidence.verification import judge_film
from agent.identity.certificates import read_chain

_COLOURS = {State.AUTHENTIC: "green", State.CHANGED: "red", State.MISSING: "yellow", State.PENDING: "yellow"}
_MAX_SPANS_SHOWN = 40


def escape(text: str) -> str:
    """Neither markup nor a control character in it has any effect."""
    return escape_markup(legible(text))


@click.command()
@click.argument("film", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--ca", "ca", type=click.Path(path_type=Path), required=True, metavar="PEM", help="whom to trust: the CA of the node"
)
@click.option("--node", metavar="ID", help="insist on this node: a film of another one does not pass")
@click.option(
    "--extract", "out", type=click.Path(path_type=Path), metavar="OUT", help="write a clean film of the verified pictures alone"
)
@json_option
@click.pass_context
def command(ctx: click.Context, film: Path, ca: Path, node: str | None, out: Path | None, *, as_json: bool) -> None:
    """Check a film's ONVIF Media Signing: exit code 0 authentic, 3 not authentic, 4 cannot be told, 1 no film."""
    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=as_json or not errors.is_terminal) as bar:
        task = bar.add_task("verify", total=None)
        judged = judge_film(film, read_chain(ca), lambda done, total: bar.update(task, completed=done, total=total), node=node)
    report = judged.report
    extracted = None
    if out is not None:
        if not report.chain_trusted or report.verdict is Verdict.NOT_TRUSTED:
            raise EvidenceError(
                say(
                    "{film}: {verdict}: no signature is trusted, and nothing is extracted",
                    film=film,
                    verdict=VERDICTS[report.verdict],
                )
            )
        with tidy_end():
            extracted = extract(film, judged.verified, out)
    if as_json:
        written = {"film": str(out), "pictures": extracted.pictures, "sha256": extracted.sha256} if extracted else None
        print_json({"film": str(film), **report.as_dict(), "extracted": written})
    else:
        _show(Console(soft_wrap=True, highlight=False, width=columns(sys.stdout) or UNBROKEN), film, report)
        if extracted is not None:
            tell(
                say(
                    "extracted {pictures} verified pictures to {out}, sha256 {sha256}",
                    pictures=extracted.pictures,
                    out=legible(str(out)),
                    sha256=extracted.sha256,
                )
            )
    ctx.exit(report.verdict.exit_code)


def _show(console: Console, film: Path, report: Report) -> None:
    def told(words: str) -> None:
        console.print(escape(for_reader(words)))

    verdict, reason = (escape(for_reader(words)) for words in (VERDICTS[report.verdict], report.reason))
    console.print(f"{escape(str(film))}: [bold]{verdict}[/bold]: {reason}")
    if report.signer:
        trust = say("trusted") if report.chain_trusted else say("not trusted")
        key = (report.key_digest or "")[:16]
        told(say("signed by {signer} ({trust}), key {key}", signer=report.signer, trust=trust, key=key))
    if report.from_ns is not None and report.to_ns is not None:
        begins, ends = moment(report.from_ns), moment(report.to_ns)
        told(say("recorded  {begins} to {ends}, by the node's clock", begins=begins, ends=ends))
    told(
        say(
            "pictures  {authentic} of {pictures} authentic, {changed} not authentic, {pending} without signature; {missing}",
            authentic=report.authentic,
            pictures=report.pictures,
            changed=report.changed,
            pending=report.pending,
            missing=many("{number} unit missing", "{number} units missing", report.missing_units),
        )
    )
    if report.seal is not None:
        colour, held = {True: ("green", say("intact")), False: ("red", report.seal.error), None: ("yellow", say("none"))}[
            report.seal.intact
        ]
        seal = report.seal
        exported = say("exported  {at} by {by} on {unit}; seal: ", at=moment(seal.exported_ns), by=seal.operator, unit=seal.unit)
        console.print(f"{escape(for_reader(exported))}[{colour}]{escape(for_reader(held))}[/]")
    if report.verdict is Verdict.NOT_SIGNED and not report.is_sealed:
        told(say("seal      none: nothing in this film is signed, so nothing of it is proved by the film itself"))
    elif not report.is_sealed:
        told(say("seal      none: no signature covers the times, the gaps and the track, only the pictures and their order"))
    if report.spans:
        folding = (say("from (UTC)"), say("to (UTC)"), say("why"))
        table = Table(
            for_reader(say("pictures")),
            for_reader(say("state")),
            *(Column(for_reader(name), overflow="fold") for name in folding),
        )
        for span in report.spans[:_MAX_SPANS_SHOWN]:
            where = say("before {first}", first=span.first) if span.state is State.MISSING else f"{span.first}-{span.last}"
            times = ("" if at is None else for_reader(moment(at)) for at in (span.from_ns, span.to_ns))
            state = f"[{_COLOURS[span.state]}]{for_reader(STATES[span.state])}[/]"
            table.add_row(for_reader(where), state, *times, escape(for_reader(span.why)))
        console.print(table)
        if len(report.spans) > _MAX_SPANS_SHOWN:
            told(say("and {count} more spans: --json lists them all", count=len(report.spans) - _MAX_SPANS_SHOWN))
    for oddity in report.oddities:
        told(say("odd: {what}", what=oddity))
    for note in report.notes:
        told(say("note: {what}", what=note))
