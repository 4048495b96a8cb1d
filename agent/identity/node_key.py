"""The node's identity: one EC P-256 key that never leaves the node, and the certificates that vouch for it.

identity/key.pem     0600, made once, never overwritten; or the systemd credential `identity-key`
identity/chain.pem   leaf first, without the CA (by an authority of the node's own until the town's CA has signed)
identity/ca.pem      what `vigie verify --ca` takes
identity/earlier.pem the authorities before it: what was recorded under them is still checked by them at an export
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from msgspec import Struct

from agent.base.clock import Clock
from agent.base.durable_file import Temporary, replace_durably, sync_directory, write_durably
from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.base.regular_file import open_regular
from agent.base.system_words import system_words
from agent.identity import own_authority
from agent.identity.certificates import CertificateChain, common_name, key_digest, read_chain, verify_signature
from agent.identity.ecdsa import Ecdsa
from agent.identity.fitting import belongs, must_fit
from agent.identity.name import misnamed

log = logging.getLogger(__name__)

CREDENTIAL = "identity-key"
_KEY, _CHAIN, _CA, _EARLIER = "key.pem", "chain.pem", "ca.pem", "earlier.pem"
_MOST_EARLIER = 8
_MAX_KEY_BYTES = 16 * 1024
_LOST_KEY = say(
    "put the key back from where it was kept. If it is lost, move the identity directory away (its certificates still verify old "
    "films) and run `vigie identity init`. With [evidence] sign = false the node records without it"
)


class NodeSigner:
    """The `Signer` whose key lies in a file of the node. Any thread."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, chain: CertificateChain) -> None:
        self._key = key
        self._chain = chain

    def sign(self, data: bytes) -> bytes:
        """ECDSA over P-256 with SHA-256 of `data`, in DER."""
        return self._key.sign(data, Ecdsa(hashes.SHA256()))

    @property
    def key_id(self) -> str:
        """Names the key to whoever verifies: hex of the SHA-256 of its public part."""
        return key_digest(self._chain.leaf)

    def sign_digest(self, digest: bytes) -> bytes:
        """The same for data of which only the SHA-256 is at hand."""
        return self._key.sign(digest, Ecdsa(Prehashed(hashes.SHA256())))

    def verify(self, data: bytes, signature: bytes) -> bool:
        """True when this node's key made `signature` over `data`."""
        return verify_signature(self._chain.leaf, data, signature)

    @property
    def chain_pem(self) -> bytes:
        """Leaf first, without the CA."""
        return self._chain.pem

    @property
    def chain(self) -> CertificateChain:
        return self._chain


class IdentityDirectory(Struct, frozen=True):
    """The directory that holds key and certificates. `credentials` is systemd's $CREDENTIALS_DIRECTORY, when there is one."""

    path: Path
    credentials: Path | None = None

    @classmethod
    def here(cls, path: Path) -> IdentityDirectory:
        """With the credentials that systemd gave this process, when it gave any."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        return cls(path, Path(credentials) if credentials else None)

    @property
    def key_path(self) -> Path:
        """Where the key lies: the credential goes before the file."""
        if self.credentials is not None and (self.credentials / CREDENTIAL).exists():
            return self.credentials / CREDENTIAL
        return self.path / _KEY

    @property
    def chain_path(self) -> Path:
        return self.path / _CHAIN

    @property
    def ca_path(self) -> Path:
        return self.path / _CA

    @property
    def earlier_path(self) -> Path:
        return self.path / _EARLIER

    @property
    def is_new(self) -> bool:
        """Neither a key nor certificates were ever here."""
        return not self.exists() and not self.chain_path.exists()

    def exists(self) -> bool:
        """True when there is a key."""
        return self.key_path.exists()

    def init(self, node_id: str) -> NodeSigner:
        """Make the key and a certificate by an authority of its own. Raises EvidenceError when there is an identity already.

        A key without certificates (a stop in the middle of an earlier `init`, or a credential) gets its certificate.
        """
        if self.exists() and self.chain_path.exists():
            raise EvidenceError(
                say("{path}: there is an identity already", path=self.path),
                remedy=say("keep it: films signed with it need it; `sudo vigie identity show` shows it"),
            )
        self._make_directory()
        if not self.exists():
            self._write_new_key(ec.generate_private_key(ec.SECP256R1()))
        leaf, authority = own_authority.issue(self._load_key().public_key(), node_id)
        _write_whole(self.ca_path, CertificateChain((authority,)).pem)
        _write_whole(self.chain_path, CertificateChain((leaf,)).pem)
        return self.load()

    def carry_over(self, node_id: str) -> NodeSigner:
        """The signer; a node of an earlier release, whose certificate is its own CA, gets an authority first.

        `ca.pem` then holds the new authority and the old certificate, so that films of before verify with it too. A directory
        that cannot be written keeps what it has: such films are signed all the same.
        """
        signer = self.load()
        old = signer.chain.leaf
        if old.issuer != old.subject:
            return signer
        leaf, authority = own_authority.issue(self._load_key().public_key(), node_id)
        try:
            _write_whole(self.ca_path, CertificateChain((authority, old)).pem)
            _write_whole(self.chain_path, CertificateChain((leaf,)).pem)
        except EvidenceError as error:
            log.warning("the certificate stays its own CA, which ONVIF's validator refuses: %s", error)
        return self.load()

    def rename(self, node_id: str) -> NodeSigner:
        """A certificate in the node's present name, for its key. Raises EvidenceError where a town vouches for the old one.

        `ca.pem` then holds the new authority and those of before, so that films signed under the old name verify with it too.
        """
        signer = self.load()
        if (other := misnamed(signer.chain.leaf, node_id)) is None:
            return signer
        if not other.own:
            raise EvidenceError(
                say(
                    "{chain_path}: a CA vouches for {certified!r}, and it alone can for {node_id!r}",
                    chain_path=self.chain_path,
                    certified=other.certified,
                    node_id=node_id,
                ),
                remedy=other.remedy.partition(": ")[2],
            )
        before = signer.chain.leaf
        former = read_chain(self.ca_path).certificates if self.ca_path.exists() else ()
        former = (*former, before) if before.issuer == before.subject and before not in former else former
        leaf, authority = own_authority.issue(self._load_key().public_key(), node_id)
        _write_whole(self.ca_path, CertificateChain((authority, *former[: _MOST_EARLIER - 1])).pem)
        _write_whole(self.chain_path, CertificateChain((leaf,)).pem)
        return self.load()

    def anchors(self) -> CertificateChain:
        """The authorities that vouch for this node's films, whenever they were recorded: the newest first."""
        known = read_chain(self.ca_path).certificates
        earlier = read_chain(self.earlier_path).certificates if self.earlier_path.exists() else ()
        return CertificateChain((*known, *(each for each in earlier if each not in known)))

    def load(self) -> NodeSigner:
        """The signer. Raises EvidenceError with the remedy when key or chain are missing, unfit or not of one another."""
        key = self._load_key()
        if not self.chain_path.exists():
            raise EvidenceError(
                say("{chain_path}: missing", chain_path=self.chain_path),
                remedy=say("`vigie identity init` makes the certificate of an existing key"),
            )
        chain = read_chain(self.chain_path)
        if not belongs(key, chain.leaf):
            raise EvidenceError(
                say(
                    "{chain_path}: the certificate of {name!r} is not that of this node's key",
                    chain_path=self.chain_path,
                    name=common_name(chain.leaf),
                ),
                remedy=say("install the chain that was issued for this node's `vigie identity csr`"),
            )
        return NodeSigner(key, chain)

    def certificate_request(self, node_id: str) -> bytes:
        """A PKCS#10 request for the town's CA, in PEM, signed with the node's key."""
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(own_authority.subject(node_id))
            .add_extension(own_authority.usage(), critical=True)
            .add_extension(own_authority.extended_usage(), critical=False)
            .sign(self._load_key(), hashes.SHA256())
        )
        return request.public_bytes(serialization.Encoding.PEM)

    def install(self, chain: CertificateChain, ca: CertificateChain, node_id: str, clock: Clock) -> NodeSigner:
        """Take the chain that the town's CA issued. Raises EvidenceError, and changes nothing, unless all of it fits."""
        key = self._load_key()
        must_fit(key, chain.leaf, node_id)
        chain.check(ca, clock.wall_ns())
        without_ca = CertificateChain(
            tuple(each for each in chain.certificates if each == chain.leaf or each not in ca.certificates)
        )
        if self.ca_path.exists():
            earlier = [each for each in self.anchors().certificates if each not in ca.certificates]
            _write_whole(self.earlier_path, CertificateChain(tuple(earlier[:_MOST_EARLIER])).pem)
        _write_whole(self.chain_path, without_ca.pem)
        _write_whole(self.ca_path, ca.pem)
        return self.load()

    def _make_directory(self) -> None:
        try:
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            remedy = say("`ls -ld {path}` shows whose it is: this user must be able to write there", path=self.path)
            raise EvidenceError(say("{path}: {why}", path=self.path, why=system_words(error.strerror)), remedy=remedy) from None

    def _write_new_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        target = self.path / _KEY
        try:
            # A link fails when the name is taken: two inits at once end with one key, and never with half a file.
            with Temporary(target, mode=0o600) as temporary:
                write_durably(temporary, pem)
                os.link(temporary, target)
            sync_directory(self.path)
        except FileExistsError:
            remedy = say("keep its key: `vigie identity show` shows it")
            raise EvidenceError(say("{target}: another `init` was faster", target=target), remedy=remedy) from None
        except OSError as error:
            raise EvidenceError(say("{path}: {why}", path=target, why=system_words(error.strerror))) from None

    def _load_key(self) -> ec.EllipticCurvePrivateKey:
        path = self.key_path
        try:
            with open_regular(path) as file:
                mode = os.fstat(file.fileno()).st_mode
                pem = file.read(_MAX_KEY_BYTES)
        except FileNotFoundError:
            raise EvidenceError(
                say("{path}: there is no signing key", path=path), remedy=say("make it with `vigie identity init`")
            ) from None
        except OSError as error:
            raise EvidenceError(say("{path}: {why}", path=path, why=system_words(error.strerror))) from None
        open_to_others = stat.S_IRWXO if path.name == CREDENTIAL else stat.S_IRWXG | stat.S_IRWXO
        if mode & open_to_others:
            raise EvidenceError(
                say("{path}: others may read this key", path=path),
                remedy=say("if nobody has copied it: `sudo chmod 600 {path}`", path=path),
            )
        if not pem.strip(b"\0 \r\n\t"):  # what a power cut or a full disk leaves of a copy
            raise EvidenceError(say("{path}: is empty", path=path), remedy=_LOST_KEY)
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise EvidenceError(say("{path}: holds no unencrypted private key in PEM", path=path), remedy=_LOST_KEY) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise EvidenceError(
                say("{path}: the key is not EC P-256", path=path), remedy=say("make one with `vigie identity init`")
            )
        return key


def _write_whole(path: Path, pem: bytes) -> None:
    try:
        replace_durably(path, pem, mode=0o644)
    except OSError as error:
        raise EvidenceError(say("{path}: {why}", path=path, why=system_words(error.strerror))) from None
