"""A paho client made ready: TLS, passwords, will and limits; and in words why none could be connected."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.base.phrase import joined, say
from agent.base.secret_file import read_secret
from agent.base.system_words import system_words
from agent.ports.broker_tls import broker_tls_context
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, ConnectOptions, Publication
from hardware.mqtt_reasons import accept_every_reason

CONNECT_TIMEOUT_S = 8.0
RECEIVED_MOST_BYTES = 256 * 1024

accept_every_reason()


def connected_client(endpoint: BrokerEndpoint, options: ConnectOptions, credentials: BrokerCredentials) -> Client:
    """A client whose CONNECT is on its way; blocks for the network. OSError or ValueError when it cannot be."""
    client = _client(endpoint, options, credentials)
    client.connect(
        endpoint.host,
        endpoint.port,
        keepalive=options.keepalive_s,
        clean_start=options.clean_start,
        properties=_connect_properties(options),
    )
    return client


def publish_properties(publication: Publication) -> Properties:
    """The properties of a PUBLISH packet."""
    return _publication_properties(PacketTypes.PUBLISH, publication)


def _publication_properties(packet: int, publication: Publication) -> Properties:
    """What goes with a message, whether it is sent or left as a will."""
    properties = _properties(packet)
    if publication.user_properties:
        properties.UserProperty = list(publication.user_properties)
    if publication.expiry_s is not None:
        properties.MessageExpiryInterval = publication.expiry_s
    if publication.response_topic is not None:
        properties.ResponseTopic = publication.response_topic
    if publication.correlation_data is not None:
        properties.CorrelationData = publication.correlation_data
    if publication.content_type is not None:
        properties.ContentType = publication.content_type
    return properties


def _client(endpoint: BrokerEndpoint, options: ConnectOptions, credentials: BrokerCredentials) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        transport="websockets" if endpoint.websocket else "tcp",
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.max_inflight_messages_set(0)  # the session keeps the window
    if endpoint.websocket:
        client.ws_set_options(path=endpoint.path)
    if endpoint.tls:
        client.tls_set_context(broker_tls_context(credentials))
    if credentials.username is not None:
        client.username_pw_set(credentials.username, _password(credentials))
    if options.will is not None:
        will = _publication_properties(PacketTypes.WILLMESSAGE, options.will)
        will.WillDelayInterval = options.will_delay_s
        client.will_set(options.will.topic, options.will.payload, options.will.qos, options.will.retain, will)
    return client


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]


def _password(credentials: BrokerCredentials) -> str | None:
    if credentials.password_file is None:
        return None
    return read_secret(credentials.password_file)


def _connect_properties(options: ConnectOptions) -> Properties:
    properties = _properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = options.session_expiry_s
    properties.ReceiveMaximum = options.receive_maximum
    properties.MaximumPacketSize = RECEIVED_MOST_BYTES
    return properties


def is_reachable(endpoint: BrokerEndpoint, credentials: BrokerCredentials) -> bool:
    """Whether a broker would talk to us: TCP, and TLS where it is asked for. Blocks."""
    try:
        with socket.create_connection((endpoint.host, endpoint.port), CONNECT_TIMEOUT_S) as plain:
            if endpoint.tls:
                broker_tls_context(credentials).wrap_socket(plain, server_hostname=endpoint.host).close()
    except (OSError, ValueError):
        return False
    return True


def why_unreachable(error: Exception, endpoint: BrokerEndpoint) -> str:
    """Why no connection came about, for a person."""
    where = f"{endpoint.host}:{endpoint.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return say("the certificate of {where} is not trusted: {why}", where=where, why=error.verify_message)
        case ssl.SSLEOFError() | ConnectionResetError():
            if endpoint.tls:
                return say("{where} broke the connection off: does it speak TLS on this port?", where=where)
            return say("{where} broke the connection off", where=where)
        case ssl.SSLError():
            return say("{where}: {why}", where=where, why=_handshake_words(error))
        case socket.gaierror():
            return say("the name {host} cannot be resolved: {why}", host=endpoint.host, why=system_words(error.strerror))
        case TimeoutError():
            return say("{where} does not answer", where=where)
        case FileNotFoundError():
            if error.filename:
                return say("{file} is missing", file=error.filename)
            return say("a certificate file is missing: {error}", error=error)
        case ConnectionRefusedError():
            return say("nobody listens at {where}", where=where)
        case OSError(filename=str()):
            return joined(": ", (error.filename, system_words(error.strerror)))  # a file of ours: the broker has no part in it
        case OSError():
            return joined(": ", (where, system_words(error.strerror or error)))
        case _:
            return f"{where}: {error}"


def _handshake_words(error: ssl.SSLError) -> str:
    """OpenSSL's reason in a technician's words."""
    reason = error.reason or str(error)
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return say("this port speaks no TLS")
    if "CERTIFICATE_REQUIRED" in reason:
        return say("the broker wants a client certificate (cert_file, key_file)")
    return say("TLS failed: {why}", why=reason.lower().replace("_", " "))
