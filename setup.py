"""Packaging of Vigie, the edge agent for a town's public-space cameras."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = (HERE / "agent" / "VERSION").read_text(encoding="ascii").strip()

setup(
    name="vigie",
    version=VERSION,
    description="Edge agent for public-space cameras: masks first, then records, signs and reports",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="EUPL-1.2",
    python_requires=">=3.11",
    packages=find_packages(include=["agent", "agent.*", "hardware", "hardware.*"]),
    package_data={
        "agent": [
            "VERSION",
            "commissioning/*.html",
            "evidence/*.html",
            "nomad/*.html",
            "locale/*/LC_MESSAGES/*.po",
            "py.typed",
            "console/static/*",
            "live/static/*",
        ],
        "hardware": ["py.typed"],
    },
    install_requires=[
        "aiohttp>=3.10",
        "av>=14",
        "click>=8.4",
        "cryptography>=42",
        "jeepney>=0.9",
        "jinja2>=3.1",
        "msgspec>=0.19",
        "numpy>=1.26",
        "opencv-python-headless>=4.9",
        "paho-mqtt>=2.1",
        "psutil>=5.9",
        "pyjwt>=2.8",
        "pyopenssl>=24.3",
        "rich>=13",
        "websockets>=14",
    ],
    extras_require={
        "pi": ["picamera2>=0.3.31"],
        "systemd": ["systemd-python>=235"],
        "dev": [
            "babel>=2.14",
            "codespell>=2.3",
            "fonttools>=4.50",
            "hypothesis>=6.100",
            "import-linter>=2.1",
            "jsonschema>=4.20",
            "mypy>=1.13",
            "playwright>=1.48",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "pyyaml>=6",
            "ruff>=0.9",
            "types-PyYAML",
            "types-jsonschema",
            "types-psutil",
        ],
    },
    entry_points={"console_scripts": ["vigie = agent.__main__:main"]},
)
