"""Discovery on the loopback: who asks for cameras is told where this one is, nobody else, and not too often."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.onvif.device_service import NodeWords
from agent.onvif.discovery import GROUP, MOST_A_SECOND, PORT
from agent.onvif.probe import DiscoveryWords
from tests.support.onvif_house import OnvifHouse

NODE = NodeWords("pole-7", "place du marché", "1.2.3")
XADDR = "http://192.0.2.7:8000/onvif/device_service"


def probe(types: str = "dn:NetworkVideoTransmitter", scopes: str = "") -> bytes:
    """As clients send it."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header><a:MessageID>uuid:1234</a:MessageID>'
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
        f"<s:Body><d:Probe><d:Types>{types}</d:Types>{scopes}</d:Probe></s:Body></s:Envelope>"
    ).encode()


@pytest.fixture
def line() -> Iterator[socket.socket]:
    """A client's, which also hears what is told to all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind((GROUP, PORT))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
        line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        line.settimeout(60)
        yield line


def heard(line: socket.socket, *words: str) -> bytes:
    """The next message with these words."""
    while True:
        message = line.recv(8192)
        if all(word.encode() in message for word in words):
            return message


def test_it_says_hello_answers_and_says_good_bye(tmp_path: Path, line: socket.socket) -> None:
    """With the address that leads to its services, and to whoever asked alone."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
        OnvifHouse(tmp_path, onvif={"discovery": True}) as house,
    ):
        heard(line, "discovery/Hello", "name/pole-7", f"http://127.0.0.1:{house.port}/onvif/device_service")
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asking.settimeout(60)
        asking.sendto(probe(types="dn:Printer"), (GROUP, PORT))
        asking.sendto(probe(), (GROUP, PORT))
        answer = asking.recv(8192)
        assert b"<a:RelatesTo>uuid:1234</a:RelatesTo>" in answer
        assert f"http://127.0.0.1:{house.port}/onvif/device_service".encode() in answer
        for _ in range(3 * MOST_A_SECOND):
            asking.sendto(probe(), (GROUP, PORT))
        assert house.feature.parts is not None
        discovery = house.feature.parts.discovery
        assert discovery is not None
    heard(line, "discovery/Bye", "urn:uuid:")
    assert discovery._answered <= MOST_A_SECOND


@pytest.mark.parametrize(
    ("asked", "is_meant"),
    [
        (probe(), True),
        (probe(types=""), True),
        (probe(types="tds:Device dn:NetworkVideoTransmitter"), True),
        (probe(types="dn:Printer"), False),
        (probe(scopes="<d:Scopes>onvif://www.onvif.org/name/pole-7</d:Scopes>"), True),
        (probe(scopes="<d:Scopes>onvif://www.onvif.org</d:Scopes>"), True),
        (probe(scopes="<d:Scopes>onvif://www.onvif.org/name/pole-70</d:Scopes>"), False),
        (probe(scopes="<d:Scopes>onvif://www.onvif.org/name/pole</d:Scopes>"), False),
        (probe(scopes='<d:Scopes MatchBy="urn:ldap">onvif://www.onvif.org</d:Scopes>'), False),
        (probe().replace(b"MessageID", b"Other"), False),
        (b"<!DOCTYPE a><a/>", False),
    ],
)
def test_only_a_probe_that_means_this_node_is_answered(asked: bytes, is_meant: bool) -> None:
    """By types and scopes; all else gets silence."""
    assert (DiscoveryWords(NODE, 1).answer(asked, XADDR) is not None) is is_meant


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(max_size=4))
def test_no_datagram_breaks_it(noise: bytes, at: int, put_in: bytes) -> None:
    """Noise, and a probe with bytes changed."""
    words = DiscoveryWords(NODE, 1)
    words.answer(noise, XADDR)
    broken = probe()[:at] + put_in + probe()[at + len(put_in) :]
    answer = words.answer(broken, XADDR)
    assert answer is None or XADDR.encode() in answer


def test_no_profile_is_claimed() -> None:
    """Nobody has certified one."""
    assert not [scope for scope in NODE.scopes if "Profile" in scope]
