"""Fixtures shared by all tests: where real recordings are, and a home that is thrown away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import NONE_SHIPPED, Cli, price_folder

import costlab as cl

ROOT = Path(__file__).resolve().parent.parent

pytest_plugins = ["gate", "browser_fixtures"]
os.environ.pop("COLUMNS", None)  # a worker of pytest-xdist has it; tables are as wide as where there is no terminal


def shared_folder() -> Path | None:
    """Return the folder of real recordings: `$COSTLAB_SHARED`, else `../shared` beside the project."""
    named = os.environ.get("COSTLAB_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings; the test is skipped where there is none."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("no recorded data: set COSTLAB_SHARED to a folder that holds data/")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's home for one test."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("COSTLAB_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def shipped() -> cl.PriceTable:
    """The price table that CostLab ships, without anybody's overrides."""
    return cl.load_table()


@pytest.fixture
def cli(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line over an empty home, without shipped recordings, and a small folder of prices."""
    monkeypatch.setenv("COSTLAB_RECORDINGS", str(NONE_SHIPPED))
    return Cli(home, price_folder(tmp_path / "pricing"), capsys)
