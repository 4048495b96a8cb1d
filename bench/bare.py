"""What the libraries ask for by themselves: a film decoded and encoded again, with nothing of ours but how memory is kept.

Run as `python -m bench.bare FILM FRAMES PRESET CRF`; `vigie bench node` measures it beside the node: the floor of its memory.
"""

from __future__ import annotations

import sys
from fractions import Fraction

import av
import cryptography.x509
import cv2
import msgspec
import numpy
import paho.mqtt.client
from av.video.codeccontext import VideoCodecContext
from cryptography.hazmat.primitives.asymmetric import ec

from hardware.footprint.allocation import allocate_sparingly
from hardware.footprint.giving_back import give_back

LOADED = (cryptography.x509, cv2, ec, msgspec, numpy, paho.mqtt.client)
"""What a node masks, signs, checks and tells with."""


def main(film: str, frames: int, preset: str, crf: str) -> int:
    """Decode and encode; returns how many bytes came out."""
    allocate_sparingly()
    give_back()
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    with av.open(film) as container:
        stream = container.streams.video[0]
        encoder.width, encoder.height, encoder.pix_fmt = stream.width, stream.height, "yuv420p"
        encoder.time_base, encoder.framerate, encoder.thread_count = Fraction(1, 25), Fraction(25), 1
        x264 = "scenecut=0:bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:force-cfr=1"
        encoder.options = {"preset": preset, "crf": crf, "x264-params": x264}
        written = 0
        for number, picture in zip(range(frames), container.decode(stream), strict=False):
            picture.pts, picture.time_base = number, Fraction(1, 25)
            written += sum(packet.size for packet in encoder.encode(picture))
    return written


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
