"""`vigie register`: read and check the access and destruction register."""

from __future__ import annotations

import json
from pathlib import Path

import click
from cryptography import x509

from agent.base.errors import EvidenceError, JournalError
from agent.cli._node_files import NodeFiles
from agent.cli._options import config_option, json_option, print_json
from agent.identity.certificates import key_digest, read_chain, verify_signature
from agent.journal.chain import parse
from agent.journal.register import lines
from agent.journal.verdict import Verdict, verify

_NOT_AUTHENTIC = 3


@click.command()
@click.option("--verify", "wants_verify", is_flag=True, help="find every edited, dropped, moved or cut-off line")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="only the last N entries")
@click.option("--file", "path", type=click.Path(path_type=Path), help="a register that was taken off its node")
@click.option(
    "--certificate", type=click.Path(path_type=Path), metavar="PEM", help="of the key that signed; default: the node's own"
)
@config_option
@json_option
def command(
    config_path: Path, *, wants_verify: bool, last: int | None, path: Path | None, certificate: Path | None, as_json: bool
) -> None:
    """The register: recordings begun and ended, footage destroyed, exported, held and released, settings changed."""
    node = None if path is not None and (certificate is not None or not wants_verify) else NodeFiles.of(config_path)
    found = path or (node.register_path if node is not None else Path("register.jsonl"))
    if path is not None and not path.exists():
        raise JournalError(f"{path} does not exist", remedy="Give the path of a register.jsonl, with its register.head beside it")
    if wants_verify:
        _verify(found, _certificates(node, certificate), as_json=as_json)
    else:
        _print(found, last, as_json=as_json)


def _certificates(node: NodeFiles | None, certificate: Path | None) -> list[x509.Certificate]:
    if certificate is not None:
        return list(read_chain(certificate).certificates)
    if node is None or not node.identity().chain_path.exists():
        return []
    try:
        return list(read_chain(node.identity().chain_path).certificates)
    except EvidenceError as error:
        click.echo(f"vigie: {error}", err=True)
        return []


def _verify(path: Path, certificates: list[x509.Certificate], *, as_json: bool) -> None:
    known = {key_digest(each): each for each in certificates}

    def check(key_id: str, data: bytes, signature: bytes) -> bool | None:
        return verify_signature(known[key_id], data, signature) if key_id in known else None

    verdict = verify(path, check)
    if as_json:
        print_json(_fields(path, verdict))
    else:
        _tell(path, verdict)
    if not verdict.whole:
        click.get_current_context().exit(_NOT_AUTHENTIC)


def _tell(path: Path, verdict: Verdict) -> None:
    for finding in verdict.findings:
        click.echo(f"{path}:{finding.line}: {finding.flaw}: {finding.what}")
    if not verdict.whole:
        flaws = "1 finding" if len(verdict.findings) == 1 else f"{len(verdict.findings)} findings"
        click.echo(f"{path}: {verdict.lines} lines, {flaws}: this register was changed or damaged, and proves nothing as a whole")
        return
    click.echo(f"{path}: {verdict.lines} lines, whole and in order")
    click.echo(_signed(verdict))


def _signed(verdict: Verdict) -> str:
    if verdict.signed_through == verdict.lines and verdict.lines:
        return "signed to the last line"
    if verdict.signed_through:
        return (
            f"signed up to line {verdict.signed_through}; the {verdict.lines - verdict.signed_through} after it are chained only"
        )
    if verdict.unknown_keys:
        return f"signed with a key that is not known here ({', '.join(k[:16] for k in verdict.unknown_keys)}): give --certificate"
    return "not signed: chained only, so that whoever can write the file could have written all of it anew"


def _fields(path: Path, verdict: Verdict) -> dict[str, object]:
    return {
        "file": str(path),
        "whole": verdict.whole,
        "lines": verdict.lines,
        "signed_through": verdict.signed_through,
        "signatures": verdict.signatures,
        "unknown_keys": list(verdict.unknown_keys),
        "findings": [{"line": f.line, "flaw": f.flaw, "what": f.what} for f in verdict.findings],
    }


def _print(path: Path, last: int | None, *, as_json: bool) -> None:
    raws = list(lines(path))
    raws = raws[-last:] if last else raws
    if as_json:
        print_json({"entries": [json.loads(raw) for raw in raws if _readable(raw)]})
        return
    for raw in raws:
        try:
            line = parse(raw)
        except ValueError as error:
            click.echo(f"(unreadable: {error})")
            continue
        told = ", ".join(f"{name} {value}" for name, value in line.facts.items() if value is not None)
        click.echo(f"{line.n:>6} {line.at} {line.act:<21} {line.by}: {told}")


def _readable(raw: bytes) -> bool:
    try:
        parse(raw)
    except ValueError:
        return False
    return True
