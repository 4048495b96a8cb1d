"""Which topics a pull point is told: ONVIF's topic expressions, such as `tns1:VideoSource//.|vigie:Live/Viewers`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agent.onvif.fault import of_subscription
from agent.onvif.xml_reading import XmlElement

CONCRETE: Final = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
CONCRETE_SET: Final = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
_DIALECTS: Final = frozenset({"", CONCRETE, CONCRETE_SET, "http://docs.oasis-open.org/wsnt/t-1/TopicExpression/ConcreteSet"})
_MOST_ALTERNATIVES: Final = 64
_BELOW: Final = "//."
_PATH: Final = re.compile(r"[\w.-]+(?::[\w.-]+)?(?:/[\w.-]+(?::[\w.-]+)?)*")
_PREFIX: Final = re.compile(r"[\w.-]+:")


def plain(topic: str) -> str:
    """Without prefixes: names alone are unique among the topics of a node, and clients do not agree on prefixes."""
    return _PREFIX.sub("", topic)


class TopicFilter:
    """All of its expressions must be met; none, and everything is told. A topic that this node never tells is no error."""

    def __init__(self, expressions: Sequence[str] = ()) -> None:
        self._expressions = [[_alternative(each) for each in _split(expression)] for expression in expressions]

    def tells(self, topic: str) -> bool:
        """Whether this topic, as `Event.topic` names it, is wanted."""
        name = plain(topic)
        return all(
            any(name == path or (below and name.startswith(f"{path}/")) for path, below in alternatives)
            for alternatives in self._expressions
        )


def read_filter(asked: XmlElement) -> TopicFilter:
    """The `Filter` of a subscription. SoapFault, as WS-Notification names it, for what this node does not filter by."""
    expressions: list[str] = []
    found = asked.find("Filter")
    for each in found.children if found is not None else ():
        if each.name != "TopicExpression":
            raise of_subscription("this node filters by topic alone", "wsnt:InvalidFilterFault")
        if each.attributes.get("Dialect", "") not in _DIALECTS:
            raise of_subscription(f"topics are named by {CONCRETE_SET} or {CONCRETE}", "wsnt:TopicExpressionDialectUnknownFault")
        expressions.append(each.text)
    return TopicFilter(expressions)


def _split(expression: str) -> list[str]:
    alternatives = expression.split("|")
    if len(alternatives) > _MOST_ALTERNATIVES:
        raise of_subscription(f"at most {_MOST_ALTERNATIVES} topics in an expression", "wsnt:InvalidTopicExpressionFault")
    return alternatives


def _alternative(text: str) -> tuple[str, bool]:
    told = text.strip()
    path = told.removesuffix(_BELOW)
    if not _PATH.fullmatch(path):
        raise of_subscription(
            "this is no topic expression: write tns1:VideoSource/MotionAlarm, tns1:VideoSource//. or several with | between",
            "wsnt:InvalidTopicExpressionFault",
        )
    return plain(path), path != told
