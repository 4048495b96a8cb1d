"""MQTT 5 reason codes in plain words, for health and for whoever reads the journal."""

from __future__ import annotations

from agent.base.phrase import say

REFUSED_FROM = 0x80
NOBODY_SUBSCRIBED = 0x10

_WORDS = {
    0x00: say("the broker ended the connection"),
    0x04: say("disconnected, the will was asked for"),
    0x10: say("accepted, nobody is subscribed"),
    0x80: say("the broker gave no reason"),
    0x81: say("the broker could not read our packet"),
    0x82: say("the broker says we broke the protocol"),
    0x83: say("the broker does not accept this"),
    0x84: say("the broker does not speak MQTT 5"),
    0x85: say("the broker does not accept the client id"),
    0x86: say("the broker does not accept user name and password, or the certificate"),
    0x87: say("the broker does not allow this node to do that: check its access list"),
    0x88: say("the broker is not available"),
    0x89: say("the broker is busy"),
    0x8A: say("the broker has banned this node"),
    0x8B: say("the broker is shutting down"),
    0x8C: say("the broker asks for another way to log in"),
    0x8D: say("the broker heard nothing from us for too long"),
    0x8E: say("another client took over with the same client id: is a second node running under this name?"),
    0x8F: say("the broker does not accept the topic filter"),
    0x90: say("the broker does not accept the topic"),
    0x93: say("we sent more than the broker wants at once"),
    0x94: say("the broker does not know the topic alias"),
    0x95: say("the message is too large for the broker"),
    0x96: say("the broker finds us too fast"),
    0x97: say("the broker's quota for this node is used up"),
    0x98: say("an administrator disconnected this node"),
    0x99: say("the broker says the payload has the wrong format"),
    0x9A: say("the broker keeps no retained messages"),
    0x9B: say("the broker does not offer QoS 1"),
    0x9C: say("the broker sends us to another server"),
    0x9D: say("the broker has moved"),
    0x9E: say("the broker does not offer shared subscriptions"),
    0x9F: say("the broker limits how often we may connect"),
    0xA0: say("the broker ends every connection after a time"),
    0xA1: say("the broker does not offer subscription identifiers"),
    0xA2: say("the broker does not offer wildcards in subscriptions"),
}

# A message refused for one of these will be refused for ever: it is given up, counted and announced.
NEVER_ACCEPTED = frozenset({0x90, 0x95, 0x99})

# The broker ended the connection over something that we sent, or will not hear of the limits we asked for.
BLAMES_A_PACKET = frozenset({0x81, 0x82, 0x87, 0x90, 0x94, 0x95, 0x99, 0x9A, 0x9B})

TAKEN_OVER = 0x8E

# RabbitMQ says so while a subscriber's queue changes its leader or goes away: a moment later it takes the same message.
PASSING = frozenset({0x80, 0x83})


_BROKE = say("the connection broke")


def in_words(code: int | None, fallback: str = _BROKE) -> str:
    """`the broker is busy (0x89)`."""
    if code is None:
        return fallback
    words = _WORDS.get(code, say("the broker gave an unknown reason"))
    return say("{words} ({code})", words=words, code=f"0x{code:02x}")
