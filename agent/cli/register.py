"""`vigie register`: read and check the access and destruction register."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click
from cryptography import x509

from agent.base.errors import ConfigurationError, EvidenceError, RegisterError
from agent.base.language import for_reader
from agent.base.phrase import joined, many, say
from agent.base.process_exit import OUTPUT_REFUSED, why_refused
from agent.cli._legible import legible
from agent.cli._node_files import NodeFiles
from agent.cli._numbers import Whole
from agent.cli._options import config_option, json_option, print_json
from agent.cli._register_words import FLAWS, entry
from agent.cli._speech import tell
from agent.identity.certificates import common_name, is_authority, key_digest, read_chain, verify_signature
from agent.journal.chain import parse
from agent.journal.parts import lines
from agent.journal.verdict import Flaw, RegisterVerdict, Trust, verify

_NOT_AUTHENTIC = 3
_CANNOT_BE_TOLD = 4
_MOST_RUNS = 8


@click.command()
@click.option("--verify", "wants_verify", is_flag=True, help="find every edited, dropped, moved or cut-off line")
@click.option("--last", type=Whole(min=1), metavar="N", help="only the last N entries")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="a register that was taken off its node, with its .head and its parts beside it",
)
@click.option(
    "--certificate",
    "certificates",
    type=click.Path(path_type=Path),
    metavar="PEM",
    multiple=True,
    help="the node's own, identity/chain.pem on it; default: this node's; again for a key the node had before",
)
@config_option
@json_option
def command(
    config_path: Path,
    *,
    wants_verify: bool,
    last: int | None,
    path: Path | None,
    certificates: tuple[Path, ...],
    as_json: bool,
) -> None:
    """The register: recordings, looks and leases, deployments, footage destroyed, exported, held and released, settings changed.

    --verify leaves with 0 when every line is vouched for, 3 when something is wrong, 4 when no certificate of the node is known.
    """
    node = _node(config_path, path) if path is None or (wants_verify and not certificates) else None
    found = path or (node.register_path if node is not None else Path("register.jsonl"))
    if path is not None and not path.exists():
        raise RegisterError(
            say("{path} does not exist", path=path),
            remedy=say("Give the path of a register.jsonl, with its register.head beside it"),
        )
    try:
        if wants_verify:
            leaves = _leaves(node, certificates)
            here = common_name(leaves[0]) if leaves and path is not None and not certificates else ""
            if here and _is_of_another(found, node, leaves[0]):
                leaves = []  # nobody said that it is this node's: who wrote it is for the other's certificate to tell
            _verify(found, leaves, here if not leaves else "", as_json=as_json)
        else:
            _print(found, last, as_json=as_json)
    except OSError as error:
        if error.errno in OUTPUT_REFUSED:  # no reading ends so: it is where stdout goes that is full
            raise
        why = why_refused(error)
        raise RegisterError(
            say("{filename} cannot be read: {why}", filename=error.filename or found, why=why),
            remedy=say("Check its disk and permissions"),
        ) from error


def _node(config_path: Path, path: Path | None) -> NodeFiles | None:
    """Whose files these are; None where no node is configured and a register that was taken off one is to be read."""
    try:
        return NodeFiles.of(config_path)
    except ConfigurationError:
        if path is None:
            raise
        return None


def _leaves(node: NodeFiles | None, given: tuple[Path, ...]) -> list[x509.Certificate]:
    """The certificates whose keys may have signed: the first of each file, which is the node's in a chain."""
    if given:
        return [read_chain(each).leaf for each in given]
    if node is None or not node.identity().chain_path.exists():
        return []
    try:
        return [read_chain(node.identity().chain_path).leaf]
    except EvidenceError as error:
        tell(f"vigie: {error.text(for_reader)}", err=True)
        return []


def _is_of_another(path: Path, node: NodeFiles | None, leaf: x509.Certificate) -> bool:
    """True for a file that was brought here from elsewhere: it does not lie in this node's place, and no line names this node or
    its key."""
    if node is not None and node.register_path.exists() and path.samefile(node.register_path):
        return False
    name, key_id, count = common_name(leaf), key_digest(leaf), 0
    for raw in lines(path):
        count += 1
        with contextlib.suppress(ValueError):
            line = parse(raw)
            if line.node in (name, "") or line.key_id == key_id:
                return False
    return count > 0


def _verify(path: Path, leaves: list[x509.Certificate], here: str, *, as_json: bool) -> None:
    known = {key_digest(each): each for each in leaves}

    def check(key_id: str, data: bytes, signature: bytes) -> bool | None:
        return verify_signature(known[key_id], data, signature) if key_id in known else None

    verdict = verify(path, Trust(check, common_name(leaves[0])) if leaves else None)
    authorities = [common_name(each) for each in leaves if is_authority(each)]
    if authorities and not verdict.signatures:
        # Nodes of an earlier release were their own authority: whose key signed is not told by the certificate alone.
        raise EvidenceError(
            say(
                "the certificate given is that of an authority, {authority!r}, which signs no register",
                authority=authorities[0],
            ),
            remedy=say("give the node's own, which is identity/chain.pem on the node"),
        )
    witness = None if verdict.lines else _witness(path)
    if as_json:
        print_json(_fields(path, verdict) | ({} if witness is None else {"whole": False, "taken_away": True}))
    elif witness is not None:
        tell(
            say(
                "{path}: no line, beside {name}, which a node makes after its first entry: the register was taken away",
                path=path,
                name=witness.name,
            )
        )
    else:
        _tell(path, verdict)
        if here and verdict.nodes:
            names = legible(", ".join(map(repr, verdict.nodes)))
            tell(
                say(
                    "its lines name {names}, and this is {here!r}: give --certificate, that node's identity/chain.pem",
                    names=names,
                    here=here,
                )
            )
    if not verdict.whole or witness is not None:
        click.get_current_context().exit(_NOT_AUTHENTIC)
    if verdict.lines and not leaves:
        click.get_current_context().exit(_CANNOT_BE_TOLD)


def _witness(path: Path) -> Path | None:
    """A file beside an empty register that no node has before its first entry."""
    made = (path.with_name(name) for name in ("register.sent", "catalog.sqlite3", "outbox.sqlite3"))
    return next((each for each in made if each.exists()), None)


def _tell(path: Path, verdict: RegisterVerdict) -> None:
    counted: str = many("1 line", "{number} lines", verdict.lines)
    for finding in verdict.findings:
        tell(joined(": ", (f"{path}:{finding.line}", FLAWS[finding.flaw], finding.what)))
    if not verdict.whole:
        flaws = many("1 finding", "{number} findings", len(verdict.findings))
        told = say("this register was changed or damaged, and proves nothing as a whole")
        if all(finding.flaw is Flaw.HEAD_MISSING for finding in verdict.findings):
            told = say("whole and in order up to its last line, which may not have been its last")
        tell(joined(": ", (str(path), joined(", ", (counted, flaws)), told)))
        return
    if verdict.first > 1:
        counted = say("{counted} from number {first} on", counted=counted, first=verdict.first)
    tell(say("{path}: {counted}, whole and in order", path=path, counted=counted))
    tell(_signed(verdict))


def _signed(verdict: RegisterVerdict) -> str:
    if not verdict.lines:
        return say("nothing was entered yet")
    if verdict.signed_through == verdict.lines:
        covered = (
            say(", of which {covered} by a later line alone: {runs}", covered=verdict.covered, runs=_runs(verdict))
            if verdict.covered
            else ""
        )
        return say("signed to the last line{covered}", covered=covered)
    if verdict.unknown_keys:
        names = ", ".join(key[:16] for key in verdict.unknown_keys)
        return say(
            "who wrote it cannot be told: signed with a key that is not known here ({names}): give --certificate", names=names
        )
    return say("who wrote it cannot be told: not signed, so that whoever can write the file could have written all of it anew")


def _runs(verdict: RegisterVerdict) -> str:
    """Whose acts a reader may want to look at: a program made them that could not read the key."""
    shown = verdict.covered_runs[:_MOST_RUNS]
    words = [
        say("line {first}", first=first) if first == last else say("lines {first} to {last}", first=first, last=last)
        for first, last in shown
    ]
    more = len(verdict.covered_runs) - len(shown)
    return joined(", ", words) + (say(" and {more} more runs, which --json lists", more=more) if more else "")


def _fields(path: Path, verdict: RegisterVerdict) -> dict[str, object]:
    return {
        "file": str(path),
        "whole": verdict.whole,
        "lines": verdict.lines,
        "signed_through": verdict.signed_through,
        "signatures": verdict.signatures,
        "covered": verdict.covered,
        "covered_lines": [list(run) for run in verdict.covered_runs],
        "first": verdict.first,
        "nodes": list(verdict.nodes),
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
            tell(say("(unreadable: {error})", error=error))
            continue
        tell(entry(line))


def _readable(raw: bytes) -> bool:
    try:
        parse(raw)
    except ValueError:
        return False
    return True
