"""docs/cli.md does what it says: its commands exit 0, one after the other, and print what stands under them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from costlab.cli import parser

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, flags=re.M | re.S)
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


@posix
def test_every_block_runs_and_prints_what_stands_under_it(tmp_path: Path) -> None:
    work, user = tmp_path / "work", tmp_path / "user"
    work.mkdir()
    user.mkdir()
    (tmp_path / "costlab").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m costlab "$@"\n')
    (tmp_path / "costlab").chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(user),
        "COSTLAB_HOME": str(tmp_path / "home"), "CLAUDE_CONFIG_DIR": "", "CODEX_HOME": "", "GEMINI_CLI_HOME": "",
    }  # fmt: skip
    (user / ".codex" / "sessions").mkdir(parents=True)
    printed, ran = "", 0
    for language, body in BLOCKS:
        if language == "sh":
            done = subprocess.run(
                ["sh", "-e", "-c", body], cwd=work, env=environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, ""), body
            printed, ran = done.stdout, ran + 1
        else:
            for said in body.splitlines():
                assert said in printed, printed
    assert ran == 10


def test_every_command_named_is_there() -> None:
    (commands,) = (action.choices for action in parser()._actions if action.dest == "command")
    named = set(re.findall(r"`?costlab ([a-z][\w-]*)", TEXT))
    assert named >= {"price", "media-tokens", "import", "runs", "show", "compare", "report", "run", "prices"}
    assert named <= set(commands or ())
