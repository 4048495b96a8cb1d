"""Commands from the centre: checked, used up, entered in the register, carried out once, answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from agent.base.clock import Clock, rfc3339, utc
from agent.base.component import Component
from agent.base.errors import RegisterError, ReplayCacheError, UplinkError
from agent.base.queues import BoundedQueue, Closed
from agent.journal.entry import Journal
from agent.operations.arguments import Arguments, WrongArguments
from agent.operations.caller import VOUCHED_FOR, Caller, Door, Refusal, Refused
from agent.operations.desk import Desk
from agent.operations.payloads import Accepted, Refusing
from agent.operations.verbs import COMMANDS, Verb
from agent.ports.mqtt import Publication, Received
from agent.uplink.refusals import Refusals
from agent.uplink.replay_cache import ReplayCache
from agent.uplink.token import check_token, read_hub_keys
from agent.uplink.topics import NodeTopics

log = logging.getLogger(__name__)

LONGEST_REQUEST_BYTES: Final = 16 * 1024
MOST_WAITING: Final = 64
LONGEST_RESPONSE_TOPIC: Final = 256
LONGEST_CORRELATION_BYTES: Final = 512
ANSWER_EXPIRY_S: Final = 300
LONGEST_REASON: Final = 2000
MOST_NAMED: Final = 5
BREATH_S: Final = 1.0


class Commands(Component):
    """The worker. `offer` is the session's, on its thread; everything else happens here.

    This door only translates: `desk` checks the role, enters the register and acts. `key_file` and `topics` are asked for
    each command, so that a reload changes them. `publish` sends an answer. Not critical: a node that takes no commands
    records on.
    """

    critical = False

    def __init__(
        self,
        topics: Callable[[], NodeTopics],
        key_file: Callable[[], Path | None],
        spent: ReplayCache,
        journal: Journal,
        desk: Desk,
        publish: Callable[[Publication], None],
        clock: Clock,
    ) -> None:
        super().__init__("commands", clock)
        self.refused = 0
        self.carried_out = 0
        self._topics = topics
        self._key_file = key_file
        self._spent = spent
        self._journal = journal
        self._desk = desk
        self._publish = publish
        self._refusals = Refusals(journal, clock)
        self._queue: BoundedQueue[Waiting] = BoundedQueue(MOST_WAITING)
        self._turned_away: BoundedQueue[Waiting] = BoundedQueue(MOST_WAITING)
        self._counted = 0

    def offer(self, message: Received) -> None:
        """Take a message of the command topics; returns at once. Any thread."""
        waiting = Waiting(message)
        if not self._queue.offer(waiting):
            # Answered and entered by the worker as well; what even that queue drops is counted as turned away.
            waiting.body = None
            self._turned_away.put(waiting)

    def work(self) -> None:
        try:
            self._spent.begin()
        except ReplayCacheError as error:
            log.error("commands will be refused: %s", error)
        while not self.stopping.is_set():
            try:
                waiting = self._queue.get(BREATH_S)
            except Closed:
                break
            if waiting is not None:
                self.take(waiting)
            self._turn_away()
            self._settle()
            self.progressed()
        self._turn_away_the_rest()
        self._turn_away()
        self._settle(now=True)

    def wake(self) -> None:
        self._queue.close()

    def take(self, waiting: Waiting) -> None:
        """Carry out or refuse one request; never raises for what it holds."""
        name = waiting.verb
        try:
            answer: Accepted | Refusing = self._carried_out(name, waiting)
            self.carried_out += 1
        except Refused as refused:
            answer = self._refusing(name, refused)
        self._answer(waiting, answer)

    def vouched(self, name: str, token: str) -> tuple[Arguments, Caller]:
        """What a token asks for by itself, that came by another door: checked as a command of that name is, and used up.

        Refused otherwise. Any thread.
        """
        verb = self._desk.operation(name, Door.MQTT).verb
        caller = self._caller(token, verb)
        request = _arguments(verb, {"token": token, **(caller.arguments or {})}, caller)
        self._spend(caller)
        return request, caller

    # -- checking --------------------------------------------------------------------------------------------------

    def _carried_out(self, name: str, waiting: Waiting) -> Accepted:
        verb = self._desk.operation(name, Door.MQTT).verb
        if waiting.too_large or waiting.body is None:
            raise Refused(Refusal.TOO_LARGE, f"the request is larger than {LONGEST_REQUEST_BYTES} bytes")
        document = _document(waiting.body)
        token = document.pop("token", None)
        caller = self._caller(token, verb)
        if caller.arguments not in (None, document):
            raise Refused(Refusal.WRONG_ARGUMENTS, "the token is for other arguments", by=caller.by, id=caller.id)
        request = _arguments(verb, {"token": token, **document}, caller)
        if amiss := request.amiss_at(utc(self.clock.wall_ns())):
            raise Refused(Refusal.INVALID, amiss, by=caller.by, id=caller.id)
        if waiting.response_topic is not None and not self._may_answer(waiting.response_topic):
            reason = f"the answer must go below {self._topics().answer('')}, or outside of the nodes' topics"
            raise Refused(Refusal.BAD_RESPONSE_TOPIC, reason, by=caller.by, id=caller.id)
        self._spend(caller)
        result = self._desk.do(name, request, caller)
        return Accepted(verb=name, node=self._node, at=self._now, id=caller.jti, result=result)

    def _spend(self, caller: Caller) -> None:
        try:
            self._spent.spend(caller)
        except ReplayCacheError as error:
            raise Refused(Refusal.FAILED, str(error), by=caller.by, id=caller.id) from error

    def _caller(self, token: object, verb: Verb) -> Caller:
        path = self._key_file()
        if path is None:
            raise Refused(Refusal.NO_KEY, "this node takes no commands: [mqtt] command_key_file is not set")
        try:
            keys = read_hub_keys(path)
        except UplinkError as error:
            log.error("commands are refused: %s", error)
            raise Refused(Refusal.NO_KEY, f"this node takes no commands: {error.what}") from error
        caller = check_token(token, keys, self._node, self.clock)
        self._desk.admit(verb.name, caller)
        if caller.verb not in (None, verb.name):
            raise Refused(Refusal.WRONG_VERB, f"the token is for another command than {verb.name}", by=caller.by, id=caller.jti)
        return caller

    def _may_answer(self, topic: str, answer: Accepted | Refusing | None = None) -> bool:
        """Below its own `answer/`, and to whoever carries a good token also on what is no node's topic, where the broker's
        access list lets it: nobody else makes this node speak on a topic of their choice.
        """
        topics = self._topics()
        own = topics.takes_answer(topic)
        if isinstance(answer, Refusing) and (answer.id is None or answer.code not in VOUCHED_FOR):
            return own
        return own or not (topic.startswith((f"{topics.prefix}/", "$", f"{topics.discovery}/")) or topic == topics.prefix)

    # -- answering -------------------------------------------------------------------------------------------------

    def _refusing(self, name: str, refused: Refused) -> Refusing:
        self.refused += 1
        try:
            self._refusals.enter(name if name in COMMANDS else "", refused.code, refused.by)
        except RegisterError as error:
            log.error("a refused command is not entered yet: %s", error)
        verb = name if name in COMMANDS else ""
        return Refusing(
            verb=verb, node=self._node, at=self._now, id=refused.id, code=refused.code, reason=_short(str(refused), 2000)
        )

    def _answer(self, waiting: Waiting, answer: Accepted | Refusing) -> None:
        topic = waiting.response_topic
        if topic is None or not self._may_answer(topic, answer):
            return
        self._publish(
            Publication(
                topic,
                msgspec.json.encode(answer, enc_hook=str),  # what is said to people goes out in English
                1,
                False,
                expiry_s=ANSWER_EXPIRY_S,
                correlation_data=waiting.correlation_data,
                content_type="application/json",
            )
        )

    def _turn_away(self) -> None:
        """Refuse what found the queue full, and count what found no room even here."""
        busy = Refused(Refusal.BUSY, f"{MOST_WAITING} requests wait already: ask again, with a new token")
        while len(self._turned_away):
            waiting = self._turned_away.get(0)
            if waiting is not None:
                self._answer(waiting, self._refusing(waiting.verb, busy))
        while self._counted < self._turned_away.dropped:
            self._counted += 1
            self._refusing("", busy)

    def _turn_away_the_rest(self) -> None:
        stopping = Refused(Refusal.BUSY, "the node is stopping: ask again, with a new token")
        while len(self._queue):
            waiting = self._queue.get(0)
            if waiting is not None:
                self._answer(waiting, self._refusing(waiting.verb, stopping))

    def _settle(self, *, now: bool = False) -> None:
        try:
            self._refusals.settle(now=now)
        except RegisterError as error:
            log.error("refused commands are not entered yet: %s", error)

    @property
    def _node(self) -> str:
        return self._topics().node_id

    @property
    def _now(self) -> str:
        return rfc3339(self.clock.wall_ns())


class Waiting:
    """A request in the queue, cut to what is allowed: hostile sizes are let go before they are queued."""

    __slots__ = ("body", "correlation_data", "response_topic", "too_large", "verb")

    def __init__(self, message: Received) -> None:
        self.verb = NodeTopics.verb(message.topic)[:64]
        self.too_large = len(message.payload) > LONGEST_REQUEST_BYTES
        self.body: bytes | None = None if self.too_large else message.payload
        topic = message.response_topic
        unfit = topic is None or not 0 < len(topic) <= LONGEST_RESPONSE_TOPIC or any(c in topic for c in "#+\0")
        self.response_topic = None if unfit else topic
        data = message.correlation_data
        self.correlation_data = data if data is not None and len(data) <= LONGEST_CORRELATION_BYTES else None


def _document(body: bytes) -> dict[str, object]:
    try:
        document = msgspec.json.decode(body)
    except RecursionError:
        raise Refused(Refusal.MALFORMED, "the request is nested too deeply") from None
    except UnicodeDecodeError:
        raise Refused(Refusal.MALFORMED, "the request is no JSON: it is not in UTF-8") from None
    except msgspec.DecodeError as error:
        why = str(error).removeprefix("JSON is malformed: ").partition(" - at ")[0]
        raise Refused(Refusal.MALFORMED, f"the request is no JSON: {_short(why[:1].lower() + why[1:])}") from None
    if not isinstance(document, dict):
        raise Refused(Refusal.MALFORMED, "the request is no JSON object")
    return document


def _arguments(verb: Verb, document: Mapping[str, object], caller: Caller) -> Arguments:
    try:
        return verb.request.checked(document)
    except WrongArguments as wrong:
        raise Refused(Refusal.INVALID, _in_words(wrong.faults), by=caller.by, id=caller.jti) from None


def _in_words(faults: Sequence[tuple[str, str]]) -> str:
    """Every wrong argument, the first few of a request that holds little else."""
    more = len(faults) - MOST_NAMED
    words = "; ".join(f"{_short(name) or 'the request'}: {_short(what)}" for name, what in faults[:MOST_NAMED])
    return words + (f"; and {more} more" if more > 0 else "")


def _short(text: str, most: int = 160) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text[:most])
