"""What strangers send: no entity is followed, nothing is unbounded, and every answer is a fault in SOAP's words."""

from __future__ import annotations

import logging
import socket
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.onvif.fault import SoapFault
from agent.onvif.markup import el, written
from agent.onvif.soap_request import came_by, read_request
from agent.onvif.soap_server import MOST_CONNECTIONS
from agent.onvif.xml_reading import DEEPEST, MOST_BYTES, MOST_ELEMENTS, NotXml, read_xml
from tests.support.onvif_house import OnvifHouse, soap, username_token

GOOD = soap("device", "GetServices", "<e:IncludeCapability>true</e:IncludeCapability>")
DOCUMENT_TYPES = [
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a>',
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
    b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/p">%p;]><a/>',
]
TOO_MUCH = [
    b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
    b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
    b"<a>" + b"x" * MOST_BYTES + b"</a>",
]


@pytest.mark.parametrize("data", DOCUMENT_TYPES + TOO_MUCH)
def test_what_could_reach_out_or_swell_is_refused(data: bytes) -> None:
    """Before anything of it is followed."""
    with pytest.raises(NotXml):
        read_xml(data)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """It reads, or says why not."""
    with pytest.raises(SoapFault) as refused:
        read_request(data)
    assert ElementTree.fromstring(f'<x xmlns:s="s">{refused.value.body()}</x>')[0].tag == "{s}Fault"


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_whatever_is_written_can_be_read_again(text: str) -> None:
    """The same text, but for what XML cannot hold; no markup comes of it."""
    surrogates_gone = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    root = read_xml(el("a", surrogates_gone, attr={"b": surrogates_gone}).encode()) if len(text) < 5000 else None
    if root is not None:
        assert root.children == []
        assert root.text == root.attributes["b"]
        assert len(root.text) == len(surrogates_gone)
    assert "<" not in written(text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_door_answers_everything_with_a_fault_at_worst(
    house: OnvifHouse, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    """Good requests with bytes changed, left out and put in: an answer in XML, below 500 unless the standard asks for it."""
    caplog.set_level(logging.INFO)
    good = data.draw(st.sampled_from([GOOD, soap("event", "CreatePullPointSubscription", header=username_token(house.secret))]))
    broken = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    answer = house.post(bytes(broken))
    assert ElementTree.fromstring(answer.body).tag.endswith("Envelope")
    assert answer.status in (200, 400, 401) or "ActionNotSupported" in answer.text or "pull points" in answer.text
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "no XML"),
        (b"x" * (MOST_BYTES + 10), 413, "are not read"),
        (GOOD.replace(b"2003/05", b"2099/01"), 400, "no request"),
        (GOOD.replace(b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/"), 400, "1.1"),
        (soap("device", "SetSystemDateAndTime"), 500, "ActionNotSupported"),
        (soap("device", "SystemReboot"), 500, "ActionNotSupported"),
        (soap("subscription", "Subscribe"), 500, "ActionNotSupported"),
    ],
)
def test_each_refusal_says_what_is_wrong(house: OnvifHouse, body: bytes, status: int, words: str) -> None:
    """In a fault, whatever HTTP says."""
    answer = house.post(body)
    assert (answer.status, words in answer.text) == (status, True), answer.text
    assert answer.says("Text")


@pytest.mark.parametrize(
    ("host", "host_told", "port_told"),
    [
        ("10.1.2.3:9000", "10.1.2.3", 9000),
        ("pole-7.example", "pole-7.example", 80),
        ("192.0.2.7", "192.0.2.7", 8000),
        ("[2001:db8::1]:81", "[2001:db8::1]", 81),
        ("", "192.0.2.7", 8000),
        ("evil/..:80", "192.0.2.7", 8000),
        ('a"><b', "192.0.2.7", 8000),
        ("10.1.2.3:99999", "192.0.2.7", 8000),
    ],
)
def test_addresses_name_the_one_that_the_client_came_by(host: str, host_told: str, port_told: int) -> None:
    """What it wrote, where that is an address; else where it came to."""
    at = came_by(host, ("192.0.2.7", 8000))
    assert (at.host, at.port) == (host_told, port_told)


def test_every_address_in_an_answer_is_that_one(fresh: OnvifHouse) -> None:
    """Services, stream, snapshot and pull point, behind a translated address; no secret in any."""
    told = ""
    for service, name, inner in (
        ("device", "GetServices", "<e:IncludeCapability>true</e:IncludeCapability>"),
        ("device", "GetCapabilities", "<e:Category>All</e:Category>"),
        ("media", "GetStreamUri", "<e:ProfileToken>main</e:ProfileToken>"),
        ("media2", "GetSnapshotUri", "<e:ProfileToken>main</e:ProfileToken>"),
        ("event", "CreatePullPointSubscription", ""),
    ):
        body = soap(service, name, inner, username_token(fresh.secret))
        answer = fresh.post(body, {"Host": "cam.town.example:8088"})
        assert answer.status == 200, answer.text
        told += " ".join([*answer.says("XAddr"), *answer.says("Uri"), *answer.says("Address")]) + " "
    addresses = told.split()
    assert len(addresses) == 4 + 3 + 1 + 1 + 1
    assert {address.partition("://")[2].partition("/")[0] for address in addresses} == {
        "cam.town.example:8088",
        "cam.town.example:8554",
    }
    assert fresh.secret.password not in told


def test_who_drips_a_request_keeps_nobody_out(tmp_path: Path) -> None:
    """Places are given to whole requests: with every one of them taken by half a request, the next client is answered."""
    with OnvifHouse(tmp_path) as house, ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=60))
            line.sendall(
                b"POST /onvif/device_service HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 900\r\n\r\n<s:E"
            )
            assert line.recv(100).startswith(b"HTTP/1.1 100"), "the server waits for the rest of it"
        assert house.ask("device", "GetSystemDateAndTime", token="").status == 200
