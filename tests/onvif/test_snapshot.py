"""A snapshot is a look: entered before its first byte, under the lease, at a bounded pace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.onvif import snapshot_pace
from agent.onvif.snapshot_pace import SnapshotPace
from agent.ports.live import Transport
from agent.stream.snapshot import Still
from tests.onvif.test_login import digest_of
from tests.support.deadline import until
from tests.support.onvif_house import OnvifHouse, SoapAnswer

PATH = "/onvif/snapshot"


def taken(house: OnvifHouse) -> SoapAnswer:
    """By a lease in force."""
    return house.request("GET", PATH, headers={"Authorization": digest_of(house, PATH, house.secret.password)})


@pytest.fixture
def house_again(fresh: OnvifHouse) -> Iterator[OnvifHouse]:
    """Whose register and camera work again afterwards."""
    yield fresh
    fresh.gate.no_register, fresh.gate.most, fresh.camera.works = False, 100, True


def test_it_is_entered_before_and_ended_after(fresh: OnvifHouse) -> None:
    """With the lease and the way."""
    answer = taken(fresh)
    assert (answer.status, answer.body) == (200, b"\xff\xd8 a picture")
    assert ("Cache-Control", "no-store") in answer.headers
    until(lambda: len(fresh.gate.register) == 2, "it is ended")
    begun, ended = fresh.gate.register
    assert (begun.lease, begun.transport, begun.why) == (fresh.secret.lease, Transport.SNAPSHOT, "")
    assert ended.why


def test_without_an_entry_there_is_no_picture(house_again: OnvifHouse) -> None:
    """The camera is not even asked."""
    house_again.gate.no_register = True
    asked = house_again.camera.asked
    answer = taken(house_again)
    assert (answer.status, b"\xff\xd8" in answer.body) == (503, False)
    assert house_again.camera.asked == asked


def test_one_too_many_and_a_camera_without_pictures_are_told(house_again: OnvifHouse) -> None:
    """In a sentence."""
    house_again.gate.most = 0
    assert "as many look as may" in taken(house_again).text
    house_again.gate.most, house_again.camera.works = 100, False
    answer = taken(house_again)
    assert (answer.status, "no picture came" in answer.text) == (503, True)
    until(lambda: not house_again.gate.looks, "no look stays open")


def test_where_the_picture_goes_through_tls_alone_there_is_no_snapshot(tmp_path: Path) -> None:
    """Neither its address nor the picture; the stream is led to by RTSPS."""
    with OnvifHouse(tmp_path, live={"enabled": True, "rtsp_port": 0}, onvif={"host": "0.0.0.0"}) as house:
        token = "<e:ProfileToken>main</e:ProfileToken>"
        assert "TLS alone" in house.ask("media", "GetSnapshotUri", token).text
        assert house.request("GET", PATH).status == 404
        assert house.ask("media", "GetStreamUri", token).says("Uri") == ["rtsps://127.0.0.1:8322/live"]
        assert house.ask("media2", "GetStreamUri", token).says("Uri") == ["rtsps://127.0.0.1:8322/live"]


def test_all_who_wait_share_the_next_picture_and_none_gets_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty ask at once and cost two pictures at most; who asks after a picture was begun waits for the one after it."""
    monkeypatch.setattr(snapshot_pace, "EVERY_S", 0.01)
    made: list[int] = []

    def take() -> Still:
        made.append(len(made))
        return Still(bytes([len(made)]), "", False, "", "")

    async def ask() -> tuple[list[bytes], bytes]:
        pace = SnapshotPace(take)
        stills = await asyncio.gather(*(pace.next() for _ in range(20)))
        return [still.jpeg for still in stills], (await pace.next()).jpeg

    shared, next_one = asyncio.run(ask())
    assert len(set(shared)) == 1
    assert next_one != shared[0]
    assert len(made) == 2
