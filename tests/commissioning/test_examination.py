"""The doctor as a whole: every subject, in JSON and on paper, with the daemon dead and alive."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs
from msgspec.structs import replace

from agent.base.clock import SystemClock
from agent.base.errors import CameraError
from agent.cli import run, vigie
from agent.commissioning.examination import ExaminationReport, Means, examine
from agent.commissioning.line import Grade
from agent.commissioning.sheet import sheet
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory
from agent.node.drivers import open_camera
from agent.ports.host import BoardMetrics
from tests.support.parts import program
from tests.support.whole_node import WholeNode

VOID = {"meta", "br", "hr", "img", "input", "link"}


class _Board:
    def __init__(self, metrics: BoardMetrics) -> None:
        self._metrics = metrics

    def read(self) -> BoardMetrics:
        return self._metrics


HOT = BoardMetrics(temperature_c=83.0, throttled=True, undervoltage=False, more={"undervoltage_since_boot": 1.0})


@pytest.fixture
def means(identity: IdentityDirectory) -> Means:
    """Everything real, but for the board, the programs of the system, and little time for the camera."""
    return Means(
        clock=SystemClock(), open_camera=open_camera, board=_Board(HOT), identity=identity, ask=lambda *_: None, look_s=0.5
    )


@pytest.fixture
def report(config: Config, means: Means) -> ExaminationReport:
    """Of a node whose site tries to break the sheet."""
    evil = structs.replace(config.node, site="<script>alert(1)</script> & fils")
    return examine(structs.replace(config, node=evil), means)


def test_every_subject_has_its_lines_and_every_fault_its_remedy(report: ExaminationReport) -> None:
    """Nothing is left out, nothing is told without what to do, and the sheet is as good as its worst line."""
    assert set(report.subjects) == {"service", "camera", "privacy", "recording", "clock", "evidence", "broker", "board"}
    assert all(lines for lines in report.subjects.values())
    for line in report.lines:
        assert line.measured
        assert line.grade is Grade.OPEN or bool(line.remedy) == (line.grade is not Grade.OK), line
    assert report.grade is Grade.FAIL
    assert [report.line(check).grade for check in ("temperature", "throttling", "supply")] == [  # type: ignore[union-attr]
        Grade.FAIL, Grade.FAIL, Grade.WARN,
    ]  # fmt: skip


def test_the_document_is_plain_json(report: ExaminationReport) -> None:
    """Every line with its figures, for the centre's own records."""
    document = json.loads(json.dumps(report.document()))
    assert document["grade"] == "fail"
    assert {line["grade"] for line in document["lines"]} == {"ok", "warn", "fail", "open"}
    assert document["daemon_running"] is False


def test_a_subject_that_cannot_be_looked_at_fails_alone(config: Config, means: Means) -> None:
    """A driver that does not exist and a board that cannot be read: the rest is examined all the same."""

    class Broken:
        def read(self) -> BoardMetrics:
            raise PermissionError(13, "Permission denied", "/sys/x")

    def no_driver(*_: object) -> object:
        raise CameraError("no such driver", remedy="install it")

    found = examine(config, replace(means, open_camera=no_driver, board=Broken()))
    assert found.subjects["camera"][0].measured == "no such driver"
    assert "/sys/x" in found.subjects["board"][0].measured
    assert found.line("disk") is not None


class _Page(HTMLParser):
    """What the page holds: its tags, balanced or not, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_sheet_is_french_whole_and_holds_no_picture(report: ExaminationReport) -> None:
    """One self-contained page: the masks as outlines, nothing fetched, nothing embedded, the site's name only as words."""
    text = sheet(report)
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert not {"img", "image", "script", "canvas", "video", "iframe", "object"} & set(page.tags)
    assert page.addresses == []
    assert "data:" not in text
    assert "url(" not in text
    assert page.tags.count("polygon") == len(report.config.privacy.mask)
    assert "<script>alert(1)</script> & fils" in page.words
    for words in ("fiche de conformité", "Durée de conservation", "non conforme", "arrêté du 3 août 2007", "Mise au point"):
        assert words in page.words
    assert "$" not in text
    assert not re.search(r"\bNone\b|[{}]{2}|pictures per second", page.words)


def test_every_line_that_failed_shows_on_the_sheet(report: ExaminationReport) -> None:
    """No failure is lost between the terminal and the town hall."""
    failures = [line for line in report.lines if line.grade is Grade.FAIL]
    assert sheet(report).count('class="fail"') == len(failures)


@pytest.mark.lane("browser")
def test_the_sheet_fits_on_one_page(report: ExaminationReport, tmp_path: Path) -> None:
    """Printed by a real browser."""
    browser = program("chromium", "chromium")
    (tmp_path / "fiche.html").write_text(sheet(report), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    command += ["--disable-component-update", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [f"--print-to-pdf={tmp_path / 'fiche.pdf'}", (tmp_path / "fiche.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert re.findall(rb"/Count (\d+)", (tmp_path / "fiche.pdf").read_bytes()) == [b"1"]


def test_the_command_on_a_refused_configuration_leaves_with_78(tmp_path: Path) -> None:
    """As every command that needs one."""
    path = tmp_path / "config.toml"
    path.write_text("[node]\n")
    assert run(["doctor", "--config", str(path)]) == 78


def test_the_running_daemon_tells_what_it_sees(tmp_path: Path) -> None:
    """`vigie run` on film, validated: the doctor asks it, takes nothing away from it, and writes nothing but JSON."""
    node = WholeNode(tmp_path, tables={"evidence": "sign = true"})
    node.write(realtime=True, loop=True)
    node.validate()
    running = node.start()
    try:
        deadline = SystemClock().monotonic_ns() + 60 * 10**9
        while True:
            result = CliRunner().invoke(vigie, ["doctor", "--json", "--config", str(node.config), "--look", "0.5"])
            document = json.loads(result.output)
            lines = {line["check"]: line for line in document["lines"]}
            told = (
                document["daemon_running"]
                and lines["camera"]["grade"] == "ok"
                and lines.get("view guard", {}).get("grade") == "ok"
            )
            if told or SystemClock().monotonic_ns() > deadline or running.poll() is not None:
                break
            os.sched_yield()
        assert told, (lines["daemon"], lines["camera"], node.log())
        assert "runs" in lines["daemon"]["measured"]
        assert lines["focus"]["figures"]["focus"] > 0
        assert lines["exposure"]["grade"] == "ok"
    finally:
        running.terminate()
        running.wait(60)
