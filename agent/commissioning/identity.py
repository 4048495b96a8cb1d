"""The node's identity and its register: what makes a film count as evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from agent.base.errors import EvidenceError
from agent.base.phrase import many, say
from agent.base.process_exit import why_refused
from agent.commissioning.certificate import days_left
from agent.commissioning.line import Line, Metric, fail, left_open, ok, warn
from agent.config.model import Config
from agent.identity.certificates import CertificateChain, common_name, key_digest, verify_signature
from agent.identity.name import misnamed
from agent.identity.node_key import IdentityDirectory
from agent.identity.own_authority import is_own
from agent.journal.register import is_signed
from agent.journal.verdict import Flaw, Trust, verify

SOON_DAYS = 30
_RENEW = say("`sudo vigie identity csr --out FILE`, have it signed, then `sudo vigie identity install FILE`")


def judge_identity(config: Config, identity: IdentityDirectory, now: datetime) -> Iterator[Line]:
    """The key and the certificates, and whether films are signed with them."""
    if not config.evidence.sign:
        yield warn("signing", say("switched off: films prove nothing by themselves"), say("set [evidence] sign = true"))
    if identity.is_new and not _has_lived(config):
        yield left_open("identity", say("none yet: the first validation or the first start makes the key"))
        return
    try:
        chain = identity.load().chain
    except EvidenceError as error:
        what, remedy = error.said
        yield fail("identity", what, remedy or say("`sudo vigie identity init`"))
        return
    leaf = chain.leaf
    name, left = common_name(leaf), days_left(leaf, now)
    until = leaf.not_valid_after_utc.date().isoformat()
    metrics: dict[str, Metric] = {"name": name, "key": key_digest(leaf), "days_left": left, "until": until}
    said = say("{name}, key {key_digest}…", name=name, key_digest=key_digest(leaf)[:16])
    if (other := misnamed(leaf, config.node.id)) is not None:
        yield fail("identity", other.what, other.remedy, **metrics)
    elif leaf.not_valid_before_utc > now:
        yield fail(
            "identity",
            say("{said}: valid only from {date} on", said=said, date=leaf.not_valid_before_utc.date()),
            say("`timedatectl` shows this node's clock: set it right"),
            **metrics,
        )
    elif left < 0:
        yield fail(
            "identity",
            say("{said}: expired {days} days ago", said=said, days=-left),
            _RENEW,
            **metrics,
        )
    elif left < SOON_DAYS:
        yield warn(
            "identity",
            say("{said}: expires in {left} days", said=said, left=left),
            _RENEW,
            **metrics,
        )
    elif is_own(leaf):
        yield warn(
            "identity",
            say("{said}: by an authority of its own, nobody else vouches for it", said=said),
            _RENEW,
            **metrics,
        )
    else:
        yield ok(
            "identity",
            say(
                "{said}, issued by {issuer}, until {until}",
                said=said,
                issuer=leaf.issuer.rfc4514_string(),
                until=until,
            ),
            **metrics,
        )


def judge_register(path: Path, chain: CertificateChain | None) -> Line:
    """Whether the register of access and destruction is whole, in order, and signed by this node."""
    if not path.exists() and not path.with_suffix(".head").exists():
        return left_open("register", say("none yet: it begins with the first recording"), lines=0)
    leaf = chain.leaf if chain else None

    def check(key_id: str, data: bytes, signature: bytes) -> bool | None:
        return verify_signature(leaf, data, signature) if leaf is not None and key_id == key_digest(leaf) else None

    try:
        verdict = verify(path, Trust(check, common_name(leaf)) if leaf is not None else None)
    except OSError as error:
        return fail(
            "register",
            say("{path} cannot be read: {why}", path=path, why=why_refused(error)),
            say("`sudo vigie doctor`")
            if isinstance(error, PermissionError)
            else say("`sudo dmesg | tail -n 20` shows whether the disk fails"),
        )
    metrics: dict[str, Metric] = {
        "lines": verdict.lines,
        "signed_through": verdict.signed_through,
        "findings": len(verdict.findings),
    }
    tail = len(verdict.findings) == 1 and verdict.findings[0].flaw is Flaw.UNSIGNED and verdict.findings[0].line > 1
    if not verdict.whole and not tail:
        first = verdict.findings[0]
        return fail(
            "register",
            say("line {line}: {what}", line=first.line, what=first.what),
            say("`sudo vigie register --verify` lists all: show it to whoever answers for it"),
            **metrics,
        )
    lines = many("1 line", "{number} lines", verdict.lines)
    if chain is None and _waits_for_its_key(path):
        waits = say("{lines}, whole; the first validation or the first start signs it", lines=lines)
        return left_open("register", waits, lines=verdict.lines)
    if verdict.signed_through < verdict.lines:
        unsigned = verdict.lines - verdict.signed_through
        return warn(
            "register",
            say("{lines}, whole; nothing vouches for the last {unsigned}", lines=lines, unsigned=unsigned),
            say("`sudo systemctl start vigie.target`: the daemon signs what a command without its key wrote"),
            **metrics,
        )
    return ok("register", say("{lines}, whole, in order and signed", lines=lines), **metrics)


def _has_lived(config: Config) -> bool:
    """Whether this node has a past that its key signed: then a missing key is a lost one.

    `vigie masks show` before the first validation leaves a register without a signature: that is no such past.
    """
    path = config.node.state_dir / "register.jsonl"
    return (path.exists() or path.with_suffix(".head").exists()) and not _waits_for_its_key(path)


def _waits_for_its_key(path: Path) -> bool:
    """Whether the register has begun, and not one of its lines is signed yet. What cannot be read is no beginning."""
    try:
        with path.open("rb") as lines:
            first = lines.readline()
            return first.startswith(b'{"n":1,') and not is_signed(first) and not any(is_signed(line) for line in lines)
    except OSError:
        return False
