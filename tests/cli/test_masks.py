"""`vigie masks`: a technician validates a view and looks at the masks over it, and both leave their trace."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from agent import cli
from agent.base.clock import SystemClock
from agent.base.errors import MaskError
from agent.config.load import load
from agent.identity.node_key import IdentityDirectory
from agent.operations.control_socket import ControlSocket, socket_path
from agent.view.guard import view_identity
from agent.view.live_validation import LiveValidation
from agent.view.store import ViewStore
from tests.support import decoded
from tests.support.scenery import frame, seen, street

CONFIG = """
[node]
id = "n1"
state_dir = "state"
[camera]
driver = "synthetic"
width = 640
height = 360
realtime = false
[[privacy.mask]]
name = "first window"
polygon = [[0.40, 0.30], [0.60, 0.30], [0.60, 0.50], [0.40, 0.50]]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A node on the drawn square, with one mask."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def vigie(*args: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(cli.vigie, list(args), catch_exceptions=True)


def acts(config: Path) -> list[str]:
    """What the register holds, in order."""
    register = load(config).node.state_dir / "register.jsonl"
    return [json.loads(line)["act"] for line in register.read_text().splitlines()] if register.exists() else []


def test_validate_signs_a_reference_and_says_how_well_the_view_can_be_guarded(config: Path) -> None:
    """The verdict names each mask; the reference loads with the node's own key; the register knows who."""
    done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician")
    assert done.exit_code == 0, done.output
    assert "can be guarded" in done.output
    assert "mask first window: well guarded" in done.output
    loaded = load(config)
    reference = ViewStore(loaded.node.state_dir).load(view_identity(loaded), IdentityDirectory(loaded.identity_dir, None).load())
    assert reference.by == "A. Technician"
    assert acts(config) == ["view-validated"]


def test_the_verdict_as_json_is_one_document(config: Path) -> None:
    """Nothing else on stdout."""
    done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician", "--json")
    assert json.loads(done.stdout)["guardable"] is True


def test_show_writes_only_where_it_is_told_and_enters_it_first(config: Path, tmp_path: Path) -> None:
    """A PNG of the picture's size, for its owner alone, and an entry in the register."""
    out = tmp_path / "still.png"
    before = set(tmp_path.rglob("*.png"))
    done = vigie("masks", "show", "--config", str(config), "--out", str(out), "--by", "A. Technician")
    assert done.exit_code == 0, done.output
    assert decoded.image_file(out).shape == (360, 640, 3)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert set(tmp_path.rglob("*.png")) - before == {out}
    assert acts(config) == ["commissioning-still"]


def test_show_without_a_place_is_wrong_usage(config: Path) -> None:
    """No default place for a clear picture; nothing is taken, nothing entered."""
    assert vigie("masks", "show", "--config", str(config)).exit_code == 2
    assert acts(config) == []


def test_show_in_the_terminal(config: Path) -> None:
    """Half blocks in colours, as wide as the terminal."""
    done = vigie("masks", "show", "--config", str(config), "--terminal")
    assert done.exit_code == 0, done.output
    assert "\u2580" in done.output


def test_beside_a_running_daemon_validation_goes_through_it_and_no_clear_picture_is_given(config: Path, tmp_path: Path) -> None:
    """The daemon holds the camera: it validates on its own frames, and `show` is refused."""
    loaded, clock = load(config), SystemClock()
    signer = IdentityDirectory(loaded.identity_dir, None).init("n1")
    entered: list[str] = []

    class Journal:
        def enter(self, act: object, by: str, facts: object) -> None:
            entered.append(f"{act} {by}")

    live = LiveValidation(lambda: loaded, loaded.node.state_dir, signer.sign, Journal(), clock)
    verbs = {"status": lambda _: {"node": "n1"}, "masks-validate": live.answer}
    control = ControlSocket(socket_path(loaded.node.state_dir), verbs, clock)
    control.start()
    feeding = _Feed(live)
    try:
        while not socket_path(loaded.node.state_dir).exists():
            clock.wait(control.stopping, 0.01)
        feeding.start()
        done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician")
        refused = vigie("masks", "show", "--config", str(config), "--out", str(tmp_path / "x.png"))
    finally:
        feeding.stop()
        control.stop()
        control.join(60)
    assert done.exit_code == 0, done.output
    assert entered == ["view-validated A. Technician"]
    assert isinstance(refused.exception, Exception)
    assert "gives no unguarded picture" in str(refused.exception)
    assert not (tmp_path / "x.png").exists()


class _Feed:
    """A pipeline thread that offers frames, half a second of film apart."""

    def __init__(self, live: LiveValidation) -> None:
        import threading

        self._over = threading.Event()
        self._live = live
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        scene, n = street(), 0
        while not self._over.wait(0.005):
            self._live.offer(frame(seen(scene, seed=n), n, fps=2.0))
            n += 1

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(60)


def test_a_closed_picture_is_lifted_only_on_purpose(config: Path) -> None:
    """A unit that was carried elsewhere: validation alone is refused with the reason, --lift opens it."""
    store = ViewStore(load(config).node.state_dir)
    store.close("the unit was carried 900 m")
    refused = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician")
    assert "900 m" in str(refused.exception)
    assert "--lift" in str(refused.exception)
    assert vigie("masks", "validate", "--config", str(config), "--by", "A. Technician", "--lift").exit_code == 0
    assert store.closed() == ""


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "A\nB", "A\x1b[31mB"])
@pytest.mark.parametrize("command", [["validate"], ["show", "--terminal"]], ids=["validate", "show"])
def test_a_name_that_says_nothing_is_refused_before_the_camera_is_opened(config: Path, command: list[str], name: str) -> None:
    """No daemon runs: one clear line, nothing taken, nothing entered, no key made."""
    done = vigie("masks", *command, "--config", str(config), "--by", name)
    assert isinstance(done.exception, MaskError)
    assert "--by NAME" in str(done.exception)
    assert str(done.exception).isprintable()
    assert not load(config).node.state_dir.exists()


def test_the_still_is_a_median_without_passers_by() -> None:
    """What is in one picture only is not in the still."""
    from agent.view.commissioning import ViewSample

    sample = ViewSample(pictures=5, every_s=0.1)
    for n in range(30):
        luma = seen(street(), noise=0)
        if n % 5 == 3:
            luma[100:200, 100:140] = 255
        sample.offer(frame(luma, n, fps=10))
    assert np.array_equal(sample.still(), seen(street(), noise=0))
