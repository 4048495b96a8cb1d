"""What a value must be beside another: the rules of each section, and those between sections.

A rule is given a section whose single values all serve, and yields a Misfit for each place that breaks it. Of two rules that
find fault with the same key, the earlier one is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from agent.base.phrase import say
from agent.config.address import check_camera_source, is_tls
from agent.config.fields import Section
from agent.config.film_rules import film_misfits
from agent.config.live_rules import live_beside_others, live_misfits
from agent.config.looking_in import LiveSettings
from agent.config.misfit import NOTHING, Misfit
from agent.config.model import BoardLimits, CameraSettings, Config, Encoding, Mask, Mqtt, NodeSettings, Overlay, Privacy
from agent.config.nomad_rules import nomad_misfits
from agent.config.nomadic import Nomad
from agent.config.onvif_rules import onvif_beside_others
from agent.config.polygon import covered_share
from agent.config.sensor_rules import sensor_misfits
from agent.config.url_secret import PLACEHOLDER

RESERVED_ID = re.compile(r"(hub|watch|police|simulator|home-assistant|broker|ca)(-.*)?")
"""Who is somebody else at the broker: the same list as in docs/hub/authority.sh."""

MOST_OVERLAY = 0.5
"""Of the picture."""


def misfits(section: Section) -> Iterator[Misfit]:
    """Every rule that `section` itself breaks, with the place inside it; of sections in it, only what lies between them."""
    match section:
        case NodeSettings():
            yield from _id_is_a_nodes(section)
            yield from _both_or_neither(section, "latitude", "longitude")
        case CameraSettings():
            yield from _source_fits_driver(section)
            yield from _tls_is_used(section)
            yield from _exposure_fits_rate(section)
        case Privacy():
            yield from _names_are_unique(section, "mask")
            yield from _names_are_unique(section, "overlay")
            yield from _masks_or_statement(section)
            yield from _overlays_leave_a_picture(section)
        case Encoding():
            yield from _one_rate(section)
        case Mqtt():
            yield from _both_or_neither(section, "cert_file", "key_file")
            yield from _password_has_user(section)
            yield from _certificates_are_used(section)
        case BoardLimits():
            yield from _clears_below(section)
        case LiveSettings():
            yield from live_misfits(section)
        case Nomad():
            yield from nomad_misfits(section)
            yield from sensor_misfits(section)
        case Config():
            yield from film_misfits(section)
            yield from live_beside_others(section)
            yield from onvif_beside_others(section)
        case _:
            pass


def _id_is_a_nodes(node: NodeSettings) -> Iterator[Misfit]:
    if found := RESERVED_ID.fullmatch(node.id):
        yield Misfit(
            say("{id!r} would be {found!r} to the broker, which knows a node by its id", id=node.id, found=found[1]),
            at=("id",),
            remedy=say("give the node a name of its place, e.g. pole-17"),
            instead=f"node-{node.id}"[:63],
        )


def _both_or_neither(section: Section, one: str, other: str) -> Iterator[Misfit]:
    for given, missing in ((one, other), (other, one)):
        if getattr(section, given) is not None and getattr(section, missing) is None:
            yield Misfit(
                say("{given} stands without {missing}", given=given, missing=missing),
                at=(given,),
                beside=[(missing,)],
                remedy=say("add {missing}, or remove {given}", missing=missing, given=given),
                instead=NOTHING if given in ("latitude", "longitude") else None,
            )


def _source_fits_driver(camera: CameraSettings) -> Iterator[Misfit]:
    try:
        check_camera_source(camera.driver, camera.source)
    except Misfit as misfit:
        yield misfit
    if PLACEHOLDER in camera.source and camera.password_file is None:
        yield Misfit(
            say("{placeholder} stands in the source, and no file holds the password", placeholder=PLACEHOLDER),
            at=("source",),
            remedy=say('add password_file = "/etc/vigie/camera-password"'),
        )
    if camera.password_file is not None and camera.driver != "rtsp":
        yield Misfit(
            say("driver {driver!r} has no password", driver=camera.driver),
            at=("password_file",),
            beside=[("driver",)],
            remedy=say("remove password_file"),
            instead=NOTHING,
        )


def _tls_is_used(camera: CameraSettings) -> Iterator[Misfit]:
    encrypted = camera.driver == "rtsp" and camera.source.startswith("rtsps://")
    for name in ("ca_file", "tls_fingerprint"):
        if getattr(camera, name) and not encrypted:
            yield Misfit(
                say("{name} has no meaning without TLS", name=name),
                at=(name,),
                beside=[("source",)],
                remedy=say("write rtsps:// in `source`, or remove {name}", name=name),
            )
    if camera.ca_file is not None and camera.tls_fingerprint:
        yield Misfit(
            say("ca_file and tls_fingerprint exclude each other"),
            at=("tls_fingerprint",),
            beside=[("ca_file",)],
            remedy=say("keep ca_file where the camera has a certificate of your CA, tls_fingerprint where it made its own"),
            instead=NOTHING,
        )
    if encrypted and camera.transport == "udp":
        yield Misfit(
            say("rtsps:// is carried over TCP alone: over UDP the pictures would go in the clear"),
            at=("transport",),
            beside=[("source",)],
            remedy=say('write transport = "tcp", or remove it'),
            instead="tcp",
        )


def _exposure_fits_rate(camera: CameraSettings) -> Iterator[Misfit]:
    if camera.exposure_max_us is not None and camera.exposure_max_us > 1_000_000 / camera.fps:
        yield Misfit(
            say(
                "an exposure of {exposure_us} µs is longer than a picture at {fps:g} per second lasts",
                exposure_us=camera.exposure_max_us,
                fps=camera.fps,
            ),
            at=("exposure_max_us",),
            beside=[("fps",)],
            remedy=say("write at most {most}, or lower fps", most=int(1_000_000 / camera.fps)),
            instead=int(1_000_000 / camera.fps),
        )


def _names_are_unique(privacy: Privacy, kind: Literal["mask", "overlay"]) -> Iterator[Misfit]:
    named: Sequence[Mask | Overlay] = privacy.mask if kind == "mask" else privacy.overlay
    seen: dict[str, int] = {}
    for index, shape in enumerate(named):
        first = seen.setdefault(shape.name, index)
        if first != index:
            yield Misfit(
                say("two masks are called {name!r}", name=shape.name)
                if kind == "mask"
                else say("two overlays are called {name!r}", name=shape.name),
                at=(kind, index, "name"),
                beside=[(kind, first, "name")],
                remedy=say("give each its own name"),
                instead=f"{shape.name[:70]} {index + 1}",
            )


def _overlays_leave_a_picture(privacy: Privacy) -> Iterator[Misfit]:
    """What is fixed to the camera proves no view: it may take up half of the picture and no more."""
    too_large = False
    for index, overlay in enumerate(privacy.overlay):
        share = covered_share([overlay.polygon])
        if share > MOST_OVERLAY:
            too_large = True
            yield Misfit(
                say(
                    "the overlay {name!r} takes up {share:.0%} of the picture, and the view is known by the rest alone",
                    name=overlay.name,
                    share=share,
                ),
                at=("overlay", index, "polygon"),
                remedy=say("draw it close around what does not move with the scene; what is so large, switch off in the camera"),
            )
    share = covered_share([overlay.polygon for overlay in privacy.overlay])
    if share > MOST_OVERLAY and not too_large:
        yield Misfit(
            say(
                "the {count} overlays take up {share:.0%} of the picture together, and the view is known by the rest alone",
                count=len(privacy.overlay),
                share=share,
            ),
            at=("overlay",),
            remedy=say("draw each close around what the camera lays on its picture, or switch some off in the camera"),
        )


def _masks_or_statement(privacy: Privacy) -> Iterator[Misfit]:
    if privacy.mask and privacy.none_needed:
        yield Misfit(
            say("there are masks, and a statement that none is needed"),
            at=("none_needed",),
            beside=[("mask",)],
            remedy=say("keep one of the two: remove [privacy.none_needed], or every [[privacy.mask]]"),
        )


def _one_rate(encoding: Encoding) -> Iterator[Misfit]:
    if encoding.bitrate_kbps is not None and encoding.crf is not None:
        yield Misfit(
            say("bitrate_kbps and crf exclude each other"),
            at=("crf",),
            beside=[("bitrate_kbps",)],
            remedy=say("keep bitrate_kbps for a disk use that can be planned, or crf for an even quality"),
            instead=NOTHING,
        )


def _password_has_user(mqtt: Mqtt) -> Iterator[Misfit]:
    if mqtt.password_file is not None and mqtt.username is None:
        yield Misfit(
            say("a password needs a user"), at=("password_file",), beside=[("username",)], remedy=say('add username = "..."')
        )


def _certificates_are_used(mqtt: Mqtt) -> Iterator[Misfit]:
    if any(is_tls(url) for url in (mqtt.url, *mqtt.fallback_urls)):
        return
    for name in ("ca_file", "cert_file"):
        if getattr(mqtt, name) is not None:
            yield Misfit(
                say("{name} has no use: no broker URL here speaks TLS, everything would go in clear text", name=name),
                at=(name,),
                beside=[("url",), ("fallback_urls",)],
                remedy=say("write mqtts:// (or wss://) in `url`, or remove {name}", name=name),
            )


def _clears_below(board: BoardLimits) -> Iterator[Misfit]:
    if board.temperature_clear_c >= board.temperature_critical_c:
        yield Misfit(
            say(
                "the alarm would end at {ends:g} °C, not below the {begins:g} °C at which it begins",
                ends=board.temperature_clear_c,
                begins=board.temperature_critical_c,
            ),
            at=("temperature_clear_c",),
            beside=[("temperature_critical_c",)],
            remedy=say("write a value below {limit}", limit=f"{board.temperature_critical_c:g}"),
            instead=board.temperature_critical_c - 5,
        )
