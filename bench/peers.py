"""Peers of a node doing their job on the same film, in real time, with the same encoder settings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import cv2
import numpy as np

from bench.film import masks
from bench.process import Cost, measure

WIDTH, HEIGHT, FPS = 1920, 1080, 25


def ffmpeg(film: Path, directory: Path, seconds: float, preset: str, crf: int) -> dict[str, float]:
    """Reading, overlaying a picture of the masks, encoding, and nothing else."""
    mask = directory / "mask.png"
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for corners in masks().values():
        cv2.fillPoly(picture, [np.round(np.array(corners) * (WIDTH, HEIGHT)).astype(np.int32)], (126, 126, 126, 255))
    cv2.imwrite(str(mask), picture)
    out = directory / "peer.mp4"
    log = directory / "peer.log"
    command = ["ffmpeg", "-y", "-nostdin", "-re", "-stream_loop", "-1", "-i", str(film), "-i", str(mask)]
    command += ["-filter_complex", "[0:v][1:v]overlay=format=yuv420", "-t", f"{seconds:g}", "-an", "-c:v", "libx264"]
    command += ["-preset", preset, "-crf", str(crf), "-g", "50", "-bf", "0", "-x264-params", "scenecut=0"]
    command += ["-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "1000000", str(out)]
    cost = measure(command, log)
    if cost.code != 0:
        raise SystemExit(f"ffmpeg left with {cost.code}:\n{log.read_text()[-2000:]}")
    frames = int(re.findall(r"frame=\s*(\d+)", log.read_text(errors="replace"))[-1])
    return {**metrics(cost, frames), "bytes_per_s": out.stat().st_size * FPS / frames}


def motion(film: Path, directory: Path, seconds: float, crf: int) -> dict[str, float]:
    """Motion set up to do a node's job: privacy mask, motion detection, a text on the picture, everything recorded.

    Its encoder is x264 with `ultrafast` and `zerolatency`; no setting changes that.
    """
    looped, mask = directory / "looped.mp4", directory / "mask.pgm"
    command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", str(film), "-t", f"{seconds + 10:g}", "-c", "copy"]
    subprocess.run([*command, str(looped)], check=True)
    picture = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for corners in masks().values():
        cv2.fillPoly(picture, [np.round(np.array(corners) * (WIDTH, HEIGHT)).astype(np.int32)], 0)
    cv2.imwrite(str(mask), picture)
    out = directory / "motion"
    settings = {
        "netcam_url": f"file://{looped}",
        "width": WIDTH,
        "height": HEIGHT,
        "framerate": FPS,
        "mask_privacy": mask,
        "emulate_motion": "on",
        "movie_output": "on",
        "movie_codec": "mp4",
        "movie_quality": motion_quality(crf),
        "movie_max_time": 0,
        "movie_filename": "film",
        "picture_output": "off",
        "text_left": "bench",
        "text_right": "%Y-%m-%d %T",
        "target_dir": out,
        "webcontrol_port": 0,
        "stream_port": 0,
        "log_level": 5,
        "daemon": "off",
    }
    file = directory / "motion.conf"
    file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()), encoding="utf-8")
    log = directory / "motion.log"
    cost = measure(["motion", "-n", "-c", str(file)], log, for_s=seconds)
    films = sorted(out.glob("*.mp4"))
    if cost.code != 0 or not films:
        raise SystemExit(f"Motion left with {cost.code} and {len(films)} films:\n{log.read_text()[-2000:]}")
    frames = sum(map(_pictures, films))
    return {**metrics(cost, frames), "bytes_per_s": sum(each.stat().st_size for each in films) * FPS / max(1, frames)}


def motion_quality(crf: int) -> int:
    """The quality of 1 to 100 of which Motion makes this CRF: (100 - quality) * 51 / 100, rounded down."""
    return 100 - -(-crf * 100 // 51)


def metrics(cost: Cost, frames: int) -> dict[str, float]:
    """What is compared: processor time per picture, memory, share of the machine."""
    return {
        "frames": frames,
        "cpu_ms_per_frame": 1000 * cost.cpu_s / max(1, frames),
        "peak_rss_mb": cost.peak_rss_bytes / 1e6,
        "rss_mb": cost.rss_bytes / 1e6,
        "cores": cost.cpu_s / cost.wall_s,
    }


def _pictures(film: Path) -> int:
    command = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets"]
    return int(subprocess.run([*command, "-of", "csv=p=0", str(film)], check=True, capture_output=True, text=True).stdout)
