"""The sheet of a deployment: one French page for the prefecture and the file, printable; everything shown is escaped."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined
from msgspec import Struct

from agent import __version__
from agent.base.clock import utc
from agent.config.model import Config
from agent.nomad.deployment import Deployment
from agent.nomad.plan import last_film_ns
from agent.nomad.sheet_words import BASES, STAGES


class DeploymentSheet(Struct, frozen=True):
    """Writes sheets with times in `zone`."""

    zone: ZoneInfo

    def __call__(self, deployment: Deployment, config: Config, wall_ns: int) -> str:
        """The sheet as one HTML document without outside references."""
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        template = environment.from_string(files("agent.nomad").joinpath("sheet.html").read_text("utf-8"))
        return template.render(
            deployment=deployment,
            config=config,
            basis=BASES[deployment.basis],
            stage=STAGES[deployment.stage],
            statement=config.privacy.none_needed if not config.privacy.mask else None,
            informed=f"{date.fromisoformat(deployment.informed_on):%d/%m/%Y}",
            days=f"{min(deployment.retention_days, config.recording.retention_days):g}".replace(".", ","),
            last_film_ns=last_film_ns(deployment, config.recording.retention_days) if deployment.ended_ns else None,
            now_ns=wall_ns,
            time=self._time,
            version=__version__,
        )

    def _time(self, wall_ns: int) -> str:
        return f"{utc(wall_ns).astimezone(self.zone):%d/%m/%Y à %H:%M (%Z)}"
