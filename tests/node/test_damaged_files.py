"""Every file of `view/` and the configuration damaged under a running daemon: whatever comes out meanwhile is looked at.

One real daemon on film, in real time; recordings, preview, snapshots and the stills beside events are decoded, and not
one of their pictures shows a private sample.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import re
import shutil
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from agent.config.load import load
from agent.identity.node_key import IdentityDirectory
from agent.view.guard import view_identity
from agent.view.store import ViewStore
from tests.support.deadline import until
from tests.support.private_look import CODEC_TOLERANCE, JPEG_TOLERANCE, deviation, is_closed, jpeg_deviation
from tests.support.town import Town, running_town
from tests.support.whole_node import decoded

OFTEN = "min_area = 0.01\nhold_seconds = 0"
"""Motion begins again and again, and each beginning brings a still."""
SEED = int(os.environ.get("VIGIE_SEED", "20261123"))
"""VIGIE_SEED=1 flips other bits."""
FLIPS_PER_FILE = 6
Damage = Callable[[Path], object]


class Viewer:
    """Somebody who looks at the local page all the time, and at every picture closely."""

    def __init__(self, town: Town) -> None:
        self.worst = self.pictures = 0
        found = re.search(r"the local page is at (\S+)", town.node.log())
        assert found is not None
        self._page = urlsplit(found[1])
        self._polygons = tuple(town.node.polygons)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        connection = http.client.HTTPConnection(str(self._page.hostname), self._page.port or 80, timeout=60)
        connection.request("GET", "/preview.mjpeg")
        answer = connection.getresponse()
        while not self._over.is_set():
            line = answer.readline()
            if line.lower().startswith(b"content-length:"):
                answer.readline()
                picture = answer.read(int(line.split(b":")[1]))
                self.pictures += 1
                self.worst = max(self.worst, jpeg_deviation(picture, self._polygons))
        connection.close()

    def __enter__(self) -> Viewer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


@dataclass
class Watched:
    """A town under the eyes of a viewer, and the state of its picture by snapshots that are looked at as well."""

    town: Town
    worst: int = 0
    snapshots: int = 0

    @property
    def view(self) -> Path:
        return self.town.node.directory / "state" / "view"

    def closed(self, patience_s: float = 15) -> bool:
        """Whether the picture is closed now; the snapshot that tells it is looked at."""
        request = json.dumps({"token": self.town.key.token(role="operator"), "width": 768}).encode()
        answer = self.town.desk.answer(self.town.desk.send("snapshot", request), patience_s)
        assert answer["ok"], answer
        result = answer["result"]
        self.snapshots += 1
        self.worst = max(self.worst, jpeg_deviation(base64.b64decode(result["jpeg"]), self.town.node.polygons))
        assert isinstance(result["opaque"], bool)
        return result["opaque"]

    def film_on(self, pictures: int) -> None:
        """Wait for so many more pictures."""
        end = self.town.health()["camera"]["captured"] + pictures
        until(lambda: self.town.health().get("camera", {}).get("captured", 0) >= end, "the node films on")

    def reload(self) -> None:
        """SIGHUP."""
        os.kill(self.town.pid, signal.SIGHUP)


@contextmanager
def watched(directory: Path) -> Iterator[Watched]:
    """A running town; at the end every picture that left it in any way is decoded and looked at."""
    with running_town(directory, "event_stills = true", OFTEN) as town, Viewer(town) as viewer:
        found = Watched(town)
        assert not found.closed()
        yield found
        until(lambda: not found.closed(), "restored, the picture opens by itself")
        until(lambda: any("/still/" in heard.topic for heard in town.hub.heard), "a still beside an event came")
    polygons = tuple(town.node.polygons)
    pictures = [planes for segment in town.node.recordings() for planes in decoded(segment)]
    worst = max(deviation(planes, polygons) for planes in pictures)
    assert worst <= CODEC_TOLERANCE, "a private sample in the recording"
    shut = sum(is_closed(planes) for planes in pictures)
    assert len(pictures) > 100
    assert len(pictures) - shut > 20, "some pictures must be open, or this shows nothing"
    assert viewer.pictures > 50
    assert viewer.worst <= JPEG_TOLERANCE, "a private sample on the local page"
    assert found.worst <= JPEG_TOLERANCE, "a private sample in a snapshot"
    for heard in town.hub.heard:
        if "/still/" in heard.topic:
            assert jpeg_deviation(heard.payload, polygons) <= JPEG_TOLERANCE, "a private sample beside an event"


def flipped(where: float, bit: int) -> Damage:
    """One bit, at this fraction of the file."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(where * len(content))] ^= 1 << bit
        path.write_bytes(content)

    return damage


def cut(share: float) -> Damage:
    """The beginning of the file alone."""
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def pipe(path: Path) -> None:
    """A pipe nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    """A directory of that name."""
    path.unlink()
    path.mkdir()


def dangling(path: Path) -> None:
    """A link to nothing."""
    path.unlink()
    path.symlink_to("nowhere")


def endless(path: Path) -> None:
    """A link to a device that never ends."""
    path.unlink()
    path.symlink_to("/dev/zero")


def linked(path: Path) -> None:
    """A link to the right content, elsewhere."""
    path.symlink_to(path.rename(path.with_suffix(".elsewhere")))


def no_permission(path: Path) -> None:
    """Nobody may read it; root may all the same."""
    path.chmod(0)


def damages(seed: int) -> dict[str, Damage]:
    """By name, seeded: each region of the file loses a bit, and everything that can lie in a file's place does."""
    chosen = random.Random(seed)
    found: dict[str, Damage] = {}
    for region in range(FLIPS_PER_FILE):
        where = (region + chosen.random()) / FLIPS_PER_FILE
        found[f"bit flipped at {where:.2f}"] = flipped(min(where, 0.999), chosen.randrange(8))
    for share in (chosen.uniform(0.01, 0.5), chosen.uniform(0.5, 0.99)):
        found[f"cut at {share:.2f}"] = cut(share)
    found["emptied"] = lambda path: path.write_bytes(b"")
    found["deleted"] = Path.unlink
    return found | {each.__name__: each for each in (directory, dangling, endless, linked, pipe, no_permission)}


def clear_away(path: Path) -> None:
    """Whatever lies there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def foreign_pairs(watched: Watched, at: Path) -> dict[str, Path]:
    """Folders with a reference that is sound and not for this: another node's, and this node's own for something else."""
    config = load(watched.town.node.config)
    own = IdentityDirectory(config.identity_dir, None).load()
    other = IdentityDirectory(at / "identity", None).init("pole-8")
    reference = ViewStore(config.node.state_dir).load(view_identity(config), own)
    identity = reference.identity
    found = {"another node's": (reference, other)}
    found |= {
        "for other masks": (replace(reference, identity=replace(identity, masks="0" * 64)), own),
        "for another camera": (replace(reference, identity=replace(identity, camera="rtsp://10.0.0.9/stream")), own),
        "for another resolution": (replace(reference, identity=replace(identity, width=1280, height=720)), own),
        "for a turned camera": (replace(reference, identity=replace(identity, rotation=180)), own),
    }
    for name, (each, signer) in found.items():
        ViewStore(at / name).save(each, signer.sign)
    return {name: at / name / "view" for name in found}


def chaos(node: Watched, pairs: list[dict[str, bytes]]) -> None:
    """Five seconds of film during which the files change many times between two looks of the daemon, torn and mixed."""
    chosen = random.Random(SEED)
    end = node.town.health()["camera"]["captured"] + 50
    while node.town.health().get("camera", {}).get("captured", 0) < end:
        for _ in range(chosen.randrange(1, 20)):
            name = chosen.choice(("reference.json", "reference.sig"))
            clear_away(node.view / name)
            (node.view / name).write_bytes(chosen.choice(pairs)[name])
            if chosen.random() < 0.3:
                chosen.choice([flipped(chosen.random(), chosen.randrange(8)), cut(chosen.random()), Path.unlink, pipe])(
                    node.view / name
                )


def test_no_damage_to_the_files_of_the_view_shows_a_private_sample(tmp_path: Path) -> None:
    """Each damage closes the picture within moments, nothing blocks, and restored files open it without anyone's hand."""
    with watched(tmp_path) as node:
        kept = {name: (node.view / name).read_bytes() for name in ("reference.json", "reference.sig")}
        older = foreign_pairs(node, tmp_path / "foreign")

        def restore() -> None:
            for name, content in kept.items():
                clear_away(node.view / name)
                (node.view / name).write_bytes(content)
            clear_away(node.view / "closed")

        def opens_again() -> None:
            restore()
            until(lambda: not node.closed(), "restored, the picture opens")

        for number, name in enumerate(kept):
            for count, (words, damage) in enumerate(damages(SEED + number).items()):
                if count % 5 == 0:
                    opens_again()
                restore()
                damage(node.view / name)
                if damage is no_permission and os.geteuid() == 0:
                    node.film_on(12)
                else:
                    until(node.closed, f"{name} {words} closes the picture", 20)
                    node.film_on(3)
        for words, folder in older.items():
            restore()
            for name in kept:
                (node.view / name).write_bytes((folder / name).read_bytes())
            node.film_on(12)
            assert node.closed(), words
            restore()
            (node.view / "reference.sig").write_bytes((folder / "reference.sig").read_bytes())
            node.film_on(12)
            assert node.closed(), f"half of one {words}"
        opens_again()
        chaos(node, [kept, *({name: (folder / name).read_bytes() for name in kept} for folder in older.values())])
        opens_again()
        for put in (Path.touch, pipe, directory, dangling, endless):
            (node.view / "closed").touch()
            put(node.view / "closed")
            until(node.closed, f"`closed` as {put.__name__} closes the picture", 20)
            clear_away(node.view / "closed")
        shutil.rmtree(node.view)
        until(node.closed, "without its folder the picture closes", 20)
        node.view.mkdir()
        restore()


def test_no_damage_to_the_configuration_shows_a_private_sample(tmp_path: Path) -> None:
    """Refused, the former masks stay; taken over with other masks, the picture closes; nothing blocks, nothing ends."""
    with watched(tmp_path) as node:
        config = node.town.node.config
        good = config.read_text()
        masks = good.index("[[privacy.mask]]")

        def wrote(text: str) -> Damage:
            return lambda path: path.write_text(text)

        tried = damages(SEED) | damages(SEED + 1) | damages(SEED + 2)
        polygons = range(good.index("polygon"), len(good))
        chosen = random.Random(SEED)
        tried |= {f"bit flipped in a polygon, {n}": flipped(chosen.choice(polygons) / len(good), n % 8) for n in range(8)}
        tried["no mask at all"] = wrote(good[:masks])
        tried["one mask less"] = wrote(good[: good.rindex("[[privacy.mask]]")])
        tried["masks moved away"] = wrote(re.sub(r"\[0\.(\d)", lambda found: f"[0.{9 - int(found[1])}", good))
        tried["another file's drop-in"] = lambda path: _drop_in(path, "[privacy]\nmargin = 0.0\nmask = []\n")
        tried["a statement without a name"] = wrote(good[:masks] + '[privacy.none_needed]\nwhy = "x"\n')
        for damage in tried.values():
            damage(config)
            node.reload()
            node.film_on(5)
            with suppress(AssertionError):  # a damaged [mqtt] is another broker or another hub's key
                node.closed(2)
            assert stat.S_ISSOCK((node.view.parent / "run" / "control.sock").stat().st_mode)
            clear_away(config)
            clear_away(config.with_suffix(".d"))
            config.write_text(good)
        node.reload()
        until(lambda: node.town.health().get("uplink", {}).get("state") == "online", "restored, the node is online")
        until(lambda: not node.closed(), "restored, the picture opens")
        assert node.snapshots > len(tried) / 2


def _drop_in(path: Path, text: str) -> None:
    path.with_suffix(".d").mkdir()
    (path.with_suffix(".d") / "50-masks.toml").write_text(text)


def test_the_look_can_fail(tmp_path: Path) -> None:
    """The same look finds clear samples where no mask was, in the recording and on a still."""
    with running_town(tmp_path, "event_stills = true", OFTEN) as town:
        shifted = tuple(tuple((x, y + 0.4) for x, y in polygon) for polygon in town.node.polygons)
        town.hub.wait_for(lambda heard: any("/still/" in each.topic for each in heard), 120)
        (still, *_) = [each.payload for each in town.hub.heard if "/still/" in each.topic]
    assert jpeg_deviation(still, shifted) > 2 * JPEG_TOLERANCE
    pictures = [planes for segment in town.node.recordings() for planes in decoded(segment)]
    assert max(deviation(planes, shifted) for planes in pictures) > 5 * CODEC_TOLERANCE
