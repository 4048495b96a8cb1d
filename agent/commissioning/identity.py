"""The node's identity and its register: what makes a film count as evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from agent.base.errors import EvidenceError
from agent.commissioning.certificate import days_left
from agent.commissioning.line import Line, Metric, fail, left_open, ok, warn
from agent.config.model import Config
from agent.identity.certificates import CertificateChain, common_name, key_digest, verify_signature
from agent.identity.name import misnamed
from agent.identity.node_key import IdentityDirectory
from agent.identity.own_authority import is_own
from agent.journal.verdict import Flaw, Trust, verify

SOON_DAYS = 30
_RENEW = "`sudo vigie identity csr --out FILE`, have it signed, then `sudo vigie identity install FILE`"


def judge_identity(config: Config, identity: IdentityDirectory, now: datetime) -> Iterator[Line]:
    """The key and the certificates, and whether films are signed with them."""
    if not config.evidence.sign:
        yield warn("signing", "switched off: films prove nothing by themselves", "set [evidence] sign = true")
    if identity.is_new and not _has_lived(config):
        yield left_open("identity", "none yet: the first validation or the first start makes the key")
        return
    try:
        chain = identity.load().chain
    except EvidenceError as error:
        yield fail("identity", error.what, error.remedy or "`sudo vigie identity init`")
        return
    leaf = chain.leaf
    name, left = common_name(leaf), days_left(leaf, now)
    until = leaf.not_valid_after_utc.date().isoformat()
    metrics: dict[str, Metric] = {"name": name, "key": key_digest(leaf), "days_left": left, "until": until}
    said = f"{name}, key {key_digest(leaf)[:16]}…"
    if (other := misnamed(leaf, config.node.id)) is not None:
        yield fail("identity", other.what, other.remedy, **metrics)
    elif leaf.not_valid_before_utc > now:
        yield fail(
            "identity",
            f"{said}: valid only from {leaf.not_valid_before_utc.date()} on",
            "`timedatectl` shows this node's clock: set it right",
            **metrics,
        )
    elif left < 0:
        yield fail(
            "identity",
            f"{said}: expired {-left} days ago",
            _RENEW,
            **metrics,
        )
    elif left < SOON_DAYS:
        yield warn(
            "identity",
            f"{said}: expires in {left} days",
            _RENEW,
            **metrics,
        )
    elif is_own(leaf):
        yield warn(
            "identity",
            f"{said}: by an authority of its own, nobody else vouches for it",
            _RENEW,
            **metrics,
        )
    else:
        yield ok("identity", f"{said}, issued by {leaf.issuer.rfc4514_string()}, until {until}", **metrics)


def judge_register(path: Path, chain: CertificateChain | None) -> Line:
    """Whether the register of access and destruction is whole, in order, and signed by this node."""
    if not path.exists() and not path.with_suffix(".head").exists():
        return left_open("register", "none yet: it begins with the first recording", lines=0)
    leaf = chain.leaf if chain else None

    def check(key_id: str, data: bytes, signature: bytes) -> bool | None:
        return verify_signature(leaf, data, signature) if leaf is not None and key_id == key_digest(leaf) else None

    try:
        verdict = verify(path, Trust(check, common_name(leaf)) if leaf is not None else None)
    except OSError as error:
        return fail(
            "register",
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}",
            "`sudo vigie doctor`"
            if isinstance(error, PermissionError)
            else "`sudo dmesg | tail -n 20` shows whether the disk fails",
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
            f"line {first.line}: {first.what}",
            "`sudo vigie register --verify` lists all: show it to whoever answers for it",
            **metrics,
        )
    if verdict.signed_through < verdict.lines:
        unsigned = verdict.lines - verdict.signed_through
        return warn(
            "register",
            f"{verdict.lines} lines, whole; nothing vouches for the last {unsigned}",
            "`sudo systemctl start vigie.target`: the daemon signs what a command without its key wrote",
            **metrics,
        )
    return ok("register", f"{verdict.lines} lines, whole, in order and signed", **metrics)


def _has_lived(config: Config) -> bool:
    """Whether this node has a past that its key signed: then a missing key is a lost one."""
    path = config.node.state_dir / "register.jsonl"
    return path.exists() or path.with_suffix(".head").exists()
