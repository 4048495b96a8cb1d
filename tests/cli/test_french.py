"""Commands speak French to who reads French, and English to every machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.base import language
from agent.base.clock import SystemClock
from agent.base.errors import CameraError
from agent.base.language import for_reader
from agent.base.phrase import say
from agent.cli import run
from agent.config.finding import RefusedConfiguration
from agent.config.load import load
from agent.operations.control_socket import ControlSocket, socket_path
from tests.support.deadline import until

REPOSITORY = Path(__file__).parents[2]
MISTAKEN = """\
[node]
id: pole-17
[camera]
driver = "rtsp"
width = 1921
fps = "25"
[[privacy.mask]]
name = "bakery"
polygon = [[0.1, 0.2], [0.3, 1.5], [0.5, 0.6]]
"""
SAID = """\
FILE:2: node.id: un deux-points est mis pour =, et un texte sans guillemets ; un texte se met entre "guillemets droits"
    2 | id: pole-17
      |   ^^^^^^^^^
mieux | id = "pole-17"

FILE:4: camera.driver: le pilote « rtsp » demande une source, et il n’y en a pas ; ajoutez source = "rtsp://user@host/path"
    4 | driver = "rtsp"
      |          ^^^^^^

FILE:5: camera.width: 1921 est impair ; écrivez un nombre pair, 1922 ou 1920 : la couleur va par deux pixels
    5 | width = 1921
      |         ^^^^
mieux | width = 1920

FILE:6: camera.fps: "25" est un texte ; écrivez le nombre sans guillemets : 25
    6 | fps = "25"
      |       ^^^^
mieux | fps = 25

FILE:9: privacy.mask "bakery".polygon, coin 2 : le coin (0.3, 1.5) est hors de l’image ; les coins sont des fractions de \
l’image, de 0 (gauche, haut) à 1 (droite, bas)
    9 | polygon = [[0.1, 0.2], [0.3, 1.5], [0.5, 0.6]]
      |                        ^^^^^^^^^^
mieux | polygon = [[0.1, 0.2], [0.3, 1.0], [0.5, 0.6]]

5 erreurs : la configuration est refusée
"""
GOOD = """\
FILE : en ordre
  nœud          pole-3, fixe, place du marché
  caméra        synthetic, 640x360 à 12,5 images par seconde, plan large (overview)
  masques       aucun nécessaire, déclaré par A. Martin le 02/01/2026
  encodage      h264, crf 23
  conservation  2,5 jours dans STATE/recordings
  signature     activée
  serveur       aucun
  à noter : pas de [mqtt] : le nœud enregistre, et personne au centre n’en sait rien
"""


def good(state_dir: Path, language: str = "") -> str:
    """A configuration without a mistake."""
    return (
        f'[node]\nid = "pole-3"\nsite = "place du marché"\nstate_dir = "{state_dir}"\n{language}'
        '[camera]\ndriver = "synthetic"\nwidth = 640\nheight = 360\nfps = 12.5\n[recording]\nretention_days = 2.5\n'
        '[privacy.none_needed]\nby = "A. Martin"\non = 2026-01-02\nwhy = "a car park without windows around it"\n'
    )


def vigie(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, in an environment that says nothing of a language but what is given."""
    clean = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")}
    clean |= {"PYTHONUTF8": "1", "PYTHONPATH": str(REPOSITORY), "COLUMNS": "80"} | environment
    command = [sys.executable, "-m", "agent", *arguments]
    return subprocess.run(command, env=clean, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


def plain(text: str, file: Path, state_dir: Path) -> str:
    """With plain spaces, and without the places of this run."""
    spaces = text.replace("\u00a0", " ").replace("\u202f", " ")
    return spaces.replace(str(file), "FILE").replace(str(state_dir), "STATE")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a configuration is written."""
    return tmp_path / "config.toml"


def test_check_tells_every_mistake_in_french(file: Path, tmp_path: Path) -> None:
    """Findings, remedies and the last line; what is to be pasted, and the numbers of TOML, as they must be."""
    file.write_text(MISTAKEN, encoding="utf-8")
    done = vigie("check", str(file), LANG="fr_FR.UTF-8")
    assert (done.returncode, done.stdout, plain(done.stderr, file, tmp_path)) == (78, "", SAID)


def test_check_tells_a_good_configuration_in_french(file: Path, tmp_path: Path) -> None:
    """Decimal commas, a French day, the town's words."""
    file.write_text(good(tmp_path), encoding="utf-8")
    done = vigie("check", str(file), LANG="fr_FR.UTF-8")
    assert (done.returncode, plain(done.stdout, file, tmp_path), done.stderr) == (0, GOOD, "")


def test_the_key_decides_where_the_environment_says_nothing(file: Path, tmp_path: Path) -> None:
    """Also for a file that is refused; an environment that asks for English has it."""
    file.write_text(good(tmp_path, 'language = "fr"\n'), encoding="utf-8")
    assert plain(vigie("check", str(file)).stdout, file, tmp_path) == GOOD
    assert vigie("check", str(file), LC_ALL="C").stdout.startswith(f"{file}: ok\n")
    file.write_text(MISTAKEN.replace("[camera]", 'language = "fr"\n[camera]'), encoding="utf-8")
    assert "5 erreurs" in vigie("check", str(file)).stderr


def test_why_a_file_is_refused_at_a_reload_is_read_in_french(file: Path) -> None:
    """One finding, and how many more: what `vigie status` shows of it."""
    file.write_text(MISTAKEN, encoding="utf-8")
    with pytest.raises(RefusedConfiguration) as refused:
        load(file)
    language.begin({"LANG": "fr_FR.UTF-8"})
    try:
        told = plain(for_reader(refused.value.brief), file, file.parent)
    finally:
        language.end()
    assert told.startswith("FILE:2: node.id: un deux-points est mis pour =")
    assert told.endswith("(et 4 de plus : `vigie check` les montre)")


def test_identity_and_register_are_read_in_french(file: Path, tmp_path: Path) -> None:
    """The names of facts, days and yes or no; keys and names of files as they are. JSON is English."""
    file.write_text(good(tmp_path), encoding="utf-8")
    assert vigie("identity", "init", "--config", str(file), LANG="fr_FR.UTF-8").returncode == 0
    shown = vigie("identity", "show", "--config", str(file), LANG="fr_FR.UTF-8").stdout
    assert "se porte garant de lui-même" in shown
    assert not [name for name in ("key_sha256", "self_signed", "not_before", "issuer", "True", "False") if name in shown]
    assert "key_sha256" in vigie("identity", "show", "--json", "--config", str(file), LANG="fr_FR.UTF-8").stdout
    span = ("--from", "2026-11-23T10:15:00Z", "--to", "2026-11-23T10:16:00Z")
    held = vigie("hold", "add", *span, "--reference", "PV 118", "--by", "A. Martin", "--config", str(file), LANG="fr_FR.UTF-8")
    assert held.returncode == 0, held.stderr
    told = vigie("register", "--config", str(file), LANG="fr_FR.UTF-8").stdout.replace("\u00a0", " ")
    assert "du 23/11/2026 à 10 h 15 min 00 s UTC" in told
    assert "reference PV" not in told


def test_what_is_handed_over_as_a_ca_and_is_none_is_refused_in_french(file: Path, tmp_path: Path) -> None:
    """What the file is, and what to give instead."""
    file.write_text(good(tmp_path), encoding="utf-8")
    film = tmp_path / "film.mp4"
    film.write_bytes(b"\0\0\0\x14ftypisom" + b"\0" * 64)
    told = vigie("verify", str(film), "--ca", str(file), LANG="fr_FR.UTF-8").stderr.replace("\u00a0", " ")
    assert "est une configuration, et non un certificat" in told
    assert "Donnez une autorité en PEM" in told


@pytest.mark.parametrize(
    ("typed", "english"), [(["--help"], "Commands:"), (["verify"], "missing: FILE"), (["nix"], "no such command")]
)
def test_help_and_a_slip_are_told_as_the_node_speaks(
    typed: list[str], english: str, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its key where the environment says nothing; a file that is none, or that says nothing, is English."""
    monkeypatch.setattr("agent.cli._options.DEFAULT_CONFIG", file)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    said = []
    for text in ('[node]\nlanguage = "fr"\n', "node = 7\n", "[node\n", ""):
        file.write_text(text, encoding="utf-8")
        run(typed)
        out = capsys.readouterr()
        said.append(out.out + out.err)
    assert english not in said[0]
    assert all(each == said[-1] and english in each for each in said[1:])


@pytest.mark.parametrize("text", [MISTAKEN, good(Path("/nowhere"))])
def test_json_is_the_same_in_both_languages(file: Path, text: str) -> None:
    """Byte for byte: programs read it."""
    file.write_text(text, encoding="utf-8")
    english, french = (vigie("check", str(file), "--json", LANG=lang) for lang in ("en_GB.UTF-8", "fr_FR.UTF-8"))
    assert english.stdout == french.stdout
    assert json.loads(english.stdout)["file"] == str(file)


def test_what_a_node_keeps_and_tells_machines_is_english(file: Path, tmp_path: Path) -> None:
    """A hold ordered in French: its entry, and the JSON of every command on it, are those of an English reader."""
    file.write_text(good(tmp_path / "state"), encoding="utf-8")
    config = ("--config", str(file))
    assert vigie("identity", "init", *config, LANG="fr_FR").returncode == 0
    span = ("--from", "2026-11-30T10:00:00Z", "--to", "2026-11-30T11:00:00Z", "--reference", "PV-1207", "--by", "A. Martin")
    held = vigie("hold", "add", *span, *config, LANG="fr_FR")
    assert held.stdout == "la conservation 1 est en vigueur sur 0 segment\n"
    assert "conservé pour la justice" in vigie("register", *config, LANG="fr_FR").stdout
    assert '"act":"held"' in (tmp_path / "state" / "register.jsonl").read_text(encoding="utf-8").replace('": "', '":"')
    for command in (("hold", "list"), ("register",), ("register", "--verify"), ("identity", "show")):
        english, french = (vigie(*command, "--json", *config, LANG=language) for language in ("en_GB", "fr_FR"))
        assert (english.stdout, english.returncode) == (french.stdout, french.returncode)
        assert json.loads(french.stdout)


def test_what_the_daemon_says_is_french_for_people_and_english_in_json(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver's words, over the local socket: byte for byte the same for programs."""
    why = CameraError(
        say("camera {camera} {what}", camera="front", what=say("refuses user or password")),
        remedy=say("Check the user in camera.source and camera.password_file"),
    )
    health = {"node": "pole-3", "camera": {"driver": "rtsp", "state": "silent", "reason": why.words}, "uptime_s": 90.0}
    file.write_text(good(tmp_path), encoding="utf-8")
    socket = ControlSocket(socket_path(tmp_path), {"status": lambda _: health}, SystemClock())
    socket.start()
    try:
        until(socket_path(tmp_path).exists, "it listens")
        said = {}
        for spoken in ("C", "fr_FR.UTF-8"):
            monkeypatch.setenv("LC_ALL", spoken)
            for form in ("--json", "-v"):
                assert run(["status", form, "--config", str(file)]) == 0
                said[spoken, form] = capsys.readouterr().out
    finally:
        socket.stop()
        assert socket.join(60)
    assert said["C", "--json"] == said["fr_FR.UTF-8", "--json"]
    assert json.loads(said["C", "--json"])["camera"]["reason"] == str(why)
    folded = " ".join(said["fr_FR.UTF-8", "-v"].split())
    assert "la caméra front refuse l’utilisateur ou le mot de passe. Voyez l’utilisateur dans camera.source" in folded


def test_the_last_word_of_a_command_is_french(tmp_path: Path) -> None:
    """An error that ends it, and a file that is not there."""
    missing = tmp_path / "none.toml"
    done = vigie("status", "--config", str(missing), LANG="fr_FR.UTF-8")
    said = plain(done.stderr, missing, tmp_path)
    assert said.startswith("vigie: la configuration est refusée, 1 erreur\n\nFILE: ce fichier n’existe pas ; copiez-y ")


def test_the_daemon_speaks_english(tmp_path: Path) -> None:
    """Its words are its log, whatever its environment and its key say."""
    file = tmp_path / "config.toml"
    file.write_text(MISTAKEN.replace("[camera]", 'language = "fr"\n[camera]'), encoding="utf-8")
    done = vigie("run", "--config", str(file), LANG="fr_FR.UTF-8")
    assert done.returncode == 78
    assert "5 errors" in done.stderr
    assert "erreurs" not in done.stderr
