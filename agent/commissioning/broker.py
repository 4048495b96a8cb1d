"""The broker: its name found, its port open, its certificate good, and this node accepted."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.commissioning.broker_trial import Trial
from agent.commissioning.line import Grade, Line, Metric, fail, left_open, ok, warn
from agent.commissioning.tls_probe import Handshake, shake_hands, speaks_tls
from agent.config.model import Mqtt
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint
from agent.uplink.reasons import in_words

SOON_DAYS = 30
TCP_PATIENCE_S = 8.0
TOPICS_NAMED = 3

LogIn = Callable[[BrokerEndpoint, bool], Trial]
"""Have a session as the daemon would, beside it where the flag says that it runs; see `agent.commissioning.broker_trial`."""
_ACCESS = "let the broker's access list allow what `docs/hub/hub.acl` allows a node"
_PORT = "write the broker's port in [mqtt] url: mqtts:// is commonly on 8883, mqtt:// on 1883"


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
        yield warn("broker", "none configured: nobody at the centre hears of this node", "set [mqtt] url")
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
    state, reason = str(uplink.get("state", "")), str(uplink.get("reason", ""))
    said = f"{state} at {uplink['broker']}" + (f": {reason}" if reason else "")
    if state != "online" and any(line.grade is Grade.FAIL for line in brokers):
        yield left_open("uplink", "waits for the broker; meanwhile events are kept in the outbox")
    elif state != "online":
        yield fail("uplink", said, "`sudo journalctl -u vigie -n 20` says why; meanwhile events are kept in the outbox")
    elif reason:
        yield warn("uplink", said, "`vigie status -v` shows what waits; docs/outbox.md says what a node does without")
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
                f"the connection broke in the TLS handshake: {_said(error)}",
                f"`openssl s_client -connect {endpoint.host}:{endpoint.port}`",
            )
        tls |= _metrics(handshake)
        if handshake.fault:
            shown = (
                f" (it shows {handshake.subject}, names {', '.join(handshake.names) or 'none'}{_until(handshake)})"
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
        yield left_open(check, f"{endpoint.url} can be reached; whether it accepts this node was not tried", "", **tls)
        return
    yield from _judge_trial(check, endpoint, log_in(endpoint, beside), tls, credentials)


def _what_the_daemon_has(check: str, endpoint: BrokerEndpoint, tls: dict[str, Metric]) -> Iterator[Line]:
    yield ok(check, f"{endpoint.url} accepts this node: the daemon is in", **tls)
    why = "not tried beside the daemon, which a login could throw off; what it is refused stands under uplink"
    yield left_open(f"{check} topics", why, "`sudo systemctl stop vigie && sudo vigie doctor` tries each")


def _judge_trial(
    check: str, endpoint: BrokerEndpoint, trial: Trial, tls: dict[str, Metric], credentials: BrokerCredentials
) -> Iterator[Line]:
    said = trial.refused
    if said is not None:
        why, remedy = in_words(said.code, said.why), _login_remedy(said.code, credentials)
        if said.code is None and not endpoint.tls and speaks_tls(endpoint):
            why, remedy = "this port speaks TLS", "write mqtts:// (or wss://) in [mqtt] url, and set ca_file"
        yield fail(check, f"{endpoint.url} refuses this node: {why}", remedy, code=said.code, **tls)
        return
    lacks = trial.limits.words()
    if lacks:
        yield warn(
            check,
            f"{endpoint.url} accepts this node; {lacks}",
            "have whoever runs the broker lift that in its `mosquitto.conf`",
            **tls,
        )
    else:
        yield ok(check, f"{endpoint.url} accepts this node", **tls)
    if trial.commands:
        yield fail(f"{check} commands", f"commands cannot be received: {trial.commands}", _ACCESS, **tls)
    name, topics = f"{check} topics", [topic for topic, _ in trial.topics]
    if topics:
        more = f", and {len(topics) - TOPICS_NAMED} more" if len(topics) > TOPICS_NAMED else ""
        named = ", ".join(topics[:TOPICS_NAMED]) + more
        yield fail(name, f"{endpoint.url} does not take {named}: {trial.topics[0][1]}", _ACCESS, refused=len(topics), **tls)
    else:
        yield ok(name, f"{endpoint.url} takes all {trial.tried} topics of this node", tried=trial.tried, **tls)


def _reach(check: str, endpoint: BrokerEndpoint) -> Line | None:
    """None when the port answers."""
    began_s = time.monotonic()
    try:
        socket.create_connection((endpoint.host, endpoint.port), TCP_PATIENCE_S).close()
    except socket.gaierror:
        return fail(
            check,
            f"{endpoint.url}: the name {endpoint.host} is not known",
            f"compare it with [mqtt] url; `getent hosts {endpoint.host}` asks this node's DNS",
            url=endpoint.url,
        )
    except ConnectionRefusedError:
        return fail(check, f"{endpoint.url}: nobody listens on port {endpoint.port}", _PORT, url=endpoint.url)
    except TimeoutError:
        waited_s = time.monotonic() - began_s
        remedy = "compare the address in [mqtt] url; a firewall on the way that swallows it looks the same"
        return fail(check, f"{endpoint.url}: no answer in {waited_s:.0f} s", remedy, url=endpoint.url)
    except OSError as error:
        return fail(
            check,
            f"{endpoint.url}: {_said(error)}",
            "`ip -brief address` shows whether this node is on the network",
            url=endpoint.url,
        )
    return None


def _certificate(check: str, handshake: Handshake, metrics: dict[str, Metric]) -> Line:
    name = f"{check} certificate"
    said = f"{handshake.subject}, issued by {handshake.issuer}{_until(handshake)}; {handshake.version}, {handshake.cipher}"
    if handshake.days_left is not None and handshake.days_left < SOON_DAYS:
        remedy = "have whoever runs the broker renew it before that day: `authority.sh renew`, see docs/hub/README.md"
        return warn(name, said, remedy, **metrics)
    return ok(name, said, **metrics)


def _until(handshake: Handshake) -> str:
    if handshake.days_left is None:
        return ""
    if handshake.days_left < 0:
        return f", expired {-handshake.days_left} days ago"
    return f", expires in {handshake.days_left} days"


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
            return "compare [mqtt] username and the password in [mqtt] password_file with the broker's own"
        case 0x86 | 0x87 if credentials.cert_file is not None:
            return "name a certificate in [mqtt] cert_file that the broker's authority signed for this node"
        case 0x86 | 0x87:
            return "it wants to know who this is: set [mqtt] username and [mqtt] password_file, or [mqtt] cert_file"
        case 0x84:
            return "name a broker in [mqtt] url that speaks MQTT 5, as mosquitto does from 1.6 on"
        case _:
            return "the broker's own log says why: `journalctl -u mosquitto`, where it runs"


def _said(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
