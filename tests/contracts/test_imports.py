"""The third lock: which way imports point. Each contract holds, each fails when it is broken, and none can be loosened unseen."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("agent", "hardware", "bench")
DRIVERS = "The agent imports no driver: only drivers and the fleet's wiring know hardware/"
FEATURES = "Drivers see ports and video types, never a feature"
ROOMS = "Recording and events do not know each other"
RAW = "A raw frame is seen by cameras, guard, mask and wiring alone"
LAYERS = "Rooms lie in layers: an import points downwards"
PICTURES = "Only rooms that hold pictures compute on them"
LANGUAGE = "Another language than English is spoken where people read, and nowhere else"

MAY_SEE_RAW_FRAMES = {
    "agent.ports.video": "names the type the camera port returns",
    "agent.stream.capture": "takes frames from the camera and hands them to the guard and the mask",
    "agent.picture.analysis_luma": "makes the small luma",
    "agent.view.guard": "judges the view",
    "agent.view.commissioning": "takes the reference of the view",
    "agent.view.live_validation": "takes it from the running daemon's frames",
    "agent.view.push": "watches the view while it is pushed",
    "agent.mask.privacy_mask": "covers",
    "agent.node.wiring": "ties them together",
    "hardware": "cameras make them",
    "bench": "measures",
}
"""Whoever adds a name here has thought about where its frames go."""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts, to break."""
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def broken(place: Path) -> set[str]:
    """Names of the contracts that import-linter finds broken."""
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program, "--no-cache", "--no-logo"], cwd=place, capture_output=True, text=True, check=False)
    assert "Contracts:" in run.stdout, run.stdout + run.stderr
    found = {line.partition(" BROKEN")[0] for line in run.stdout.splitlines() if " BROKEN" in line}
    assert bool(found) is (run.returncode != 0), run.stdout
    return found


def loosen(place: Path, old: str, new: str) -> None:
    """Change the contracts' text."""
    settings = place / "pyproject.toml"
    text = settings.read_text(encoding="utf-8")
    assert old in text
    settings.write_text(text.replace(old, new), encoding="utf-8")


def imports(place: Path, module: str, statement: str) -> None:
    """Let a module of the copy import something."""
    path = place / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{statement}\n", encoding="utf-8")


def test_every_contract_holds(house: Path) -> None:
    """The house as it stands breaks none."""
    assert broken(house) == set()


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("agent/stream/still.py", "from agent.picture.frame import RawFrame", RAW),
        ("agent/analytics/motion.py", "import agent.picture.frame", RAW),
        ("agent/console/preview.py", "from agent.picture.frame import RawFrame", RAW),
        ("agent/stream/pipeline.py", "from agent.picture.frame import RawFrame", RAW),
        ("agent/stream/pipeline.py", "import hardware.encoder_libav", DRIVERS),
        ("agent/node/wiring.py", "import hardware.board_pi", DRIVERS),
        ("agent/uplink/topics.py", "import paho.mqtt.client", DRIVERS),
        ("agent/stream/still.py", "import av", DRIVERS),
        ("hardware/encoder_libav.py", "import agent.recording", FEATURES),
        ("agent/recording/segment.py", "import agent.events.outbox", ROOMS),
        ("agent/recording/segment.py", "import numpy", PICTURES),
        ("agent/console/preview.py", "import cv2", PICTURES),
        ("agent/base/clock.py", "import agent.config.model", LAYERS),
        ("agent/mask/fill.py", "import agent.view.guard", LAYERS),
        ("agent/recording/segment.py", "import agent.uplink.session", LAYERS),
        ("agent/signing/nal.py", "import agent.evidence.film", LAYERS),
    ],
)
def test_an_import_the_wrong_way_is_found(house: Path, module: str, statement: str, contract: str) -> None:
    """One offending line breaks its contract, by name."""
    imports(house, module, statement)
    assert contract in broken(house)


def who_may_see_raw_frames(place: Path) -> set[str]:
    """The importers the contract lets through."""
    contracts = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (lock,) = [c for c in contracts if c["type"] == "protected" and "agent.picture.frame" in c["protected_modules"]]
    return set(lock["allowed_importers"])


def test_the_lock_on_raw_frames_lets_nobody_else_through(house: Path) -> None:
    """The list of who may see a raw frame stands here a second time, each with its reason."""
    assert who_may_see_raw_frames(house) == set(MAY_SEE_RAW_FRAMES)


def test_a_loosened_lock_is_noticed(house: Path) -> None:
    """Let a detector through in the contract: import-linter is content with the leak, the test above is not."""
    imports(house, "agent/analytics/motion.py", "from agent.picture.frame import RawFrame")
    loosen(house, '"agent.ports.video", ', '"agent.ports.video", "agent.analytics.motion", ')
    assert broken(house) == set()
    assert who_may_see_raw_frames(house) != set(MAY_SEE_RAW_FRAMES)


SETTINGS = {"root_packages": ["agent", "hardware", "bench"], "include_external_packages": True}
AS_AGREED: dict[str, dict[str, object]] = {
    LAYERS: {
        "type": "layers",
        "containers": ["agent"],
        "layers": [
            "cli",
            "demo",
            "fleet",
            "node",
            "console : uplink : evidence : commissioning : (live) : (playback) : (nomad) : onvif",
            "analytics : recording",
            "stream",
            "view",
            "sensors",
            "board : journal : events : signing : operations",
            "ports",
            "mask",
            "config : picture : identity",
            "base",
        ],
        "exhaustive": True,
        "exhaustive_ignores": ["__main__"],
    },
    DRIVERS: {
        "type": "forbidden",
        "source_modules": ["agent"],
        "forbidden_modules": ["hardware", "picamera2", "libcamera", "av", "jeepney", "paho", "systemd", "gi", "aiortc"],
        "ignore_imports": ["agent.node.drivers -> hardware.**", "agent.fleet.wiring -> hardware.**"],
        "allow_indirect_imports": True,
        "unmatched_ignore_imports_alerting": "none",
    },
    FEATURES: {
        "type": "forbidden",
        "source_modules": ["hardware"],
        "forbidden_modules": [
            "agent.cli",
            "agent.node",
            "agent.operations",
            "agent.recording",
            "agent.evidence",
            "agent.events",
            "agent.uplink",
            "agent.analytics",
            "agent.journal",
            "agent.console",
        ],
        "allow_indirect_imports": True,
    },
    ROOMS: {"type": "independence", "modules": ["agent.recording", "agent.events"]},
    RAW: {"type": "protected", "protected_modules": ["agent.picture.frame"], "allowed_importers": sorted(MAY_SEE_RAW_FRAMES)},
    LANGUAGE: {
        "type": "protected",
        "protected_modules": ["agent.base.language"],
        "allowed_importers": [
            "agent.base.process_exit",
            "agent.cli",
            "agent.commissioning.printout",
            "agent.config.load",
            "agent.config.model",
            "agent.config.report",
            "agent.console",
            "agent.demo",
            "agent.fleet.table",
            "agent.live",
        ],
    },
    PICTURES: {
        "type": "forbidden",
        "source_modules": [
            "agent.board",
            "agent.cli",
            "agent.commissioning",
            "agent.config",
            "agent.console",
            "agent.demo",
            "agent.events",
            "agent.evidence",
            "agent.fleet",
            "agent.journal",
            "agent.onvif",
            "agent.recording",
            "agent.uplink",
        ],
        "forbidden_modules": ["cv2", "numpy"],
        "allow_indirect_imports": True,
    },
}
"""Each contract whole: what it is about, whom it binds, and what it lets pass. Whoever loosens one does it twice."""


def agreed(place: Path) -> dict[str, dict[str, object]]:
    """The contracts as they stand in the settings, and what holds for all of them under an empty name."""
    settings = dict(tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"])
    contracts = settings.pop("contracts")
    for contract in contracts:
        if "allowed_importers" in contract:
            contract["allowed_importers"].sort()
    return {"": settings, **{each["name"]: {key: each[key] for key in each if key != "name"} for each in contracts}}


def test_the_contracts_are_those_that_were_agreed_on(house: Path) -> None:
    """They stand here a second time: none is taken out, and none lets anything more pass, unseen."""
    assert agreed(house) == {"": SETTINGS, **AS_AGREED}


PASS = 'exhaustive = true\nignore_imports = ["agent.signing.nal -> agent.node.node"]'
BOTH = '"agent.recording", "agent.events"]'
LOOSENED = [
    (LAYERS, "agent/signing/nal.py", "import agent.node.node", "exhaustive = true", PASS),
    (DRIVERS, "agent/stream/still.py", "import av", '"libcamera", "av", ', '"libcamera", '),
    (FEATURES, "hardware/encoder_libav.py", "import agent.recording", '"agent.recording", "agent.evidence"', '"agent.evidence"'),
    (ROOMS, "agent/recording/segment.py", "import agent.events.outbox", BOTH, '"agent.recording"]'),
    (PICTURES, "agent/console/preview.py", "import cv2", '["cv2", "numpy"]', '["numpy"]'),
    (PICTURES, "agent/console/preview.py", "import cv2", '"agent.console", "agent.demo"', '"agent.demo"'),
    (
        LANGUAGE,
        "agent/stream/still.py",
        "import agent.base.language",
        '["agent.cli", "agent.base',
        '["agent.cli", "agent.stream.still", "agent.base',
    ),
]
"""A contract, a file and the import that it forbids, and what in its text lets that import pass."""


@pytest.mark.parametrize(("contract", "module", "statement", "old", "new"), LOOSENED)
def test_a_contract_that_is_loosened_is_noticed(
    house: Path, contract: str, module: str, statement: str, old: str, new: str
) -> None:
    """Import-linter is content with the offence then; what was agreed on is not."""
    imports(house, module, statement)
    assert contract in broken(house)
    loosen(house, old, new)
    assert contract not in broken(house)
    assert agreed(house) != {"": SETTINGS, **AS_AGREED}


def test_a_room_that_no_layer_names_is_found(house: Path) -> None:
    """It could be imported from anywhere, and import anything."""
    (house / "agent" / "attic").mkdir()
    (house / "agent" / "attic" / "__init__.py").write_text("")
    assert broken(house) == {LAYERS}


def test_the_seal_is_named_in_one_module_only() -> None:
    """`_SEAL`, which makes a MaskedFrame, appears nowhere but where it is defined; nor does anybody go around `__init__`."""
    for path in [*(REPOSITORY / "agent").rglob("*.py"), *(REPOSITORY / "hardware").rglob("*.py")]:
        if path == REPOSITORY / "agent" / "mask" / "privacy_mask.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = {getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "name", None)}
            assert not names & {"_SEAL", "_Seal"}, f"{path}:{getattr(node, 'lineno', 0)} names the seal"
            around = isinstance(node, ast.Attribute) and node.attr == "__new__" and getattr(node.value, "id", "") == "MaskedFrame"
            assert not around, f"{path}:{getattr(node, 'lineno', 0)} makes a MaskedFrame without its constructor"
