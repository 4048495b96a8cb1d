"""The broker's lines, against a real mosquitto with real certificates, good and bad."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.base.clock import SystemClock
from agent.board.thresholds import BoardWatch
from agent.commissioning.broker import LogIn, judge_brokers, judge_uplink
from agent.commissioning.broker_trial import LOGIN_PATIENCE_S, BrokerTrial, Trial
from agent.commissioning.line import Grade, Line
from agent.commissioning.trial_topics import trials
from agent.config.model import BoardLimits, Mqtt
from agent.demo.broker import LocalBroker, free_port
from agent.node.wiring import TOPICS
from agent.ports.host import BoardMetrics
from agent.ports.mqtt import Acknowledged, BrokerCredentials, BrokerEndpoint, ConnectOptions, Opened, Publication
from agent.uplink.home_assistant import discovery
from agent.uplink.presence import Identity
from hardware.mqtt_paho import PahoTransport
from tests.support.authority import Authority, Pair
from tests.support.broker import TlsBroker
from tests.support.footage import REPOSITORY
from tests.support.independent_hub import Subscriber

NOW = datetime.now(UTC)


IDENTITY = Identity("pole-17", "vigie", "1.0", "doctor")


def trial(shown: BrokerCredentials | None = None, *, home_assistant: bool = False) -> LogIn:
    """A session of the doctor's, through the node's own driver."""
    announcement = discovery(IDENTITY.topics) if home_assistant else None
    said = list(trials(IDENTITY.topics, TOPICS, SystemClock().wall_ns(), announcement))

    def run(endpoint: BrokerEndpoint, beside: bool) -> Trial:
        tried = BrokerTrial(PahoTransport(shown), IDENTITY, SystemClock(), beside=beside)
        return tried.run(endpoint, said, [IDENTITY.topics.command("ping")])

    return run


def lines(
    url: str, credentials: BrokerCredentials | None = None, now: datetime = NOW, *, beside: bool = False, home: bool = False
) -> list[Line]:
    """What the doctor says of this broker, logging in for real; of topics that are all taken nothing."""
    shown = credentials or BrokerCredentials()
    found = judge_brokers(Mqtt(url=url), shown, trial(shown, home_assistant=home), now, beside=beside)
    return [line for line in found if line.check != "broker topics" or line.grade is not Grade.OK]


def credentials(authority: Authority, client: Pair | None = None) -> BrokerCredentials:
    """A node that trusts this authority."""
    return BrokerCredentials(
        ca_file=authority.ca, cert_file=client.cert if client else None, key_file=client.key if client else None
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The town's CA."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Pair:
    """The node's certificate."""
    return authority.issue("pole-17")


def started(directory: Path, authority: Authority, server: Pair) -> Iterator[TlsBroker]:
    """A broker with this server certificate."""
    with TlsBroker(directory, authority, server) as broker:
        yield broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsBroker]:
    """One whose certificate names it and is good for a day."""
    yield from started(tmp_path_factory.mktemp("broker"), authority, authority.issue("hub", server="127.0.0.1"))


def test_a_broker_that_accepts_this_node(broker: TlsBroker, authority: Authority, client: Pair) -> None:
    """TLS version, who issued the certificate, the days that are left (few: a warning), and the session itself."""
    certificate, session = lines(broker.tls_url, credentials(authority, client))
    assert certificate.grade is Grade.WARN
    assert certificate.metrics["days_left"] in (0, 1)
    assert str(certificate.metrics["tls_version"]).startswith("TLSv1.")
    assert "Test authority" in certificate.measured
    assert session.grade is Grade.OK
    (plain,) = lines(broker.url)
    assert plain.grade is Grade.OK


def test_a_certificate_with_time_left_is_in_order(broker: TlsBroker, authority: Authority, client: Pair) -> None:
    """Seen forty days earlier, the same certificate is no concern."""
    assert lines(broker.tls_url, credentials(authority, client), NOW - timedelta(days=40))[0].grade is Grade.OK


def test_an_unknown_authority_is_named_and_the_certificate_shown(broker: TlsBroker, tmp_path: Path) -> None:
    """The technician learns what the broker shows, and which file must hold its authority."""
    (found,) = lines(broker.tls_url, credentials(Authority(tmp_path, "Another authority")))
    assert found.grade is Grade.FAIL
    assert "CN=hub" in found.measured
    assert "ca_file" in found.remedy


def test_a_missing_client_certificate_is_told(broker: TlsBroker, authority: Authority) -> None:
    """The broker asks for one: in TLS 1.3 that shows only once the session begins."""
    found = lines(broker.tls_url, credentials(authority))
    assert found[-1].grade is Grade.FAIL


def test_an_expired_certificate_and_one_of_another_name(tmp_path: Path, authority: Authority, client: Pair) -> None:
    """Each with its own remedy: renew, or write the name the certificate carries."""
    for server, words, remedy in (
        (authority.issue("old", server="127.0.0.1", expired=True), "expired", "renew it"),
        (authority.issue("other", server="hub.town.example"), "hub.town.example", "name that the certificate carries"),
    ):
        with TlsBroker(tmp_path / server.cert.stem, authority, server) as wrong:
            (found,) = lines(wrong.tls_url, credentials(authority, client))
        assert found.grade is Grade.FAIL
        assert words in found.measured
        assert remedy in found.remedy


def test_a_wrong_password_is_refused_in_words(tmp_path: Path) -> None:
    """The broker's reason, and which keys to look at."""
    (tmp_path / "password").write_text("wrong")
    (tmp_path / "users").write_text("")
    with LocalBroker(tmp_path / "b", settings=f"allow_anonymous false\npassword_file {tmp_path / 'users'}") as strict:
        (found,) = lines(strict.url, BrokerCredentials(username="pole-17", password_file=tmp_path / "password"))
    assert found.grade is Grade.FAIL
    assert found.metrics["code"] in (0x86, 0x87)
    assert "password_file" in found.remedy


def test_a_port_where_nobody_listens_and_a_name_nobody_knows() -> None:
    """No route to a session: each with what to look at first."""
    (closed,) = lines(f"mqtt://127.0.0.1:{free_port()}")
    assert (closed.grade, "nobody listens" in closed.measured) == (Grade.FAIL, True)
    (unknown,) = lines("mqtt://hub.invalid:1883")
    assert (unknown.grade, "not known" in unknown.measured) == (Grade.FAIL, True)


def test_tls_spoken_to_a_plain_port(broker: TlsBroker, authority: Authority, client: Pair) -> None:
    """mqtts:// on 1883 is a common slip."""
    (found,) = lines(f"mqtts://127.0.0.1:{broker.port}", credentials(authority, client))
    assert found.grade is Grade.FAIL
    assert "TLS" in found.measured


def test_mqtt_spoken_to_a_tls_port(broker: TlsBroker) -> None:
    """mqtt:// on 8883 is as common: the doctor says which of the two it is, and the daemon asks."""
    (found,) = lines(broker.tls_url.replace("mqtts://", "mqtt://"))
    assert (found.grade, "speaks TLS" in found.measured, "mqtts://" in found.remedy) == (Grade.FAIL, True, True)


def test_tls_to_a_plain_port_does_not_send_anybody_after_a_certificate(broker: TlsBroker, authority: Authority) -> None:
    """The port answers MQTT without TLS: said, whether or not a client certificate is at hand."""
    (found,) = lines(f"mqtts://127.0.0.1:{broker.port}", credentials(authority))
    assert "without TLS" in found.measured
    assert "certificate" not in found.remedy


def test_a_certificate_with_a_common_name_alone_is_told_as_that(tmp_path: Path, authority: Authority) -> None:
    """The name is right and no longer counts: another url would not help, another certificate does."""
    server = authority.issue("127.0.0.1", server="127.0.0.1", common_name_only=True)
    with TlsBroker(tmp_path, authority, server) as broker:
        (found,) = lines(broker.tls_url, credentials(authority))
    assert "common name alone (127.0.0.1)" in found.remedy
    assert "subjectAltName = IP:127.0.0.1" in found.remedy


def test_a_broker_that_keeps_its_intermediate_to_itself(tmp_path: Path, authority: Authority) -> None:
    """ca_file is right: the broker must send the intermediate's certificate. With it all is well."""
    between = Authority(tmp_path / "between", "Town intermediate", above=authority)
    server = between.issue("hub", server="127.0.0.1")
    with TlsBroker(tmp_path / "alone", authority, server) as broker:
        (found,) = lines(broker.tls_url, credentials(authority))
    assert all(words in found.remedy for words in ("issued by CN=Town intermediate", "CN=Test authority", "must send"))
    server.cert.write_bytes(server.cert.read_bytes() + between.ca.read_bytes())
    with TlsBroker(tmp_path / "whole", authority, server) as broker:
        found, *_ = lines(broker.tls_url, credentials(authority))
    assert found.grade in (Grade.OK, Grade.WARN)


@pytest.mark.parametrize("setting", ["retain_available false", "max_qos 0", "max_packet_size 1200"])
def test_the_doctor_goes_in_as_the_daemon_does(tmp_path: Path, setting: str) -> None:
    """A broker that can less lets both in, on the same terms, and those are told."""
    with LocalBroker(tmp_path, settings=f"allow_anonymous true\n{setting}") as broker:
        (found,) = lines(broker.url)
    assert (found.grade, "accepts this node; the broker" in found.measured) == (Grade.WARN, True)


@pytest.mark.parametrize("queued", [0, 100_000])
def test_the_topic_that_an_access_list_refuses_is_named(tmp_path: Path, queued: int) -> None:
    """Every topic is tried, also where mosquitto ends the connection over a refused one; commands as well."""
    access = tmp_path / "acl"
    access.write_text("topic write vigie/pole-17/#\ntopic read vigie/pole-17/command/+\n")
    settings = f"allow_anonymous true\nmax_queued_messages {queued}\nacl_file {access}"
    with LocalBroker(tmp_path / "b", settings=settings) as broker:
        assert [line.grade for line in lines(broker.url)] == [Grade.OK]
        _, found = lines(broker.url, home=True)
    assert (found.check, found.grade, found.metrics["refused"]) == ("broker topics", Grade.FAIL, 1)
    assert "homeassistant/device/vigie/pole-17/config" in found.measured


def test_the_doctor_leaves_nothing_behind(tmp_path: Path) -> None:
    """No state, no will: what was retained before is what is retained after, and a hub can tell every message for a trial."""
    with LocalBroker(tmp_path) as broker:
        hub = Subscriber(broker.port)
        hub.client.publish("vigie/pole-17/status", b"{}", 1, retain=True)
        for beside in (False, True):
            lines(broker.url, beside=beside, home=True)
        heard = hub.wait_for(lambda heard: len(heard) > 20)
        late = Subscriber(broker.port, "late")
        late.client.publish("end", b"", 1)
        kept = [h.topic for h in late.wait_for(lambda heard: any(h.topic == "end" for h in heard)) if h.retain]
        for subscriber in (hub, late):
            subscriber.close()
    assert kept == ["vigie/pole-17/status"]
    assert all(h.properties.get("trial") == "true" for h in heard[1:])


def test_what_the_daemon_says_of_its_line_comes_first() -> None:
    """Online, online with a word, and not at all: ok, warn, fail; nothing where there is no broker."""
    for uplink, grades in (
        ({"state": "online", "broker": "mqtt://hub", "reason": ""}, [Grade.OK]),
        ({"state": "online", "broker": "mqtt://hub", "reason": "nobody is subscribed"}, [Grade.WARN]),
        ({"state": "offline", "broker": "mqtt://hub", "reason": "nobody listens"}, [Grade.FAIL]),
        ({}, []),
    ):
        assert [line.grade for line in judge_uplink(uplink)] == grades


def test_every_event_that_is_documented_is_tried() -> None:
    """The doctor's list is that of docs/events.md."""
    table = (REPOSITORY / "docs" / "events.md").read_text().splitlines()
    assert {line.split("`")[1] for line in table if line.startswith("| `")} == {topic.name for topic in TOPICS}


def test_what_the_board_says_is_tried_where_it_is_said() -> None:
    """The board's events have sources of their own: an access list that names topics one by one is tried with these."""
    watch = BoardWatch(BoardLimits(), SystemClock())
    said = watch.judge(BoardMetrics(temperature_c=50.0, throttled=False, undervoltage=False))
    tried = {publication.topic for publication in trials(IDENTITY.topics, TOPICS, 0, None)}
    assert len(said) == 4
    assert {IDENTITY.topics.event(event) for event in said} <= tried


def test_a_frozen_broker_does_not_hang_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts the connection and never answers: said in bounded time."""
    monkeypatch.setattr("agent.commissioning.broker_trial.LOGIN_PATIENCE_S", 1.0)
    with LocalBroker(tmp_path) as broker:
        broker.freeze()
        (found,) = lines(broker.url)
    assert found.grade is Grade.FAIL
    assert LOGIN_PATIENCE_S <= 15


def test_certificate_files_that_do_not_serve(broker: TlsBroker, tmp_path: Path, authority: Authority, client: Pair) -> None:
    """A ca_file that is none, and a key that is not that of the certificate."""
    (tmp_path / "none.pem").write_text("not a certificate")
    other = authority.issue("pole-18")
    for shown in (
        BrokerCredentials(ca_file=tmp_path / "none.pem"),
        BrokerCredentials(ca_file=authority.ca, cert_file=client.cert, key_file=other.key),
    ):
        (found,) = lines(broker.tls_url, shown)
        assert found.grade is Grade.FAIL
        assert "do not serve" in found.measured
        assert "Errno" not in found.measured


def test_no_broker_is_a_warning_and_fallbacks_are_looked_at(tmp_path: Path) -> None:
    """Each broker of the list has its own lines."""
    assert [line.grade for line in judge_brokers(None, BrokerCredentials(), None, NOW)] == [Grade.WARN]
    with LocalBroker(tmp_path) as second:
        mqtt = Mqtt(url=f"mqtt://127.0.0.1:{free_port()}", fallback_urls=(second.url,))
        found = {line.check: line.grade for line in judge_brokers(mqtt, BrokerCredentials(), trial(), NOW)}
    assert found == {"broker": Grade.FAIL, "broker 2": Grade.OK, "broker 2 topics": Grade.OK}


def test_the_daemons_own_session_is_left_alone(tmp_path: Path) -> None:
    """The broker would close the session of a client whose id comes a second time: the doctor has another one."""
    daemon = PahoTransport()
    options = ConnectOptions(IDENTITY.client_id, None, 0, 30, 60, 20)
    with LocalBroker(tmp_path) as broker:
        daemon.open(BrokerEndpoint.of(broker.url), options)
        opened = next(event for _ in range(100) for event in daemon.wait(0.1))
        (found,) = lines(broker.url, beside=True)
        afterwards = daemon.wait(0.3)
        daemon.close()
    assert isinstance(opened, Opened)
    assert found.grade is Grade.OK
    assert list(afterwards) == []


def test_where_names_are_client_ids_the_daemon_is_asked_and_not_thrown_off(tmp_path: Path) -> None:
    """To such a broker (docs/hub) a doctor under the node's name is the node: it leaves the line alone and says so."""
    secret = tmp_path / "password"
    secret.write_text("x", encoding="ascii")
    shown = BrokerCredentials("pole-17", secret)
    daemon = PahoTransport(shown)
    with LocalBroker(tmp_path / "broker", settings="allow_anonymous true\nuse_username_as_clientid true") as broker:
        daemon.open(BrokerEndpoint.of(broker.url), ConnectOptions(IDENTITY.client_id, None, 0, 30, 60, 20))
        opened = next(event for _ in range(100) for event in daemon.wait(0.1))
        told = list(judge_brokers(Mqtt(url=broker.url), shown, trial(shown), NOW, beside=True, online_at=broker.url))
        daemon.publish(Publication("vigie/pole-17/still-here", b"x", 1, False), 1)
        afterwards = next(event for _ in range(100) for event in daemon.wait(0.1))
        daemon.close()
    assert isinstance(opened, Opened)
    assert [(line.check, line.grade) for line in told] == [("broker", Grade.OK), ("broker topics", Grade.OPEN)]
    assert "systemctl stop vigie" in told[1].remedy
    assert isinstance(afterwards, Acknowledged)


def test_a_pipe_in_the_place_of_the_ca_is_told_and_keeps_nobody_waiting(tmp_path: Path, broker: TlsBroker) -> None:
    """The doctor ends, and names the file."""
    os.mkfifo(tmp_path / "ca.pem")
    told = lines(broker.tls_url, BrokerCredentials(ca_file=tmp_path / "ca.pem"))
    assert any(line.grade is Grade.FAIL and "ca.pem" in line.measured for line in told)
