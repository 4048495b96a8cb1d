"""ONVIF's event service: the topics there are, and pull points that are told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent.base.clock import NS, Clock, rfc3339
from agent.base.topic import Topic
from agent.onvif.duration import seconds_of, seconds_until
from agent.onvif.fault import of_subscription, wrong_value
from agent.onvif.markup import Markup, el
from agent.onvif.notification import topic_set
from agent.onvif.pull_point import USUAL_S, PullPoint
from agent.onvif.pull_points import MOST, PullPoints, unknown
from agent.onvif.service import SUBSCRIPTIONS, Handler, OnvifService
from agent.onvif.soap_request import SoapCall
from agent.onvif.topic_filter import CONCRETE, CONCRETE_SET, read_filter

LONGEST_PULL_S: Final = 300.0
MOST_AT_ONCE: Final = 128
_LOOKS_EVERY_S: Final = 0.5
"""So often a pull that waits looks whether its lease is over."""


class EventService(OnvifService):
    """`topics`: those that this node tells, as it is configured."""

    space = "tev"

    def __init__(self, points: PullPoints, topics: Callable[[], Sequence[Topic]], clock: Clock) -> None:
        self._points = points
        self._topics = topics
        self._clock = clock

    @property
    def operations(self) -> Mapping[str, Handler]:
        return {
            "GetServiceCapabilities": lambda _: el("tev:GetServiceCapabilitiesResponse", self.capabilities()),
            "GetEventProperties": self._properties,
            "CreatePullPointSubscription": self._create,
            "PullMessages": self._pull,
            "SetSynchronizationPoint": self._begin_anew,
        }

    def capabilities(self) -> Markup:
        told = {
            "WSSubscriptionPolicySupport": False,
            "WSPausableSubscriptionManagerInterfaceSupport": False,
            "MaxNotificationProducers": 0,
            "MaxPullPoints": MOST,
            "PersistentNotificationStorage": False,
        }
        return el("tev:Capabilities", attr=told)

    def _properties(self, _: SoapCall) -> Markup:
        return el(
            "tev:GetEventPropertiesResponse",
            el("tev:TopicNamespaceLocation", "http://www.onvif.org/onvif/ver10/topics/topicns.xml"),
            el("wsnt:FixedTopicSet", True),
            topic_set(self._topics()),
            el("wsnt:TopicExpressionDialect", CONCRETE_SET),
            el("wsnt:TopicExpressionDialect", CONCRETE),
            el("tev:MessageContentFilterDialect"),
            el("tev:MessageContentSchemaLocation", "http://www.onvif.org/onvif/ver10/schema/onvif.xsd"),
        )

    def _create(self, call: SoapCall) -> Markup:
        """Without a time of its own it stands for a minute beyond each sign of its client."""
        told = call.asked.said("InitialTerminationTime")
        seconds = seconds_until(told, self._clock.wall_ns()) if told else USUAL_S
        if seconds <= 0:
            text = "this time is past: give a duration such as PT1M, or go by GetSystemDateAndTime"
            raise of_subscription(text, "wsnt:UnacceptableInitialTerminationTimeFault")
        point = self._points.open(call.lease, read_filter(call.asked), seconds)
        address = el("wsa:Address", call.came_by.base + SUBSCRIPTIONS + point.id)
        return el(
            "tev:CreatePullPointSubscriptionResponse",
            el("tev:SubscriptionReference", address),
            *times("wsnt", point, self._clock),
        )

    async def _pull(self, call: SoapCall) -> Markup:
        """At once what waits; else what comes within the time that the client gives, or nothing."""
        point = self._points.of(call.lease, call.subscription)
        told = call.asked.said("Timeout")
        wait_s = min(seconds_of(told), LONGEST_PULL_S) if told else USUAL_S
        most = _limit(call.asked.said("MessageLimit"))
        point.heard(wait_s)
        messages = point.fetch(most) or await self._awaited(point, most, wait_s, call.gone)
        point.heard()
        return el("tev:PullMessagesResponse", *times("tev", point, self._clock), *messages)

    async def _awaited(self, point: PullPoint, most: int, wait_s: float, gone: Callable[[], bool]) -> list[Markup]:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.set)

        point.on_news(wake)
        until = loop.time() + wait_s
        while True:
            self._points.sweep()
            if point.over:
                raise unknown(point.over)
            if gone() or not point.is_heard_by(wake):
                return []  # what comes goes to the next who asks
            if (found := point.fetch(most)) or loop.time() >= until:
                return found
            news.clear()
            waiting = asyncio.ensure_future(news.wait())
            await asyncio.wait({waiting}, timeout=min(_LOOKS_EVERY_S, max(0.0, until - loop.time())))
            waiting.cancel()

    def _begin_anew(self, call: SoapCall) -> Markup:
        point = self._points.of(call.lease, call.subscription)
        point.begin_anew()
        point.heard()
        return el("tev:SetSynchronizationPointResponse")


class SubscriptionService(OnvifService):
    """What WS-Notification asks of a pull point: prolonged, or ended."""

    space = "wsnt"
    free = frozenset()

    def __init__(self, points: PullPoints, clock: Clock) -> None:
        self._points = points
        self._clock = clock

    @property
    def operations(self) -> Mapping[str, Handler]:
        return {"Renew": self._renew, "Unsubscribe": self._end}

    def _renew(self, call: SoapCall) -> Markup:
        point = self._points.of(call.lease, call.subscription)
        told = call.asked.said("TerminationTime")
        seconds = seconds_until(told, self._clock.wall_ns()) if told else USUAL_S
        if seconds <= 0:
            text = "this time is past: give a duration such as PT1M, or go by GetSystemDateAndTime"
            raise of_subscription(text, "wsnt:UnacceptableTerminationTimeFault")
        point.stand_for(seconds)
        now, ends = times("wsnt", point, self._clock)
        return el("wsnt:RenewResponse", ends, now)

    def _end(self, call: SoapCall) -> Markup:
        self._points.close(self._points.of(call.lease, call.subscription), "its client unsubscribed")
        return el("wsnt:UnsubscribeResponse")


def times(space: str, point: PullPoint, clock: Clock) -> tuple[Markup, Markup]:
    """Now, and when the pull point ends by itself, by the node's wall clock."""
    now_ns = clock.wall_ns()
    until_ns = now_ns + round(max(0.0, point.left_s) * NS)
    return el(f"{space}:CurrentTime", rfc3339(now_ns)), el(f"{space}:TerminationTime", rfc3339(until_ns))


def _limit(told: str) -> int:
    if not told:
        return MOST_AT_ONCE
    if not (told.isascii() and told.isdecimal()) or len(told) > 10 or not int(told):
        raise wrong_value("MessageLimit is a number from 1 on")
    return min(int(told), MOST_AT_ONCE)
