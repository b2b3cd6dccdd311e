"""The README does what it says: its Python runs, its commands exit 0, its links and make targets are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, flags=re.M | re.S)
PYTHON = [body for language, body in BLOCKS if language == "python"]
SHELL = [line for language, body in BLOCKS if language == "sh" for line in body.replace("\\\n", " ").splitlines()]
COMMANDS = [line for line in SHELL if line.startswith("costlab ")]

pytestmark = pytest.mark.needs("app", "agents")


def run(command: list[str], home: Path) -> str:
    """Run a command at the project's root with an empty home; return what it prints, and fail if it fails."""
    environment = {
        **os.environ,
        "COSTLAB_HOME": str(home),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("body", PYTHON, ids=range(len(PYTHON)))
def test_python_block_runs_and_prints_what_it_says(body: str, home: Path) -> None:
    printed = run([sys.executable, "-c", body], home).splitlines()
    said = re.findall(r"print\(.*\)  # (.*)$", body, flags=re.M)
    assert [line for line in said if line not in printed] == []


@pytest.mark.parametrize("line", COMMANDS)
def test_command_exits_0(line: str, home: Path) -> None:
    words = shlex.split(line, comments=True)
    assert run([sys.executable, "-m", *words], home)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_make_targets_are_there() -> None:
    named = set(re.findall(r"`make ([\w-]+)", TEXT)) | {line.split()[1] for line in SHELL if line.startswith("make ")}
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    assert named - targets == set()
