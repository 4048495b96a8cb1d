"""The AsyncAPI 3 document of everything on the wire, made from the models the code itself uses."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from agent import __version__
from agent.base.errors import UplinkError
from agent.base.topic import Topic
from agent.operations.payloads import Accepted, Refusing, Result
from agent.operations.verbs import COMMANDS, Verb
from agent.ports.health import Health
from agent.uplink.commands import LONGEST_CORRELATION_BYTES, LONGEST_RESPONSE_TOPIC
from agent.uplink.payloads import EventProperties, RegisterLine, Status
from agent.uplink.register_schemas import by_act
from agent.uplink.topics import Branch, NodeTopics

_ROOT: Final = "{prefix}/{node}"
_SCHEMAS: Final = "#/components/schemas/"
_SECURITY: Final = {
    "certificate": {
        "type": "X509",
        "description": "of the town's authority; its common name is the node's id, or a role",
    },
    "password": {"type": "userPassword", "description": "`[mqtt] username` and `password_file`, where the broker wants them"},
}
_ASKING: Final = {
    "responseTopic": {
        "type": "string",
        "maxLength": LONGEST_RESPONSE_TOPIC,
        "description": "where the answer goes",
    },
    "correlationData": {"type": "string", "maxLength": LONGEST_CORRELATION_BYTES, "description": "comes back with the answer"},
    "bindingVersion": "0.2.0",
}
_ROLES: Final = "Needs a token of role "
_ABOUT: Final = (
    "What a camera node says to the supervision centre, and what it can be asked. MQTT 5. "
    "A message with the user property `trial` says nothing, and no schema holds of it: the doctor tries an access list with it. "
    "Nor does one hold of an empty retained message: it takes back what was retained there, a state that nobody looks after "
    "any more, or what was told under a former name."
)
_SAID: Final[tuple[type[msgspec.Struct], ...]] = (Status, Health, RegisterLine, Accepted, Refusing, EventProperties)


def document(topics: Sequence[Topic]) -> dict[str, Any]:
    """The whole document, as plain data; `topics` are those of every feature.

    `docs/asyncapi.yaml` is this; `make asyncapi` writes it.
    """
    channels = _channels(topics)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Vigie node",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "EUPL-1.2"},
        },
        "servers": _servers(),
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": _operations(topics, channels),
        "components": {"messages": _messages(topics), "schemas": _schemas(topics), "securitySchemes": _SECURITY},
    }


def _messages(topics: Sequence[Topic]) -> dict[str, Any]:
    """What is said, by its name: the fixed ones, the events, Home Assistant's, the commands."""
    told = {each.title: _event(each) for each in topics}
    asked = {
        verb.name: {**_message(verb.request, _first_line(verb.request)), "bindings": {"mqtt": _ASKING}}
        for verb in COMMANDS.values()
    }
    return {
        "status": _message(Status, "Birth, goodbye, will"),
        "health": _message(Health, "How the node fares"),
        "register": _message(RegisterLine, "An entry of the register", headers=True),
        "still": {
            "title": "A small masked JPEG that goes with an event, 64 KiB at most",
            "contentType": "image/jpeg",
            "headers": _ref(EventProperties),
            "payload": {"type": "string", "format": "binary"},
        },
        "accepted": _message(Accepted, "The command was carried out"),
        "refused": _message(Refusing, "The command was not carried out"),
        **told,
        "announcement": _announcement(),
        **asked,
    }


def _channels(topics: Sequence[Topic]) -> dict[str, Any]:
    """Where each is said, in the order of the messages."""
    channels = {
        "status": _channel(Branch.STATUS, ["status"], retained=True),
        "health": _channel(Branch.HEALTH, ["health"], retained=True, qos=0),
        "register": _channel(Branch.REGISTER, ["register"]),
        "still": _channel(f"{Branch.STILLS}/{{event}}", ["still"], {"event": "the event's id"}),
        # An answer goes wherever its request's ResponseTopic says; this is where the access lists in docs/hub let it go.
        "answer": _channel(f"{Branch.ANSWERS}/{{caller}}", ["accepted", "refused"], {"caller": "whatever the caller chose"}),
    }
    for told in topics:
        parameters = {name.lower(): f"`Source.{name}`" for name in told.source}
        channels[told.title] = _channel(f"{Branch.EVENTS}/{told.address}", [told.title], parameters, retained=told.state)
    channels["announcement"] = {
        **_channel("", ["announcement"], {"discovery": "`[mqtt] home_assistant_prefix`"}, retained=True),
        "address": NodeTopics("{prefix}", "{node}", "{discovery}").announcement,
    }
    del channels["announcement"]["parameters"]["prefix"]
    for verb in COMMANDS.values():
        channels[verb.name] = _channel(f"{Branch.COMMANDS}/{verb.name}", [verb.name])
    return channels


def _operations(topics: Sequence[Topic], channels: Mapping[str, Any]) -> dict[str, Any]:
    """What a node does on its channels: it sends on each, but for answers, which belong to the commands it takes."""
    retained = {"status", "health", "announcement", *(told.title for told in topics if told.state)}
    sent = {
        f"send-{name}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": {"qos": 0 if name == "health" else 1, "retain": name in retained}},
        }
        for name in channels
        if name != "answer" and name not in COMMANDS
    }
    return {**sent, **{verb.name: _command(verb) for verb in COMMANDS.values()}}


def _event(told: Topic) -> dict[str, Any]:
    kept = " A state: retained; an empty payload deletes it." if told.state else ""
    return {
        "title": told.words + kept,
        "contentType": "application/json",
        "headers": _ref(EventProperties),
        "payload": {"$ref": _SCHEMAS + told.schema_name},
    }


def _announcement() -> dict[str, Any]:
    """Home Assistant's own document has the rest; an empty payload takes the device away."""
    part = {"type": "object"}
    return {
        "title": "The node as a device of Home Assistant, where `[mqtt] home_assistant` is set",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "required": ["device", "origin", "components"],
            "properties": dict.fromkeys(("device", "origin", "components"), part),
        },
    }


def _servers() -> dict[str, Any]:
    schemes = [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY]
    return {
        "centre": {
            "host": "{broker}:8883",
            "protocol": "secure-mqtt",
            "protocolVersion": "5.0",
            "description": "The supervision centre's broker, as docs/hub sets it up.",
            "variables": {"broker": {"description": "as in `[mqtt] url`", "default": "hub.ville.example"}},
            "security": schemes,
        }
    }


def _command(verb: Verb) -> dict[str, Any]:
    answers = [{"$ref": f"#/channels/answer/messages/{name}"} for name in ("accepted", "refused")]
    return {
        "action": "receive",
        "summary": _first_line(verb.request),
        "description": _ROLES + " or ".join(sorted(verb.roles)) + ".",
        "channel": {"$ref": f"#/channels/{verb.name}"},
        "bindings": {"mqtt": {"qos": 1, "retain": False}},
        "reply": {
            "channel": {"$ref": "#/channels/answer"},
            "messages": answers,
        },
    }


def _channel(
    address: str, messages: list[str], more: Mapping[str, str] | None = None, *, retained: bool = False, qos: int = 1
) -> dict[str, Any]:
    parameters = {"prefix": "`[mqtt] prefix`", "node": "`[node] id`", **(more or {})}
    kept = "retained" if retained else "not retained"
    return {
        "address": f"{_ROOT}/{address}",
        "description": f"QoS {qos}, {kept}.",
        "parameters": {name: {"description": text} for name, text in parameters.items()},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _message(model: type[msgspec.Struct], title: str, *, headers: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"title": title, "contentType": "application/json"}
    if headers:
        found["headers"] = _ref(EventProperties)
    return {**found, "payload": _ref(model)}


def _ref(model: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _SCHEMAS + model.__name__}


def _schemas(topics: Sequence[Topic]) -> dict[str, Any]:
    """One schema for each model and what it refers to."""
    results = Result.__subclasses__()
    models = [*_SAID, *results, *(verb.request for verb in COMMANDS.values())]
    _, found = msgspec.json.schema_components(models, ref_template=_SCHEMAS + "{name}")
    # The base of the results holds nothing by itself: what an answer carries is one of them.
    found[Result.__name__] = {
        "title": Result.__name__,
        "description": _first_line(Result),
        "anyOf": [_ref(result) for result in results],
    }
    told = {topic.schema_name: topic.schema() for topic in topics}
    if twice := sorted(told.keys() & found.keys()):
        raise UplinkError(f"two schemas are named {', '.join(twice)}", remedy="rename the event's or the model's")
    found |= told
    found[RegisterLine.__name__] |= {"allOf": by_act()}
    return {name: _finished(schema) for name, schema in sorted(found.items())}


def _finished(part: Any) -> Any:
    """With what msgspec leaves out: all enumerations here are of strings, and descriptions are without the code's indents."""
    if isinstance(part, list):
        return [_finished(one) for one in part]
    if not isinstance(part, dict):
        return part
    said = {"type": "string"} if "enum" in part else {}
    if isinstance(part.get("description"), str):
        said["description"] = inspect.cleandoc(part["description"])
    return {name: _finished(one) for name, one in {**part, **said}.items()}


def _first_line(model: type[msgspec.Struct]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]
