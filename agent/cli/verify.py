"""`vigie verify FILE --ca PEM`: is this film authentic, whole and in order?"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import Progress
from rich.table import Column, Table

from agent.base.clock import rfc3339
from agent.base.errors import EvidenceError
from agent.base.tidy_end import tidy_end
from agent.cli._legible import legible
from agent.cli._options import json_option, print_json
from agent.evidence.extraction import extract
from agent.evidence.report import Report, State, Verdict
from agent.evidence.verification import judge_film
from agent.identity.certificates import read_chain

_COLOURS = {State.AUTHENTIC: "green", State.CHANGED: "red", State.MISSING: "yellow", State.PENDING: "yellow"}
_MAX_SPANS_SHOWN = 40
_PIPED_COLUMNS = 160


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
            raise EvidenceError(f"{film}: {report.verdict.value}: no signature is trusted, and nothing is extracted")
        with tidy_end():
            extracted = extract(film, judged.verified, out)
    if as_json:
        written = {"film": str(out), "pictures": extracted.pictures, "sha256": extracted.sha256} if extracted else None
        print_json({"film": str(film), **report.as_dict(), "extracted": written})
    else:
        _show(Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _PIPED_COLUMNS), film, report)
        if extracted is not None:
            click.echo(f"extracted {extracted.pictures} verified pictures to {legible(str(out))}, sha256 {extracted.sha256}")
    ctx.exit(report.verdict.exit_code)


def _show(console: Console, film: Path, report: Report) -> None:
    console.print(f"{escape(str(film))}: [bold]{report.verdict.value}[/bold]: {escape(report.reason)}")
    if report.signer:
        trust = "trusted" if report.chain_trusted else "not trusted"
        console.print(f"signed by {escape(report.signer)} ({trust}), key {(report.key_digest or '')[:16]}")
    if report.from_ns is not None and report.to_ns is not None:
        console.print(f"recorded  {rfc3339(report.from_ns)} to {rfc3339(report.to_ns)}, by the node's clock")
    console.print(
        f"pictures  {report.authentic} of {report.pictures} authentic, {report.changed} not authentic, "
        f"{report.pending} without signature; {report.missing_units} units missing",
    )
    if report.seal is not None:
        error = escape(report.seal.error)
        held = {True: "[green]intact[/]", False: f"[red]{error}[/]", None: "[yellow]none[/]"}[report.seal.intact]
        by = f"{report.seal.operator} on {report.seal.unit}"
        console.print(f"exported  {rfc3339(report.seal.exported_ns)} by {escape(by)}; seal: {held}")
    if report.verdict is Verdict.NOT_SIGNED and not report.is_sealed:
        console.print("seal      none: nothing in this film is signed, so nothing of it is proved by the film itself")
    elif not report.is_sealed:
        console.print("seal      none: no signature covers the times, the gaps and the track, only the pictures and their order")
    if report.spans:
        table = Table("pictures", "state", *(Column(name, overflow="fold") for name in ("from (UTC)", "to (UTC)", "why")))
        for span in report.spans[:_MAX_SPANS_SHOWN]:
            where = f"before {span.first}" if span.state is State.MISSING else f"{span.first}-{span.last}"
            times = ("" if at is None else rfc3339(at) for at in (span.from_ns, span.to_ns))
            table.add_row(where, f"[{_COLOURS[span.state]}]{span.state.value}[/]", *times, escape(span.why))
        console.print(table)
        if len(report.spans) > _MAX_SPANS_SHOWN:
            console.print(f"and {len(report.spans) - _MAX_SPANS_SHOWN} more spans: --json lists them all")
    for oddity in report.oddities:
        console.print(f"odd: {escape(oddity)}")
    for note in report.notes:
        console.print(f"note: {escape(note)}")
