"""`vigie identity`: the node's signing and TLS key, its certificate request and chain."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from agent.base.clock import SystemClock
from agent.base.language import for_reader
from agent.base.output_file import Output
from agent.base.phrase import instant, say
from agent.cli._manners import Group
from agent.cli._options import config_option, json_option, print_json
from agent.cli._speech import tell
from agent.config.load import load
from agent.identity.certificates import CertificateChain, common_name, read_chain
from agent.identity.node_key import IdentityDirectory
from agent.identity.own_authority import is_own


@click.group(cls=Group)
def command() -> None:
    """The key that signs this node's recordings, and who vouches for it."""


@command.command()
@config_option
@click.option("--if-missing", is_flag=True, help="succeed without doing anything when there is an identity already")
def init(config_path: Path, *, if_missing: bool) -> None:
    """Make the key, and a certificate by an authority of the node's own. The key never leaves the node."""
    directory, node_id = _identity(config_path)
    if if_missing and directory.exists() and directory.chain_path.exists():
        directory.carry_over(node_id)
        return
    signer = directory.init(node_id)
    tell(
        say(
            "{key_path}: key of {node_id} made, SHA-256 {key_digest}",
            key_path=directory.key_path,
            node_id=node_id,
            key_digest=signer.chain.key_digest,
        )
    )
    tell(
        say(
            "{ca_path}: hand this to whoever verifies films, or have the town's CA sign `vigie identity csr`",
            ca_path=directory.ca_path,
        )
    )


@command.command()
@config_option
def rename(config_path: Path) -> None:
    """Bear the name that the configuration has today: the same key, a new certificate. Films of before stay verifiable.

    For a node whose [node] id was changed after its key was made. One that a town's CA vouches for is refused: see csr and
    install.
    """
    directory, node_id = _identity(config_path)
    before = common_name(directory.load().chain.leaf)
    directory.rename(node_id)
    if before == node_id:
        tell(say("{chain_path}: the certificate is that of {node_id} already", chain_path=directory.chain_path, node_id=node_id))
        return
    tell(
        say(
            "{chain_path}: {before} signs as {node_id} from the next start on: sudo systemctl restart vigie",
            chain_path=directory.chain_path,
            before=before,
            node_id=node_id,
        )
    )
    tell(
        say(
            "{ca_path}: hand this to whoever verifies films; it serves for those of {before} as well",
            ca_path=directory.ca_path,
            before=before,
        )
    )


@command.command()
@config_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="write to this file instead of standard output")
def csr(config_path: Path, out: Path | None) -> None:
    """A certificate request for the town's CA."""
    file = None if out is None else Output(out, b"-----BEGIN CERTIFICATE REQUEST-----")
    directory, node_id = _identity(config_path)
    request = directory.certificate_request(node_id)
    if file is None:
        click.echo(request.decode("ascii"), nl=False)
        return
    file.write(request)


@command.command()
@config_option
@click.argument("chain", type=click.Path(path_type=Path), metavar="CHAIN")
@click.option("--ca", type=click.Path(path_type=Path), metavar="PEM", help="the CA; default: the last certificate of CHAIN")
def install(config_path: Path, chain: Path, ca: Path | None) -> None:
    """Take the chain the town's CA issued: leaf first. Refused, with nothing changed, unless it fits key, name and CA."""
    directory, node_id = _identity(config_path)
    issued = read_chain(chain)
    if ca is None and len(issued.certificates) < 2:
        raise click.UsageError(say("{chain} holds the node's certificate alone: name the CA with --ca PEM", chain=chain))
    anchor = read_chain(ca) if ca is not None else CertificateChain(issued.certificates[-1:])
    directory.install(issued, anchor, node_id, SystemClock())
    tell(
        say(
            "{node_id}: vouched for by {common_name}; takes effect when the daemon starts next",
            node_id=node_id,
            common_name=common_name(anchor.leaf),
        )
    )


@command.command()
@config_option
@json_option
def show(config_path: Path, *, as_json: bool) -> None:
    """Key, certificates and validity."""
    directory, node_id = _identity(config_path)
    chain = directory.load().chain
    ca = read_chain(directory.ca_path)
    leaf = chain.leaf
    document = {
        "node": node_id,
        "key_sha256": chain.key_digest,
        "key_from": say("systemd credential") if directory.key_path.parent == directory.credentials else str(directory.key_path),
        "subject": leaf.subject.rfc4514_string(),
        "issuer": leaf.issuer.rfc4514_string(),
        "self_signed": is_own(leaf),
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": leaf.not_valid_after_utc.isoformat(),
        "chain": [common_name(each) for each in chain.certificates],
        "ca": [common_name(each) for each in ca.certificates],
        "ca_file": str(directory.ca_path),
    }
    if as_json:
        print_json(document)
        return
    told = [(for_reader(_NAMES[key]), for_reader(_fact(value))) for key, value in document.items()]
    width = max(len(name) for name, _ in told)
    for name, fact in told:
        tell(f"{name:<{width}}  {fact}")


def _fact(value: object) -> str:
    """A fact as a person reads it."""
    match value:
        case bool():
            return say("yes") if value else say("no")
        case list():
            return ", ".join(map(str, value))
        case str():
            return instant(value)
        case _:
            return str(value)


_NAMES: Final = {
    "node": say("node"),
    "key_sha256": say("SHA-256 of the key"),
    "key_from": say("key from"),
    "subject": say("holder"),
    "issuer": say("issuer"),
    "self_signed": say("vouches for itself"),
    "not_before": say("valid from"),
    "not_after": say("valid until"),
    "chain": say("chain"),
    "ca": say("authority"),
    "ca_file": say("file of the authority"),
}
"""What `show` calls the facts of its document."""


def _identity(config_path: Path) -> tuple[IdentityDirectory, str]:
    config = load(config_path)
    return IdentityDirectory.here(config.identity_dir), config.node.id
