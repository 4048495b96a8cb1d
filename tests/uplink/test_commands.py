"""Commands to a whole node over a real broker: who may, what happens, what the answer and the register say."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest

from agent.base.clock import rfc3339
from tests.support.deadline import until
from tests.support.decoded import still
from tests.support.town import Town, running_town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for all tests of this file."""
    with running_town(tmp_path_factory.mktemp("town")) as town:
        yield town


def span(seconds_ago: float = 60, seconds: float = 30) -> dict[str, str]:
    """A span of time that is over, as a request gives it."""
    begins = time.time() - seconds_ago
    return {"from_": rfc3339(int(begins * 1e9)), "to": rfc3339(int((begins + seconds) * 1e9))}


def test_ping_is_answered_for_every_role(town: Town) -> None:
    """Result, node and the token's number come back."""
    for role in ("operator", "supervisor", "technician", "police"):
        token = town.key.token(role=role, jti=f"ping-{role}")
        answer = town.desk.ask("ping", token)
        assert (answer["ok"], answer["node"], answer["verb"], answer["id"]) == (True, "pole-7", "ping", f"ping-{role}")
        assert answer["result"]["uptime_s"] > 0


def test_a_command_is_carried_out_once(town: Town) -> None:
    """The same request again is refused as replayed, and the register shows one acceptance."""
    token = town.key.token(jti="only-once")
    assert town.desk.ask("set-health-interval", token, seconds=5)["result"] == {"seconds": 5.0}
    again = town.desk.ask("set-health-interval", token, seconds=7)
    assert (again["ok"], again["code"]) == (False, "replayed")
    accepted = [line for line in town.register() if line["facts"].get("id") == "only-once"]
    assert [line["facts"]["outcome"] for line in accepted] == ["accepted"]
    assert accepted[0]["by"] == "M. Dupont (supervisor)"
    assert accepted[0]["facts"]["seconds"] == 5


def test_the_health_interval_is_bounded(town: Town) -> None:
    """Neither a flood nor silence can be asked for."""
    for seconds in (0, 0.5, 3601, 1e300, "5", None, True):
        answer = town.ask("set-health-interval", seconds=seconds)
        assert (answer["code"], "seconds" in answer["reason"]) == ("invalid", True), seconds


def test_every_wrong_argument_is_named(town: Town) -> None:
    """Who asks wrongly learns all of it at once, in words."""
    reason = town.ask("bookmark", "operator", incident="", colour="red")["reason"]
    assert all(words in reason for words in ("from: is missing", "to: is missing", "incident: ", "colour: is not known here"))
    assert "Input" not in reason
    reason = town.ask("bookmark", "operator", **{f"key{n}": n for n in range(40)})["reason"]
    assert reason.endswith("; and 38 more")


@pytest.mark.parametrize(
    ("verb", "role"),
    [
        ("snapshot", "technician"),
        ("snapshot", "police"),
        ("hold", "operator"),
        ("hold", "technician"),
        ("reload", "operator"),
        ("reload", "police"),
        ("set-health-interval", "operator"),
        ("bookmark", "technician"),
        ("export-request", "technician"),
        ("request-full-state", "police"),
        ("resend", "police"),
    ],
)
def test_a_role_does_what_is_its_own(town: Town, verb: str, role: str) -> None:
    """What the role is not for is refused before anything else is looked at, and whose it is is said."""
    answer = town.ask(verb, role)
    assert (answer["code"], "supervisor" in answer["reason"]) == ("forbidden", True)


def test_a_token_bound_to_a_verb_serves_no_other(town: Town) -> None:
    """Whoever steals it cannot do something else with it."""
    assert town.desk.ask("reload", town.key.token(verb="ping"))["code"] == "wrong-verb"
    assert town.desk.ask("reload", town.key.token(role="mayor"))["code"] == "unknown-role"
    assert town.desk.ask("ping", town.key.token(verb="ping"))["ok"]


def test_a_token_bound_to_its_arguments_serves_no_others(town: Town) -> None:
    """Whoever carries the request can change, add or take away nothing of what the hub signed."""
    signed = {"seconds": 5}
    for seconds in (6, 3600):
        answer = town.desk.ask("set-health-interval", town.key.token(arguments=signed), seconds=seconds)
        assert (answer["ok"], answer["code"]) == (False, "wrong-arguments")
    assert town.desk.ask("ping", town.key.token(arguments=signed))["code"] == "wrong-arguments"
    assert town.desk.ask("ping", town.key.token(arguments="all"))["code"] == "incomplete"
    assert town.desk.ask("set-health-interval", town.key.token(arguments=signed), seconds=5)["ok"]
    assert town.desk.ask("ping", town.key.token(arguments={}))["ok"]


def test_a_snapshot_is_masked_and_small(town: Town) -> None:
    """The picture in the answer shows one colour where the private windows are, and life elsewhere; nobody else gets it."""
    answer = town.ask("snapshot", "operator", width=768)
    result = answer["result"]
    jpeg = base64.b64decode(result["jpeg"])
    assert len(jpeg) <= 48 * 1024
    assert not result["opaque"]
    picture = still(jpeg)
    height, width = picture.shape[:2]
    for polygon in town.node.polygons:
        inside = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inside, [np.round(np.array(polygon) * (width, height)).astype(np.int32)], 255)
        within = cv2.erode(inside, np.ones((17, 17), np.uint8))  # JPEG smears over its own blocks
        if within.any():
            assert float(picture[within > 0].std(axis=0).max()) < 4
    assert float(picture.std()) > 20
    assert not [heard for heard in town.hub.heard if jpeg in heard.payload]


def test_a_bookmark_is_an_event_and_an_entry(town: Town) -> None:
    """The incident's number and span reach the hub and the register."""
    answer = town.ask("bookmark", "operator", incident="26-004711", note="red car", **span())
    sequence = str(answer["result"]["sequence"])
    heard = town.hub.wait_for(lambda all_heard: any(h.properties.get("sequence") == sequence for h in all_heard))
    event = next(h for h in heard if h.properties.get("sequence") == sequence)
    assert event.topic.endswith("/onvif-ej/RecordingConfig/vigie:Bookmark/&pole-7")
    data = json.loads(event.payload)["Data"]
    assert (data["Incident"], data["Note"], data["By"]) == ("26-004711", "red car", "M. Dupont (operator)")
    assert any(line["facts"].get("incident") == "26-004711" for line in town.register())


def test_an_export_is_asked_for_not_made(town: Town) -> None:
    """The wish reaches whoever exports; no film is written."""
    until(town.node.recordings, "something is recorded")
    answer = town.ask("export-request", "police", reference="PV 2026/123", **span(60, 60))
    assert answer["result"]["footage"] is True
    sequence = str(answer["result"]["sequence"])
    town.hub.wait_for(lambda heard: any(h.properties.get("sequence") == sequence for h in heard))
    assert not list(town.node.directory.rglob("*export*.mp4"))


def test_a_hold_needs_its_reference_and_ends(town: Town) -> None:
    """Held by the police for a reference, within 31 days, in the past, for a day at most."""
    until(town.node.recordings, "something is recorded")
    answer = town.ask("hold", "police", reference="PV 2026/123", **span(60, 60))
    assert answer["ok"], answer
    until(lambda: town.health()["recording"]["holds"] == 1, "health counts the hold")
    listed = town.node.vigie("hold", "list", "--json", "--config", str(town.node.config)).stdout
    assert "PV 2026/123" in listed
    assert town.ask("hold", "police", **span())["code"] == "invalid"
    assert town.ask("hold", "police", reference="  ", **span())["code"] == "invalid"
    assert town.ask("hold", "police", reference="PV 1", **span(0, 3600))["code"] == "invalid"
    assert town.ask("hold", "police", reference="PV 1", **span(90_000, 86_401))["code"] == "invalid"
    late = town.ask("hold", "police", reference="PV 1", until="2199-01-01T00:00:00Z", **span(60, 60))
    assert (late["code"], "31 days" in late["reason"]) == ("failed", True)


def test_a_span_that_is_not_there_is_said_at_once(town: Town) -> None:
    """A day before the camera hung here, or tomorrow: no film is promised. What is noted of such a time says so."""
    for verb in ("export-request", "hold"):
        answer = town.ask(verb, "police", reference="PV 1", **span(3 * 86_400, 60))
        assert (answer["code"], "nothing was recorded" in answer["reason"]) == ("no-footage", True)
        answer = town.ask(verb, "police", reference="PV 1", **span(-60, 60))
        assert (answer["code"], "from and to: in the future" in answer["reason"]) == ("invalid", True)
    assert town.ask("bookmark", "operator", incident="1", **span(-60, 60))["code"] == "invalid"
    assert town.ask("bookmark", "operator", incident="1", **span(3 * 86_400, 60))["result"]["footage"] is False


def test_nobody_without_a_good_token_makes_the_node_speak_elsewhere(town: Town) -> None:
    """Forged, used before, over, or for another node: refused below the node's own `answer/`, and on no topic of their choice."""
    used = town.key.token(jti="used-once")
    assert town.desk.ask("ping", used)["ok"]
    now_s = int(time.time())
    for token in ("forged", used, town.key.token("pole-8"), town.key.token(iat=now_s - 200, exp=now_s - 100)):
        town.desk.send("ping", json.dumps({"token": token}).encode(), "centre/doors/open")
        assert not town.desk.ask("ping", token)["ok"]
    assert not town.hub.on("centre/doors/open")
    town.desk.send("reload", json.dumps({"token": town.key.token(role="police")}).encode(), "centre/answers/2")
    town.hub.wait_for(lambda heard: any(h.topic == "centre/answers/2" and b"forbidden" in h.payload for h in heard))


def test_the_full_state_comes_again(town: Town) -> None:
    """Birth, properties and health are sent anew."""
    before = len(town.hub.on("/status"))
    assert town.ask("request-full-state", "technician")["ok"]
    town.hub.wait_for(lambda heard: len([h for h in heard if h.topic.endswith("/status")]) > before)


def test_a_hub_that_lost_its_memory_gets_the_events_again(town: Town) -> None:
    """What it had comes once more under its own number and id, marked, and no state is retained by it."""
    heard = town.hub.wait_for(lambda heard: any("OutboxEpoch" in h.topic for h in heard))
    first = next(h for h in heard if "OutboxEpoch" in h.topic)
    answer = town.ask("resend", epoch=first.properties["epoch"], from_=1, to=3)
    assert (answer["ok"], answer["result"]["next"]) == (True, None)
    assert answer["result"]["resent"] + answer["result"]["waiting"] == 3
    again = town.hub.wait_for(lambda heard: any("OutboxEpoch" in h.topic and "resent" in h.properties for h in heard))
    resent = [h for h in again if "resent" in h.properties]
    assert (resent[0].event_id, resent[0].sequence, resent[0].payload) == (first.event_id, 1, first.payload)
    assert not any(h.retain for h in resent)


def test_a_span_of_numbers_begins_before_it_ends(town: Town) -> None:
    """Refused in words; a count that this node never bore has nothing, and says so."""
    assert "from" in town.ask("resend", epoch="x", from_=3, to=1)["reason"]
    assert town.ask("resend", epoch="x", from_=1, to=7)["result"] == {"resent": 0, "waiting": 0, "gone": 7, "next": None}


def test_reload_takes_a_good_file_and_refuses_a_bad_one(town: Town) -> None:
    """The findings of a bad file come back in the answer, and the node goes on as it was."""
    text = town.node.config.read_text()
    digest = town.health()["config_digest"]
    town.node.config.write_text(text + "\n[nonsense]\n")
    refused = town.ask("reload", "technician")
    assert (refused["code"], "nonsense" in refused["reason"]) == ("failed", True)
    assert town.health()["config_digest"] == digest
    town.node.config.write_text(text.replace("health_seconds = 2", "health_seconds = 3"))
    assert town.ask("reload", "technician")["ok"]
    until(lambda: town.health()["config_digest"] != digest, "the new configuration is in force")
    assert town.ask("ping")["ok"]


def test_a_reload_takes_back_the_interval_the_centre_asked_for(town: Town) -> None:
    """Also with a file that did not change: health comes by the file's interval again, within a test's patience."""
    assert town.ask("set-health-interval", seconds=3600)["ok"]
    assert town.ask("reload", "technician")["ok"]
    before = sum(each.topic.endswith("/health") for each in town.hub.heard)
    # Two come at once: one for the command, one for the reload. The third comes by the interval.
    until(lambda: sum(each.topic.endswith("/health") for each in town.hub.heard) >= before + 4, "health comes regularly", 30)


def test_an_answer_never_goes_where_it_could_deceive(town: Town) -> None:
    """Not on a topic of a node, and nothing is carried out for it."""
    for topic in ("vigie/pole-7/status", "vigie/pole-8/health", "vigie/pole-8/command/reload", "$SYS/x"):
        payload = json.dumps({"token": town.key.token(jti="deceit"), "seconds": 9}).encode()
        town.desk.send("set-health-interval", payload, topic)
    elsewhere = json.dumps({"token": town.key.token()}).encode()
    town.desk.send("ping", elsewhere, "centre/answers/1")
    town.hub.wait_for(lambda heard: any(h.topic == "centre/answers/1" and json.loads(h.payload)["ok"] for h in heard))
    assert not [h for h in town.hub.heard if h.topic in ("vigie/pole-8/health", "vigie/pole-8/command/reload", "$SYS/x")]
    assert not [line for line in town.register() if line["facts"].get("id") == "deceit"]


def test_recordings_play_on(town: Town) -> None:
    """Whatever was asked, the camera recorded all along."""
    until(town.node.recordings, "something is recorded")
    with av.open(str(town.node.recordings()[0])) as film:
        assert next(film.decode(video=0)).width == 768
