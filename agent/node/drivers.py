"""The choice of drivers: the one module that names hardware/, and what the configuration asks of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.base.clock import Clock, SystemClock
from agent.config.looking_in import LiveSettings
from agent.config.model import CameraSettings, Config
from agent.config.nomadic import Nomad
from agent.config.polygon import Polygon, check_polygon
from agent.identity.node_key import IdentityDirectory
from agent.live.gate import LeaseGate
from agent.picture.analysis_luma import analysis_size
from agent.ports.battery import Battery
from agent.ports.host import Board, ServiceManager
from agent.ports.live import Gate, LiveDoor
from agent.ports.mqtt import BrokerCredentials, MqttTransport
from agent.ports.video import Camera, Encoder, MuxerFactory
from agent.sensors.sensors import SensorDrivers
from agent.stream.low_stream import FPS

LOW_KEYFRAME_S: Final = 4.0
"""Each keyframe brings a signature and a certificate, which weigh at so low a rate."""


def open_camera(settings: CameraSettings, clock: Clock) -> Camera:
    """The driver this configuration names; nothing is opened yet. From here on this process leaves no core dump."""
    from hardware.core_dump import forbid_core_dumps

    forbid_core_dumps()
    match settings.driver:
        case "file":
            from hardware.camera_file import FileCamera

            return FileCamera(settings, clock)
        case "synthetic":
            from hardware.camera_synthetic import SyntheticCamera

            return SyntheticCamera(settings, clock)
        case "rtsp":
            from hardware.camera_rtsp import RtspCamera

            return RtspCamera(settings, clock)
        case "v4l2":
            from hardware.camera_v4l2 import V4l2Camera

            return V4l2Camera(settings, clock)
        case "picamera2":
            from hardware.camera_picamera2 import PicameraCamera

            return PicameraCamera(settings, clock)


def film_format(path: Path) -> tuple[int, int, float]:
    """Width and height as it is to be shown (both even) and pictures per second. CameraError when there is no picture in it."""
    from hardware.film import FilmDecoder

    film = FilmDecoder(path)
    try:
        width, height = round(film.size[0] * film.pixel_aspect), film.size[1]
        return width - width % 2, height - height % 2, min(float(film.rate), 60.0)
    finally:
        film.close()


def drawn_windows(seed: int = 1) -> dict[str, Polygon]:
    """The private windows of the drawn square, by name."""
    from hardware.camera_synthetic import private_windows

    return {window.name: check_polygon(window.polygon) for window in private_windows(seed)}


def open_board() -> Board:
    """The board this process runs on."""
    from hardware.board_pi import PiBoard

    return PiBoard()


def open_transport(credentials: BrokerCredentials) -> MqttTransport:
    """An MQTT connection yet to be opened."""
    from hardware.mqtt_paho import PahoTransport

    return PahoTransport(credentials)


def new_encoder(config: Config, source: Camera) -> Encoder:
    """An encoder for `source`'s pictures: the board's own where it has one and picamera2 the camera, x264 elsewhere."""
    from hardware.encoder_libav import LibavEncoder

    camera, encoding = config.camera, config.encoding
    if camera.driver == "picamera2":
        from hardware.camera_picamera2 import PicameraCamera
        from hardware.encoder_picamera2 import PicameraEncoder, has_hardware_encoder

        if isinstance(source, PicameraCamera) and has_hardware_encoder():
            return PicameraEncoder(
                source.loans,
                camera.fps,
                hardware=True,
                bitrate_kbps=encoding.bitrate_kbps,
                crf=encoding.crf,
                keyframe_seconds=encoding.keyframe_seconds,
            )
    return LibavEncoder(
        camera.width,
        camera.height,
        camera.fps,
        preset=encoding.preset,
        bitrate_kbps=encoding.bitrate_kbps,
        crf=encoding.crf,
        keyframe_seconds=encoding.keyframe_seconds,
    )


def new_low_encoder(config: Config) -> Encoder:
    """An encoder for the low stream: x264 on one thread, a keyframe each four seconds, never above its bit rate."""
    from hardware.encoder_libav import LibavEncoder

    width, height = analysis_size(config.camera.width, config.camera.height)
    return LibavEncoder(
        width, height, FPS, preset="veryfast", bitrate_kbps=config.live.low_kbps, keyframe_seconds=LOW_KEYFRAME_S, threads=1
    )


def begin_log(config: Config | None, clock: Clock | None = None) -> None:
    """Sentences on stderr, or structured entries in journald when systemd started us."""
    from agent.base.log import FoldedLog
    from agent.base.log_queue import LogQueue
    from hardware.journal_systemd import log_handler

    clock = clock or SystemClock()
    queue = LogQueue(log_handler(config.node.id if config else ""), clock)
    logging.basicConfig(level=logging.INFO, handlers=[FoldedLog(queue, clock)], force=True)


def open_muxer() -> MuxerFactory:
    """What makes the muxer of each segment."""
    from hardware.muxer_libav import LibavMuxer

    return LibavMuxer


def open_live(config: Config, gate: LeaseGate, *, clock: Clock) -> Sequence[LiveDoor]:
    """The ways of looking in that this configuration switches on; nothing is opened yet."""
    live, identity = config.live, IdentityDirectory.here(config.identity_dir)
    doors: list[LiveDoor] = []
    if live.rtsp_port or live.rtsps_port:
        doors.append(_rtsp_door(live, identity, gate, clock))
    if live.page_port:
        from agent.live.web_door import WebDoor

        at, files = (live.host, live.page_port), (identity.chain_path, identity.key_path, identity.ca_path)
        doors.append(WebDoor(gate, config.node.id, at, *files, clock, language=config.node.language))
    if live.push_url is not None:
        from hardware.live_push.door import PushDoor

        doors.append(PushDoor(gate, live.push_url, identity.ca_path, identity.chain_path, identity.key_path, clock))
    return doors


def _rtsp_door(live: LiveSettings, identity: IdentityDirectory, gate: Gate, clock: Clock) -> LiveDoor:
    from hardware.live_rtsp.door import RtspDoor
    from hardware.live_rtsp.settings import RtspSettings

    settings = RtspSettings(
        live.host,
        live.rtsp_port or None,
        live.rtsps_port or None,
        identity.chain_path,
        identity.key_path,
        live.udp,
        live.max_viewers,
    )
    return RtspDoor(gate, settings, clock)


def open_sensors(config: Config, clock: Clock) -> SensorDrivers:
    """What [nomad] names; nothing is opened yet."""
    nomad = config.nomad
    if nomad == type(nomad)():
        return SensorDrivers()
    from hardware.gps_gpsd import GpsdPositions
    from hardware.link_counters import KernelLinkCounters
    from hardware.modem_modemmanager import ModemManagerModem
    from hardware.tilt_iio import IioAccelerometer

    return SensorDrivers(
        positions=GpsdPositions(clock) if nomad.gps == "gpsd" else None,
        modem=ModemManagerModem() if nomad.modem == "modemmanager" else None,
        counters=KernelLinkCounters(nomad.modem_interface) if nomad.modem_interface else None,
        battery=_battery(nomad, clock),
        accelerometer=IioAccelerometer(clock) if nomad.tilt == "iio" else None,
    )


def _battery(nomad: Nomad, clock: Clock) -> Battery | None:
    match nomad.battery:
        case "sysfs":
            from hardware.battery_sysfs import SysfsBattery

            return SysfsBattery(nomad.battery_device)
        case "upower":
            from hardware.battery_upower import UPowerBattery

            return UPowerBattery(nomad.battery_device)
        case "vedirect":
            from hardware.battery_vedirect import VeDirectBattery

            return VeDirectBattery(nomad.battery_device, clock)
        case "off":
            return None


def open_service_manager() -> ServiceManager:
    """Whoever started this process and waits for it: systemd, or nobody."""
    from hardware.systemd_service import service_manager

    return service_manager()


def keep_one_heap() -> None:
    """Give every thread the same heap. Before the first thread starts: what has a heap of its own keeps it, and shares it out."""
    from hardware.footprint.allocation import allocate_sparingly

    allocate_sparingly()


def compute_alone() -> None:
    """Keep OpenCV's work on the thread that asks for it, and memory in one heap. Once, before the first picture."""
    from hardware.opencv_threads import work_alone

    work_alone()
    keep_one_heap()


def give_back_memory() -> None:
    """Hand the kernel what only starting needed."""
    from hardware.footprint.giving_back import give_back

    give_back()
