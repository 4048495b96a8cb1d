"""The broker: its name found, its port open, its certificate good, and this node accepted."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from agent.commissioning.line import Figure, Line, fail, ok, warn
from agent.commissioning.tls_probe import Handshake, shake_hands
from agent.config.model import Mqtt
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, ConnectOptions, MqttTransport, Opened, Refused
from agent.uplink.reasons import in_words

SOON_DAYS = 30
TCP_PATIENCE_S = 8.0
LOGIN_PATIENCE_S = 15.0

LogIn = Callable[[BrokerEndpoint], Opened | Refused]
"""Open an MQTT session and close it again; what the broker said."""


def judge_brokers(mqtt: Mqtt | None, credentials: BrokerCredentials, log_in: LogIn | None, now: datetime) -> Iterator[Line]:
    """Every broker by its order of preference; `log_in` None leaves the session out."""
    if mqtt is None:
        yield warn("broker", "none configured: nobody at the centre hears of this node", "set [mqtt] url")
        return
    for number, url in enumerate((mqtt.url, *mqtt.fallback_urls)):
        check = "broker" if number == 0 else f"broker {number + 1}"
        yield from _judge(check, BrokerEndpoint.of(url), credentials, log_in, now)


def _judge(
    check: str, endpoint: BrokerEndpoint, credentials: BrokerCredentials, log_in: LogIn | None, now: datetime
) -> Iterator[Line]:
    reached = _reach(check, endpoint)
    if reached is not None:
        yield reached
        return
    tls: dict[str, Figure] = {"url": endpoint.url}
    if endpoint.tls:
        try:
            handshake = shake_hands(endpoint, credentials, now)
        except OSError as error:
            handshake = Handshake(
                f"the connection broke in the TLS handshake: {_said(error)}", "does the broker speak TLS on this port?"
            )
        tls |= _figures(handshake)
        if handshake.trouble:
            shown = (
                f" (it shows {handshake.subject}, names {', '.join(handshake.names) or 'none'}{_until(handshake)})"
                if handshake.subject
                else ""
            )
            yield fail(check, f"{endpoint.url}: {handshake.trouble}{shown}", handshake.remedy, **tls)
            return
        yield _certificate(check, handshake, tls)
    if log_in is None:
        yield warn(
            check, f"{endpoint.url} can be reached; whether it accepts this node was not tried", "run this on the node", **tls
        )
        return
    said = log_in(endpoint)
    if isinstance(said, Refused):
        why = in_words(said.code, said.why)
        yield fail(check, f"{endpoint.url} refuses this node: {why}", _login_remedy(said.code), code=said.code, **tls)
    else:
        yield ok(check, f"{endpoint.url} accepts this node", **tls)


def _reach(check: str, endpoint: BrokerEndpoint) -> Line | None:
    """None when the port answers."""
    began_s = time.monotonic()
    try:
        socket.create_connection((endpoint.host, endpoint.port), TCP_PATIENCE_S).close()
    except socket.gaierror:
        return fail(
            check,
            f"{endpoint.url}: the name {endpoint.host} is not known",
            "check [mqtt] url and this node's DNS (`resolvectl query`)",
            url=endpoint.url,
        )
    except ConnectionRefusedError:
        remedy = "is the broker running, and is this its port? mqtts:// is commonly on 8883, mqtt:// on 1883"
        return fail(check, f"{endpoint.url}: nobody listens on port {endpoint.port}", remedy, url=endpoint.url)
    except TimeoutError:
        waited_s = time.monotonic() - began_s
        remedy = "a firewall that swallows it does this, as does a wrong address"
        return fail(check, f"{endpoint.url}: no answer in {waited_s:.0f} s", remedy, url=endpoint.url)
    except OSError as error:
        return fail(
            check, f"{endpoint.url}: {_said(error)}", "is this node on the network? `ip address`, `ip route`", url=endpoint.url
        )
    return None


def _certificate(check: str, handshake: Handshake, figures: dict[str, Figure]) -> Line:
    name = f"{check} certificate"
    said = f"{handshake.subject}, issued by {handshake.issuer}{_until(handshake)}; {handshake.version}, {handshake.cipher}"
    if handshake.days_left is not None and handshake.days_left < SOON_DAYS:
        return warn(name, said, "whoever runs the broker must renew it before that day", **figures)
    return ok(name, said, **figures)


def _until(handshake: Handshake) -> str:
    if handshake.days_left is None:
        return ""
    if handshake.days_left < 0:
        return f", expired {-handshake.days_left} days ago"
    return f", expires in {handshake.days_left} days"


def _figures(handshake: Handshake) -> dict[str, Figure]:
    return {
        "tls_version": handshake.version,
        "tls_cipher": handshake.cipher,
        "certificate": handshake.subject,
        "issuer": handshake.issuer,
        "days_left": handshake.days_left,
    }


def _login_remedy(code: int | None) -> str:
    match code:
        case 0x86 | 0x87:
            return "check username, password_file, or cert_file; and what the broker's access list allows this node"
        case 0x84:
            return "the broker must speak MQTT 5 (mosquitto 1.6 or newer)"
        case _:
            return "see the broker's log"


def _said(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def log_in_with(open_transport: Callable[[], MqttTransport], node_id: str) -> LogIn:
    """A LogIn through the node's own MQTT driver, as a client beside the daemon: it takes over no session, leaves no will."""

    def log_in(endpoint: BrokerEndpoint) -> Opened | Refused:
        transport = open_transport()
        options = ConnectOptions(
            client_id=f"{node_id}-doctor", will=None, will_delay_s=0, keepalive_s=30, session_expiry_s=0, receive_maximum=20
        )
        transport.open(endpoint, options)
        until_s = time.monotonic() + LOGIN_PATIENCE_S
        try:
            while time.monotonic() < until_s:
                for event in transport.wait(0.5):
                    if isinstance(event, Opened | Refused):
                        return event
            return Refused(None, f"it does not answer in {LOGIN_PATIENCE_S:.0f} s")
        finally:
            transport.close()

    return log_in
