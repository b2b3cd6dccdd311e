"""The command line for tests: as a process of its own, or called inside this one, over a small folder of prices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from price_files import folder

from costlab.cli import main

ROOT = Path(__file__).resolve().parent.parent
NONE_SHIPPED = ROOT / "tests" / "no-recordings"  # is not there: these tests count a user's own recordings only
SOURCE = {"source": "test", "source_version": "1", "read_at": "2026-02-01"}
GPT = {"provider": "openai", "model": "gpt-x", "per": "1000000", **SOURCE}
CLAUDE = {"provider": "anthropic", "model": "claude-x", "per": "1000000", **SOURCE}
# USD per million tokens, searches per thousand; gpt-x's input became dearer on 1 July 2026.
PRICES = (
    {**GPT, "unit": "input_tokens", "price": "2", "valid_to": "2026-07-01"},
    {**GPT, "unit": "input_tokens", "price": "3", "valid_from": "2026-07-01"},
    {**GPT, "unit": "input_tokens", "price": "1", "when": "processing=batch", "valid_to": "2026-07-01"},
    {**GPT, "unit": "cache_read_tokens", "price": "0.2"},
    {**GPT, "unit": "output_tokens", "price": "8"},
    {**GPT, "unit": "output_tokens", "price": "16", "when": "service_tier=priority"},
    {**GPT, "unit": "web_searches", "price": "10", "per": "1000"},
    {**CLAUDE, "unit": "input_tokens", "price": "3"},
    {**CLAUDE, "unit": "cache_read_tokens", "price": "0.3"},
    {**CLAUDE, "unit": "output_tokens", "price": "15"},
    {**GPT, "model": "tiny-x", "unit": "input_tokens", "price": "0.1"},
    {**GPT, "model": "tiny-x", "unit": "output_tokens", "price": "0.1"},
    {**GPT, "model": "old-x", "unit": "input_tokens", "price": "0.1"},
    {**GPT, "model": "half-x", "unit": "input_tokens", "price": "0.5"},
)
FACTS = (
    {"provider": "openai", "model": "gpt-x", "mode": "chat", "context_tokens": "100000", "inputs": "image|text"},
    {"provider": "anthropic", "model": "claude-x", "mode": "chat", "context_tokens": "200000", "inputs": "text"},
    {"provider": "openai", "model": "tiny-x", "mode": "chat", "context_tokens": "500"},
    {"provider": "openai", "model": "half-x", "mode": "chat", "context_tokens": "100000"},
    {"provider": "openai", "model": "old-x", "mode": "chat", "retires_at": "2026-01-01"},
)


def price_folder(place: Path) -> Path:
    """Write the folder of prices and return it."""
    return folder(place, PRICES, models=FACTS)


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return stdout as one JSON document."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        """Return stdout as lines of JSON."""
        return [json.loads(line) for line in self.out.split("\n") if line]

    def problem(self) -> str:
        """Return the one problem on stderr, without a stack trace."""
        assert "Traceback" not in self.err
        assert self.err.count("\n") == 1, self.err
        return self.err.strip()


def process(
    *words: object, stdin: str = "", home: Path | None = None, env: Mapping[str, str] | None = None, **more: Any
) -> Done:
    """Run `python -m costlab` as a process of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COSTLAB_RECORDINGS": str(NONE_SHIPPED),
        **({"COSTLAB_HOME": str(home)} if home else {}),
        **(env or {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "costlab", *map(str, words)],
        input=stdin, capture_output=True, text=True, encoding="utf-8", env=environment, check=False, **more,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


class Cli:
    """Runs commands inside this process, with a home and a folder of prices of its own."""

    def __init__(self, home: Path, pricing: Path | None, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.pricing, self._capsys = home, pricing, capsys

    def __call__(self, *words: object) -> Done:
        """Run one command; returns what it left."""
        self._capsys.readouterr()
        places = ["--home", str(self.home), *(["--pricing", str(self.pricing)] if self.pricing else [])]
        code = main([*places, *map(str, words)])
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)


def jsonl(path: Path, *rows: object) -> Path:
    """Write rows as lines; a text stands as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
