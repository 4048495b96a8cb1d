"""The broker: its name found, its port open, its certificate good, and this node accepted."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.base.phrase import joined, say
from agent.base.system_words import system_words
from agent.commissioning.broker_trial import Trial
from agent.commissioning.line import Grade, Line, Metric, fail, left_open, ok, warn
from agent.commissioning.tls_probe import Handshake, shake_hands, speaks_tls
from agent.config.model import Mqtt
from agent.ports.health_words import word
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint
from agent.uplink.reasons import in_words

SOON_DAYS = 30
TCP_PATIENCE_S = 8.0
TOPICS_NAMED = 3

LogIn = Callable[[BrokerEndpoint, bool], Trial]
"""Have a session as the daemon would, beside it where the flag says that it runs; see `agent.commissioning.broker_trial`."""
_ACCESS = say("let the broker's access list allow what `docs/hub/hub.acl` allows a node")
_PORT = say("write the broker's port in [mqtt] url: mqtts:// is commonly on 8883, mqtt:// on 1883")


def judge_brokers(
    mqtt: Mqtt | None,
    credentials: BrokerCredentials,
    log_in: LogIn | None,
    now: datetime,
    *,
    beside: bool = False,
    online_at: str = "",
) -> Iterator[Line]:
    """Every broker by its order of preference; `log_in` None leaves the session out, `beside`: the daemon runs.

    `online_at`: the broker at which it is in. There a second login under its name would throw it off where the broker takes
    names for client ids (`use_username_as_clientid`), so what the daemon has is told instead.
    """
    named = credentials.username is not None or credentials.cert_file is not None
    if mqtt is None:
        yield warn("broker", say("none configured: nobody at the centre hears of this node"), say("set [mqtt] url"))
        return
    for number, url in enumerate((mqtt.url, *mqtt.fallback_urls)):
        check = "broker" if number == 0 else f"broker {number + 1}"
        endpoint = BrokerEndpoint.of(url)
        told = _what_the_daemon_has if named and online_at == endpoint.url else None
        yield from _judge(check, endpoint, credentials, log_in, now, beside=beside, told=told)


def judge_uplink(uplink: Mapping[str, Any], brokers: Sequence[Line] = ()) -> Iterator[Line]:
    """What the running daemon says of its own line; nothing where it has none. `brokers` are the lines of the broker itself."""
    if not uplink.get("broker"):
        return
    state, reason = str(uplink.get("state", "")), uplink.get("reason", "")
    said: str = say("{state} at {uplink}", state=word(state), uplink=uplink["broker"])
    if reason:
        said = joined(": ", (said, reason))
    if state != "online" and any(line.grade is Grade.FAIL for line in brokers):
        yield left_open("uplink", say("waits for the broker; meanwhile events are kept in the outbox"))
    elif state != "online":
        yield fail("uplink", said, say("`sudo journalctl -u vigie -n 20` says why; meanwhile events are kept in the outbox"))
    elif reason:
        yield warn("uplink", said, say("`vigie status -v` shows what waits; let the centre subscribe to this node"))
    else:
        yield ok("uplink", said)


def _judge(
    check: str,
    endpoint: BrokerEndpoint,
    credentials: BrokerCredentials,
    log_in: LogIn | None,
    now: datetime,
    *,
    beside: bool,
    told: Callable[[str, BrokerEndpoint, dict[str, Metric]], Iterator[Line]] | None,
) -> Iterator[Line]:
    reached = _reach(check, endpoint)
    if reached is not None:
        yield reached
        return
    tls: dict[str, Metric] = {"url": endpoint.url}
    if endpoint.tls:
        try:
            handshake = shake_hands(endpoint, credentials, now)
        except OSError as error:
            handshake = Handshake(
                say("the connection broke in the TLS handshake: {said}", said=_said(error)),
                say("`openssl s_client -connect {host}:{port}`", host=endpoint.host, port=endpoint.port),
            )
        tls |= _metrics(handshake)
        if handshake.fault:
            shown = (
                say(
                    " (it shows {subject}, names {names}{until})",
                    subject=handshake.subject,
                    names=", ".join(handshake.names) or "none",
                    until=_until(handshake),
                )
                if handshake.subject
                else ""
            )
            yield fail(check, f"{endpoint.url}: {handshake.fault}{shown}", handshake.remedy, **tls)
            return
        yield _certificate(check, handshake, tls)
    if told is not None:
        yield from told(check, endpoint, tls)
        return
    if log_in is None:
        yield left_open(
            check, say("{url} can be reached; whether it accepts this node was not tried", url=endpoint.url), "", **tls
        )
        return
    yield from _judge_trial(check, endpoint, log_in(endpoint, beside), tls, credentials)


def _what_the_daemon_has(check: str, endpoint: BrokerEndpoint, tls: dict[str, Metric]) -> Iterator[Line]:
    yield ok(check, say("{url} accepts this node: the daemon is in", url=endpoint.url), **tls)
    why = say("not tried beside the daemon, which a login could throw off; what it is refused stands under uplink")
    yield left_open(f"{check} topics", why, say("`sudo systemctl stop vigie && sudo vigie doctor` tries each"))


def _judge_trial(
    check: str, endpoint: BrokerEndpoint, trial: Trial, tls: dict[str, Metric], credentials: BrokerCredentials
) -> Iterator[Line]:
    said = trial.refused
    if said is not None:
        why, remedy = in_words(said.code, said.why), _login_remedy(said.code, credentials)
        if said.code is None and not endpoint.tls and speaks_tls(endpoint):
            why, remedy = say("this port speaks TLS"), say("write mqtts:// (or wss://) in [mqtt] url, and set ca_file")
        yield fail(check, say("{url} refuses this node: {why}", url=endpoint.url, why=why), remedy, code=said.code, **tls)
        return
    lacks = trial.limits.words()
    if lacks:
        yield warn(
            check,
            say("{url} accepts this node; {lacks}", url=endpoint.url, lacks=lacks),
            say("have whoever runs the broker lift that in its `mosquitto.conf`"),
            **tls,
        )
    else:
        yield ok(check, say("{url} accepts this node", url=endpoint.url), **tls)
    if trial.commands:
        yield fail(f"{check} commands", say("commands cannot be received: {commands}", commands=trial.commands), _ACCESS, **tls)
    name, topics = f"{check} topics", [topic for topic, _ in trial.topics]
    if topics:
        more = say(", and {count} more", count=len(topics) - TOPICS_NAMED) if len(topics) > TOPICS_NAMED else ""
        named = ", ".join(topics[:TOPICS_NAMED]) + more
        yield fail(
            name,
            say("{url} does not take {named}: {topics}", url=endpoint.url, named=named, topics=trial.topics[0][1]),
            _ACCESS,
            refused=len(topics),
            **tls,
        )
    else:
        yield ok(
            name,
            say("{url} takes all {tried} topics of this node", url=endpoint.url, tried=trial.tried),
            tried=trial.tried,
            **tls,
        )


def _reach(check: str, endpoint: BrokerEndpoint) -> Line | None:
    """None when the port answers."""
    began_s = time.monotonic()
    try:
        socket.create_connection((endpoint.host, endpoint.port), TCP_PATIENCE_S).close()
    except socket.gaierror:
        return fail(
            check,
            say("{url}: the name {host} is not known", url=endpoint.url, host=endpoint.host),
            say("compare it with [mqtt] url; `getent hosts {host}` asks this node's DNS", host=endpoint.host),
            url=endpoint.url,
        )
    except ConnectionRefusedError:
        return fail(
            check, say("{url}: nobody listens on port {port}", url=endpoint.url, port=endpoint.port), _PORT, url=endpoint.url
        )
    except TimeoutError:
        waited_s = time.monotonic() - began_s
        remedy = say("compare the address in [mqtt] url; a firewall on the way that swallows it looks the same")
        return fail(
            check, say("{url}: no answer in {waited_s:.0f} s", url=endpoint.url, waited_s=waited_s), remedy, url=endpoint.url
        )
    except OSError as error:
        return fail(
            check,
            f"{endpoint.url}: {_said(error)}",
            say("`ip -brief address` shows whether this node is on the network"),
            url=endpoint.url,
        )
    return None


def _certificate(check: str, handshake: Handshake, metrics: dict[str, Metric]) -> Line:
    name = f"{check} certificate"
    said = say(
        "{subject}, issued by {issuer}{until}; {version}, {cipher}",
        subject=handshake.subject,
        issuer=handshake.issuer,
        until=_until(handshake),
        version=handshake.version,
        cipher=handshake.cipher,
    )
    if handshake.days_left is not None and handshake.days_left < SOON_DAYS:
        remedy = say("have whoever runs the broker renew it before that day: `authority.sh renew`, see docs/hub/README.md")
        return warn(name, said, remedy, **metrics)
    return ok(name, said, **metrics)


def _until(handshake: Handshake) -> str:
    if handshake.days_left is None:
        return ""
    if handshake.days_left < 0:
        return say(", expired {days} days ago", days=-handshake.days_left)
    return say(", expires in {days_left} days", days_left=handshake.days_left)


def _metrics(handshake: Handshake) -> dict[str, Metric]:
    return {
        "tls_version": handshake.version,
        "tls_cipher": handshake.cipher,
        "certificate": handshake.subject,
        "issuer": handshake.issuer,
        "days_left": handshake.days_left,
    }


def _login_remedy(code: int | None, credentials: BrokerCredentials) -> str:
    match code:
        case 0x86 | 0x87 if credentials.username is not None:
            return say("compare [mqtt] username and the password in [mqtt] password_file with the broker's own")
        case 0x86 | 0x87 if credentials.cert_file is not None:
            return say("name a certificate in [mqtt] cert_file that the broker's authority signed for this node")
        case 0x86 | 0x87:
            return say("it wants to know who this is: set [mqtt] username and [mqtt] password_file, or [mqtt] cert_file")
        case 0x84:
            return say("name a broker in [mqtt] url that speaks MQTT 5, as mosquitto does from 1.6 on")
        case _:
            return say("the broker's own log says why: `journalctl -u mosquitto`, where it runs")


def _said(error: OSError) -> str:
    return system_words((error.strerror or str(error)).lower())
