"""The folder `view/` and the guard a node runs with: whatever its files hold, the picture is masked or covered."""

from __future__ import annotations

import itertools
import threading
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.base.clock import SystemClock
from agent.base.errors import MaskError, RegisterError
from agent.config.model import CameraSettings, Config
from agent.journal.entry import Act, Journal
from agent.view.commissioning import ViewSample, checked_name, validate_view
from agent.view.guard import Guard, camera_identity, guard_for, view_identity
from agent.view.live_validation import LiveValidation
from agent.view.reference import ViewReference
from agent.view.store import ViewStore
from agent.view.verdict import ViewVerdict
from tests.support.configuration import configured
from tests.support.journals import Refusing, Remembered
from tests.support.node_key import NodeKey
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, frame, seen, street
from tests.support.turned_clock import TurnedClock

STREET = street()


def config(**changes: object) -> Config:
    """A node with two masks; `changes` replace keys of [camera] or whole tables."""
    camera = {"driver": "synthetic", "width": WIDTH, "height": HEIGHT}
    camera |= {k: v for k, v in changes.items() if k in ("width", "height", "rotation", "source", "driver")}
    masks = [{"name": n, "polygon": [list(c) for c in p]} for n, p in (("window", WINDOW), ("door", DOOR))]
    privacy = changes.get("privacy", {"mask": masks})
    return configured({"node": {"id": "n1"}, "camera": camera, "privacy": privacy})


def validated(state_dir: Path) -> None:
    """Commission the street."""
    assert commission(state_dir, Remembered()).guardable


def commission(state_dir: Path, journal: Journal, by: str = "A. Technician", *, lift: bool = False) -> ViewVerdict:
    """Validate the street, entered in this register."""
    sample = ViewSample(pictures=5)
    for i in range(200):
        if sample.offer(frame(seen(STREET, seed=i), i)):
            break
    return validate_view(sample, config(), state_dir, NodeKey().sign, journal, by=by, clock=TurnedClock(), lift=lift)


def look(guard: Guard, frames: int = 5) -> str:
    """What the guard says of the street after some frames; empty when the picture is clear."""
    said = [guard.observe(frame(seen(STREET, seed=i), i)).opaque for i in range(frames)]
    return said[-1]


def test_a_validated_view_opens(tmp_path: Path) -> None:
    """Validate, run: the picture is masked, not covered."""
    validated(tmp_path)
    assert look(guard_for(config(), tmp_path, NodeKey(), TurnedClock())) == ""


def test_without_a_reference_the_picture_is_covered_with_the_remedy(tmp_path: Path) -> None:
    """Masks alone do not open the picture."""
    assert "vigie masks validate" in look(guard_for(config(), tmp_path, NodeKey(), TurnedClock()))


def test_another_nodes_signature_is_refused(tmp_path: Path) -> None:
    """A reference copied from another node does not open this one."""
    validated(tmp_path)
    assert "signature" in look(guard_for(config(), tmp_path, NodeKey(b"another node"), TurnedClock()))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"rotation": 180}, "rotation (0, not 180)"),
        ({"width": 1280, "height": 720}, "width ("),
        ({"driver": "rtsp", "source": "rtsp://10.0.0.9/stream"}, "camera"),
        ({"privacy": {"mask": [{"name": "window", "polygon": [list(c) for c in WINDOW]}]}}, "mask set"),
    ],
)
def test_a_reference_for_something_else_is_refused(tmp_path: Path, change: dict[str, object], word: str) -> None:
    """Another rotation, resolution, camera or mask set: covered, and the reason names it."""
    validated(tmp_path)
    assert f"another {word}" in look(guard_for(config(**change), tmp_path, NodeKey(), TurnedClock()))


def test_no_mask_is_covered_and_only_the_statement_clears_it(tmp_path: Path) -> None:
    """Neither mask nor statement: covered. The statement: clear, and the cover says that it is by statement."""
    assert "no mask" in look(guard_for(config(privacy={}), tmp_path, NodeKey(), TurnedClock()))
    stated = {"none_needed": {"by": "Mairie", "on": date(2026, 11, 1), "why": "a car park without dwellings"}}
    cover = guard_for(config(privacy=stated), tmp_path, NodeKey(), TurnedClock()).observe(frame(seen(STREET)))
    assert not cover.opaque
    assert cover.clear_by_statement


def test_a_view_that_cannot_be_guarded_is_not_signed(tmp_path: Path) -> None:
    """Commissioning fog ends in an error with a remedy and leaves the store as it was."""
    sample = ViewSample(pictures=3)
    for i in range(100):
        sample.offer(frame(seen(STREET * 0 + 90, noise=0), i))
    with pytest.raises(MaskError, match="cannot be guarded"):
        validate_view(sample, config(), tmp_path, NodeKey().sign, Remembered(), by="A. Technician", clock=TurnedClock())
    assert not (tmp_path / "view").exists()


def test_no_reference_comes_into_force_without_its_entry(tmp_path: Path) -> None:
    """The register refuses: the validation fails in its words, the former reference stays, the closed picture stays closed."""
    validated(tmp_path)
    store = ViewStore(tmp_path)
    before = (store.folder / "reference.json").read_bytes()
    store.close("the unit was carried 900 m")
    with pytest.raises(RegisterError, match="no space left"):
        commission(tmp_path, Refusing(), by="B. Technician", lift=True)
    assert (store.folder / "reference.json").read_bytes() == before
    assert store.closed() == "the unit was carried 900 m"


def test_a_live_validation_that_cannot_be_entered_changes_nothing(tmp_path: Path) -> None:
    """The same through the running daemon's verb: the technician hears of the register, and the picture stays covered."""
    live = LiveValidation(config, tmp_path, NodeKey().sign, Refusing(), SystemClock())
    over = threading.Event()

    def film() -> None:
        for i in itertools.count():
            live.offer(frame(seen(STREET, seed=i % 50), i))
            if over.wait(0.001):
                return

    pipeline = threading.Thread(target=film)
    pipeline.start()
    try:
        with pytest.raises(RegisterError, match="no space left"):
            live.answer({"by": "A. Technician"})
    finally:
        over.set()
        pipeline.join()
    assert not (tmp_path / "view").exists()
    assert "vigie masks validate" in look(guard_for(config(), tmp_path, NodeKey(), TurnedClock()))


def test_the_register_says_when_a_validation_was_entered_and_the_disk_refused_it(tmp_path: Path) -> None:
    """The entry comes first, so a second one takes it back."""
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "reference.sig").mkdir()
    journal = Remembered()
    with pytest.raises(MaskError, match="cannot be written"):
        commission(tmp_path, journal)
    assert [(act, "not in force" in facts) for act, _, facts in journal.entries] == [
        (Act.VIEW_VALIDATED, False),
        (Act.VIEW_VALIDATED, True),
    ]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("", "nobody"),
        (" \t ", "nobody"),
        ("x" * 201, "201 letters"),
        ("A.\x1b[2JTechnician", "printed"),
        ("A\nB", "printed"),
        ("\udcff", "printed"),
        ("A\u202eB", "printed"),
    ],
)
def test_a_name_that_cannot_stand_in_the_register_is_refused_in_one_line(name: str, word: str) -> None:
    """Nobody, too long, a terminal's control sequence, a second line, a broken letter, a reversed one."""
    with pytest.raises(MaskError, match=word) as refused:
        checked_name(name)
    assert str(refused.value).isprintable()


def test_a_name_as_people_have_them_is_taken() -> None:
    """Accents, other scripts, hyphens; blanks around it go."""
    for name in (" Zoé Nguyễn-Lévêque ", "Иван", "x" * 200):
        assert checked_name(name) == name.strip()


def test_a_reference_validated_while_the_guard_runs_takes_effect(tmp_path: Path) -> None:
    """The technician need not restart the daemon."""
    clock = TurnedClock()
    guard = guard_for(config(), tmp_path, NodeKey(), clock)
    assert look(guard)
    validated(tmp_path)
    clock.now_ns += 2_000_000_000
    assert look(guard) == ""


def test_a_torn_save_is_refused(tmp_path: Path) -> None:
    """Between the two renames of a second validation the pair does not match: closed."""
    validated(tmp_path)
    store = ViewStore(tmp_path)
    (store.folder / "reference.sig").write_bytes(NodeKey().sign(b"the next reference"))
    with pytest.raises(MaskError, match="signature"):
        store.load(view_identity(config()), NodeKey())


@pytest.mark.parametrize("address", ["rtsp://u@h:554/cam/realmonitor?channel={}&subtype=0", "rtsp://u@h/Streaming/Channels/{}01"])
def test_two_channels_of_one_recorder_are_two_cameras(address: str) -> None:
    """Whether the channel stands in the path or in the query; a password in either does not come into the name."""
    names = {camera_identity(CameraSettings(driver="rtsp", source=address.format(channel))) for channel in (1, 2)}
    assert len(names) == 2
    told = camera_identity(CameraSettings(driver="rtsp", source="rtsp://h/live?channel=1&password=secret"))
    assert "channel=1" in told
    assert "secret" not in told


SECRET_PATH = "rtsp://recorder:7447/GfHxY3kQpLm2sRt9"


def test_an_address_that_lets_one_in_is_not_kept(tmp_path: Path) -> None:
    """A path that is itself the secret: not in the reference, which serves this camera, and no other one of that recorder."""
    camera = config(driver="rtsp", source=SECRET_PATH)
    reference, _ = ViewReference.take(
        [seen(STREET, seed=i) for i in range(5)], [WINDOW, DOOR], view_identity(camera), by="A. Technician", on="today"
    )
    store = ViewStore(tmp_path)
    store.save(reference, NodeKey().sign)
    kept = (store.folder / "reference.json").read_bytes()
    assert b"recorder:7447" in kept
    assert b"GfHxY3kQpLm2sRt9" not in kept
    again = store.load(view_identity(camera), NodeKey())
    assert again.to_bytes() == kept
    other = view_identity(config(driver="rtsp", source=SECRET_PATH.replace("kQ", "kq")))
    with pytest.raises(MaskError, match="another camera"):
        store.load(other, NodeKey())


def test_a_reference_of_before_the_seal_is_valid(tmp_path: Path) -> None:
    """An earlier release wrote the address in full: after an upgrade the picture stays open, for that address alone."""
    camera = config(driver="rtsp", source=SECRET_PATH)
    lumas = [seen(STREET, seed=i) for i in range(5)]
    plain = view_identity(camera)
    reference, _ = ViewReference.take(lumas, [WINDOW, DOOR], replace(plain, camera="rtsp:"), by="A. Technician", on="today")
    former = reference.to_bytes().replace(b'"camera": "rtsp:"', f'"camera": "{camera_identity(camera.camera)}"'.encode())
    store = ViewStore(tmp_path)
    store.folder.mkdir(parents=True)
    (store.folder / "reference.json").write_bytes(former)
    (store.folder / "reference.sig").write_bytes(NodeKey().sign(b"vigie view reference 1\n" + former))
    assert store.load(plain, NodeKey()).identity.camera == "rtsp:" + SECRET_PATH
    with pytest.raises(MaskError, match="another camera"):
        store.load(view_identity(config(driver="rtsp", source=SECRET_PATH.replace("kQ", "kq"))), NodeKey())
