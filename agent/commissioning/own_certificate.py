"""The certificate that a node shows its broker: whose it is, and how long it is good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.commissioning.certificate import days_left
from agent.commissioning.line import Line, fail, ok, warn
from agent.identity.certificates import common_name

SOON_DAYS: Final = 30
ROLES: Final = ("vigie-centre", "vigie-broker")
"""Organisational units of docs/hub/authority.sh that are no node's."""
_CHECK: Final = "own certificate"
_LONGEST_FILE_BYTES: Final = 1 << 20
_OWN: Final = say("name one in [mqtt] cert_file that was made for this node: `authority.sh node`, see docs/hub/README.md")
_RENEW: Final = say("whoever runs the authority renews it: `authority.sh renew`, see docs/hub/README.md")


def judge_own_certificate(path: Path | None, node_id: str, now: datetime) -> Iterator[Line]:
    """Nothing without one, or where it cannot be read: the login says what is wrong with it."""
    if path is None:
        return
    try:
        certificate = x509.load_pem_x509_certificates(read_regular(path, _LONGEST_FILE_BYTES))[0]
    except (OSError, ValueError):
        return
    name, days = common_name(certificate), days_left(certificate, now)
    units = [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)]
    role = next((unit for unit in units if unit in ROLES), None)
    if role is not None:
        yield fail(
            _CHECK,
            say("{path} is of the unit {role}: with it this node is {name} at the broker", path=path, role=role, name=name),
            _OWN,
        )
    elif days < 0:
        yield fail(_CHECK, say("{path} has expired {days} days ago", path=path, days=-days), _RENEW, days_left=days)
    elif name != node_id:
        said = say(
            "{path} is for {name!r}, this node is {node_id!r}: a broker may refuse what it says",
            path=path,
            name=name,
            node_id=node_id,
        )
        yield warn(_CHECK, said, _OWN, days_left=days)
    elif days < SOON_DAYS:
        yield warn(_CHECK, say("{path} expires in {days} days", path=path, days=days), _RENEW, days_left=days)
    else:
        yield ok(_CHECK, say("{path} is this node's, and expires in {days} days", path=path, days=days), days_left=days)
