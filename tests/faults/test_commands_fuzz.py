"""Ten thousand hostile commands: each refused with a reason and counted in the register, and nothing grows."""

from __future__ import annotations

import base64
import gc
import itertools
import json
import logging
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from agent.base.clock import NS
from agent.journal.chain import parse
from agent.journal.parts import lines
from agent.journal.register import Register
from agent.operations.caller import Refusal
from agent.operations.payloads import Done
from agent.operations.verbs import COMMANDS, Verb
from agent.ports.mqtt import Publication, Received
from agent.uplink.commands import Commands, Waiting
from agent.uplink.replay_cache import ReplayCache
from agent.uplink.topics import NodeTopics
from tests.support.deadline import until
from tests.support.desks import desk
from tests.support.hostile_json import CONVERTIBLE, ILL_CODED, with_text
from tests.support.hub_key import HubKey
from tests.support.manual_clock import ManualClock

COUNT = 10_000
TOPICS = NodeTopics("vigie", "pole-7")
SPAN = {"from": "2026-06-01T11:00:00Z", "to": "2026-06-01T11:10:00Z"}
GOOD: dict[str, dict[str, Any]] = {
    "set-health-interval": {"seconds": 5},
    "bookmark": {"incident": "26-1", **SPAN},
    "hold": {"reference": "PV 1", **SPAN},
    "export-request": {"reference": "PV 1", **SPAN},
    "snapshot": {"width": 320},
}


class Enemy:
    """Makes hostile requests of every kind, from a seed."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        self.hub = HubKey(directory / "hub.pem", clock=clock)
        self.stranger = HubKey(directory / "stranger.pem", clock=clock)
        self.dice = random.Random(20)
        self.used = [self.request("ping", self.hub.token()) for _ in range(20)]
        self.kinds: list[Callable[[], tuple[str, bytes]]] = [
            self.replayed, self.expired, self.from_tomorrow, self.for_another, self.unsigned_alg, self.by_a_stranger, self.bent,
            self.eternal, self.without_a_claim, self.wrong_role, self.wrong_types, self.unknown_key, self.deep, self.huge,
            self.not_utf8, self.no_object, self.cut_short, self.unknown_verb, self.far_numbers, self.twice_the_token, self.noise,
            self.converted, self.ill_coded, self.bound_elsewhere, self.no_role_of_ours,
        ]  # fmt: skip

    def request(self, verb: str, token: object, **arguments: Any) -> tuple[str, bytes]:
        """A request with these arguments over good ones."""
        return verb, json.dumps({"token": token, **GOOD.get(verb, {}), **arguments}).encode()

    @property
    def verb(self) -> str:
        return self.dice.choice(list(COMMANDS))

    def replayed(self) -> tuple[str, bytes]:
        return self.dice.choice(self.used)

    def expired(self) -> tuple[str, bytes]:
        now_s = self.hub.clock.wall_ns() // NS
        return self.request(self.verb, self.hub.token(iat=now_s - 400, exp=now_s - self.dice.randint(10, 300)))

    def from_tomorrow(self) -> tuple[str, bytes]:
        now_s = self.hub.clock.wall_ns() // NS
        return self.request(self.verb, self.hub.token(iat=now_s + 86_400, exp=now_s + 86_460))

    def for_another(self) -> tuple[str, bytes]:
        audience = self.dice.choice(["pole-8", "pole-70", "", "*", ["pole-7", "pole-8"], {"pole-7": 1}, 7])
        claims = {**self.hub.claims(), "aud": audience}
        return self.request(self.verb, jwt.api_jws.encode(json.dumps(claims).encode(), self.hub.private, "ES256"))

    def unsigned_alg(self) -> tuple[str, bytes]:
        algorithm = self.dice.choice(["none", "None", "nOnE", "HS256", "RS256", "", None, 7, ["ES256"], {"a": 1}])
        parts = [json.dumps({"alg": algorithm, "typ": "JWT"}), json.dumps(self.hub.claims())]
        coded = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts]
        return self.request(self.verb, ".".join([*coded, self.dice.choice(["", "AAAA", "=", "\u0000"])]))

    def by_a_stranger(self) -> tuple[str, bytes]:
        return self.request(self.verb, self.stranger.token())

    def bent(self) -> tuple[str, bytes]:
        token = self.hub.token()
        at = self.dice.randrange(len(token) - 8)  # its last character holds bits that mean nothing
        other = "A" if token[at] != "A" else "B"
        return self.request(self.verb, token[:at] + other + token[at + 1 :])

    def eternal(self) -> tuple[str, bytes]:
        return self.request(self.verb, self.hub.token(exp=self.dice.choice([2**31, 2**53, 2**63, 10**400, 1.5e300, -1])))

    def without_a_claim(self) -> tuple[str, bytes]:
        missing: dict[str, Any] = {self.dice.choice(["sub", "role", "jti", "iat", "exp", "aud"]): None}
        return self.request(self.verb, self.hub.token(**missing))

    def wrong_role(self) -> tuple[str, bytes]:
        role = self.dice.choice(["technician", "operator"])
        return self.request("hold", self.hub.token(role=role))

    def bound_elsewhere(self) -> tuple[str, bytes]:
        bound: dict[str, Any] = self.dice.choice([{"verb": "none"}, {"arguments": {"a": 1}}])
        return self.request(self.verb, self.hub.token(**bound))

    def no_role_of_ours(self) -> tuple[str, bytes]:
        return self.request(self.verb, self.hub.token(role=self.dice.choice(["mayor", "", "Supervisor", "root"])))

    def wrong_types(self) -> tuple[str, bytes]:
        verb = self.dice.choice(list(GOOD))
        name = self.dice.choice(list(GOOD[verb]))
        wrong: Any = self.dice.choice([None, True, -1, 1e308, "", "x" * 5000, [], {}, [[["a"]]], {"a": {}}, "\u0000", "\u202e"])
        return self.request(verb, self.hub.token(), **{name: wrong})

    def unknown_key(self) -> tuple[str, bytes]:
        return self.request(self.verb, self.hub.token(), retention_days=30, masks=False)

    def deep(self) -> tuple[str, bytes]:
        depth = self.dice.choice([100, 1000, 8000])
        return self.verb, b'{"token":' + self.dice.choice([b"[" * depth, b'{"a":' * depth, b"[" * depth + b"]" * depth + b"}"])

    def huge(self) -> tuple[str, bytes]:
        return self.verb, b'{"token":"' + b"A" * self.dice.choice([5_000, 17_000, 200_000]) + b'"}'

    def not_utf8(self) -> tuple[str, bytes]:
        return self.verb, b'{"token":"' + self.dice.randbytes(30).replace(b'"', b"") + b'\xff\xc0\xaf"}'

    def no_object(self) -> tuple[str, bytes]:
        return self.verb, self.dice.choice([b"", b"null", b"[]", b'"x"', b"1e999", b"NaN", b"{}", b"\x00", b"{", b'{"token"}'])

    def cut_short(self) -> tuple[str, bytes]:
        verb, body = self.request(self.verb, self.hub.token())
        return verb, body[: self.dice.randrange(len(body))]

    def unknown_verb(self) -> tuple[str, bytes]:
        name = self.dice.choice(["", "clear", "../ping", "PING", "ping\u0000", "x" * 300, "unmask", "$SYS", "\u202egnip"])
        return name, json.dumps({"token": self.hub.token()}).encode()

    def far_numbers(self) -> tuple[str, bytes]:
        seconds = self.dice.choice(["1e400", "-0.0", "1" * 4000, "0x10", "3601", "Infinity", "NaN"])
        return "set-health-interval", f'{{"token":{json.dumps(self.hub.token())},"seconds":{seconds}}}'.encode()

    def converted(self) -> tuple[str, bytes]:
        verb, name, value = self.dice.choice(CONVERTIBLE)
        return verb, with_text(self.request(verb, self.hub.token())[1], name, value)

    def ill_coded(self) -> tuple[str, bytes]:
        verb, body = self.request(self.verb, self.hub.token())
        return verb, with_text(body, "more", self.dice.choice(ILL_CODED))

    def twice_the_token(self) -> tuple[str, bytes]:
        bad, good = json.dumps(self.stranger.token()), json.dumps(self.hub.token(exp=1, iat=0))
        return "reload", f'{{"token":{good},"token":{bad}}}'.encode()

    def noise(self) -> tuple[str, bytes]:
        return self.verb, self.dice.randbytes(self.dice.randrange(400))

    def attacks(self) -> Iterator[tuple[str, bytes]]:
        """Every kind in turn, for ever."""
        return (kind() for kind in itertools.cycle(self.kinds))


def message(verb: str, body: bytes) -> Received:
    """As the transport hands it over."""
    return Received(f"{TOPICS.root}/command/{verb}", body, response_topic=f"{TOPICS.root}/answer/desk", correlation_data=b"1")


def test_ten_thousand_hostile_commands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each is answered with a reason, none is carried out, all are in the register in few lines, and memory stays."""
    clock = ManualClock()
    enemy = Enemy(tmp_path, clock)
    register = Register(tmp_path / "register.jsonl", clock)
    answers: list[Publication] = []
    done: list[str] = []

    def carry_out(verb: Any, *_: Any) -> Done:
        done.append(verb.name)
        return Done()

    spent = ReplayCache(tmp_path / "commands.sqlite3", clock)
    commands = Commands(lambda: TOPICS, lambda: enemy.hub.path, spent, register, desk(register, carry_out), answers.append, clock)
    for verb, body in enemy.used:
        commands.take(Waiting(message(verb, body)))
    assert done == ["ping"] * 20
    answers.clear()
    codes: Counter[str] = Counter()
    grown = 0
    attacks = enemy.attacks()
    tracemalloc.start()
    try:
        with caplog.at_level(logging.ERROR):
            for n in range(COUNT):
                commands.take(Waiting(message(*next(attacks))))
                refusal = json.loads(answers.pop().payload or b"")
                assert not refusal["ok"]
                assert refusal["reason"]
                codes[refusal["code"]] += 1
                if n % 50 == 0:
                    clock.advance(1)
                if n == COUNT // 5:
                    gc.collect()
                    grown = tracemalloc.get_traced_memory()[0]
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - grown
    finally:
        tracemalloc.stop()
    commands.stop()
    commands.work()
    assert len(done) == 20
    assert grown < 64 * 1024, f"{grown} bytes more after the last 8,000 than after the first 2,000"
    assert not [record for record in caplog.records if record.exc_info]
    wanted = set(Refusal) - {
        Refusal.NO_KEY,
        Refusal.BUSY,
        Refusal.FAILED,
        Refusal.BAD_RESPONSE_TOPIC,
        Refusal.NO_FOOTAGE,
        Refusal.SPARED,
    }
    assert set(codes) == wanted
    assert counted(register.path) == codes
    assert len(list(lines(register.path))) < 100


def counted(register: Path) -> Counter[str]:
    """Refusals by reason, as the register tells them: singly and summed up."""
    found: Counter[str] = Counter()
    for line in map(parse, lines(register)):
        if line.facts.get("outcome") != "refused":
            continue
        if "count" in line.facts:
            found.update({code: int(str(n)) for code, n in line.facts.items() if code not in ("outcome", "count")})
        else:
            found[str(line.facts["code"])] += 1
    return found


def test_a_bug_behind_one_verb_ends_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What no verb should raise refuses that command, in words, in the register and the log; the next one is carried out."""
    clock = ManualClock()
    hub = HubKey(tmp_path / "hub.pem", clock=clock)
    register = Register(tmp_path / "register.jsonl", clock)
    answers: list[Publication] = []
    spent = ReplayCache(tmp_path / "commands.sqlite3", clock)

    def carry_out(verb: Verb, *_: object) -> Done:
        if verb.name == "ping":
            raise ZeroDivisionError("division by zero")
        return Done()

    commands = Commands(lambda: TOPICS, lambda: hub.path, spent, register, desk(register, carry_out), answers.append, clock)
    commands.start()
    for verb in ("ping", "request-full-state"):
        commands.offer(message(verb, json.dumps({"token": hub.token()}).encode()))
    until(lambda: len(answers) == 2, "both are answered")
    commands.stop()
    assert commands.join(60)
    first, second = (json.loads(answer.payload or b"") for answer in answers)
    assert (first["ok"], first["code"], "internal error" in first["reason"]) == (False, "failed", True)
    assert second["ok"]
    assert counted(register.path) == Counter({"failed": 1})
    (line,) = [record for record in caplog.records if "ZeroDivisionError" in record.getMessage()]
    assert line.exc_info is None


def test_a_flood_is_turned_away_and_counted(tmp_path: Path) -> None:
    """The session's thread never waits: what finds no room is refused as busy, and each is in the register."""
    clock = ManualClock()
    hub = HubKey(tmp_path / "hub.pem", clock=clock)
    register = Register(tmp_path / "register.jsonl", clock)
    answers: list[Publication] = []
    spent = ReplayCache(tmp_path / "commands.sqlite3", clock)
    commands = Commands(
        lambda: TOPICS, lambda: hub.path, spent, register, desk(register, lambda *_: Done()), answers.append, clock
    )
    for _ in range(1000):
        commands.offer(message("ping", b"{}"))
    commands.start()
    commands.stop()
    assert commands.join(60)
    assert counted(register.path).total() == 1000
    assert counted(register.path)["busy"] >= 1000 - 64
    assert len(answers) <= 64 + 64
