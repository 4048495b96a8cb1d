"""A relay in a namespace of its own: `python -m bench.live_relay PORT` prints, at each frame's end, its time and the time."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time

from hardware.rtsp_framing import Framing, Message


def main(port: str) -> None:
    """Until killed."""
    listener = socket.create_server(("", int(port)))
    print("listening", flush=True)
    while True:
        line, _ = listener.accept()
        threading.Thread(target=_serve, args=(line,), daemon=True).start()


def _serve(line: socket.socket) -> None:
    framing = Framing()
    try:
        while data := line.recv(65_536):
            for piece in framing.feed(data):
                if isinstance(piece, Message):
                    cseq = piece.all("cseq")[0]
                    line.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nSession: 1;timeout=60\r\n\r\n".encode())
                elif piece[1] == 0 and piece[5] & 0x80:
                    print(struct.unpack_from(">I", piece, 8)[0], time.monotonic_ns(), flush=True)
    except OSError:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
