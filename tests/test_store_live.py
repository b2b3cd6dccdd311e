"""Real processes: a recording while its run is under way, killed at any moment, and several writers at once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from run_samples import call, run

from costlab.errors import BadInput, Conflict, CostLabError
from costlab.runs import AgentNode, Attempt, Step, ToolCall
from costlab.store import RecordingWriter, Store, content_of, read

ROOT = Path(__file__).resolve().parent.parent
STEP = Step("s1", 1, "action")
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python on lines of code, at the project's root, with the samples of the tests at hand."""
    words = [sys.executable, "-c", "import sys; sys.path.insert(0, 'tests')\n" + code, *map(str, arguments)]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_run_as_it_happens(tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl"
    writer = RecordingWriter(path, run("live", steps=()))
    assert read(path).state == "running"
    writer.agent(AgentNode("a0", "agent"))
    writer.step_open(STEP)
    asked = writer.content({"role": "user", "content": "Add"}, "message")
    assert writer.content({"content": "Add", "role": "user"}, "message") == asked  # stored once
    writer.call_open("s1", call("c1", counts={}, messages=(asked,)))
    opened = read(path)
    assert (opened.calls[0].status, opened.calls[0].bounds, opened.calls[0].usage_basis) == (
        "running",
        ("cut",),
        "unknown",
    )
    writer.attempt("c1", Attempt(status=429, error="slow down", billed="no"))
    writer.attempt("c1", Attempt(status=200))
    writer.call("s1", call("c1", messages=(asked,)))
    assert path.read_bytes().splitlines()[-1].count(asked.encode()) == 0  # what was asked is written once
    writer.tool("s1", ToolCall("add", "t1", duration_s=0.1))
    writer.step("s1", error="late", duration_s=3.0)
    writer.end("success", duration_s=4.0, answer="5")
    found = read(path)
    assert (found.state, found.answer, found.duration_s) == ("success", "5", 4.0)
    assert found.calls == (
        call(
            "c1", messages=(asked,), attempts=(Attempt(status=429, error="slow down", billed="no"), Attempt(status=200))
        ),
    )
    assert (found.steps[0].error, found.steps[0].duration_s, found.tool_calls[0].name) == ("late", 3.0, "add")
    assert found.contents == {asked: content_of({"role": "user", "content": "Add"}, "message")}
    assert found.agents == (AgentNode("a0", "agent"),)


def test_a_call_that_ends_with_other_messages_keeps_them(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "live.jsonl", run("live", steps=())) as writer:
        writer.step_open(STEP)
        writer.call_open("s1", call("c1", counts={}, messages=("0" * 64,), tools=("1" * 64,)))
        writer.call("s1", call("c1", messages=("2" * 64,), tools=("1" * 64,)))
    (found,) = read(tmp_path / "live.jsonl").calls
    assert (found.messages, found.tools) == (("2" * 64,), ("1" * 64,))


def test_a_recording_is_never_continued_by_another(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.jsonl", run("a", steps=())), pytest.raises(Conflict, match="is there already"):
        RecordingWriter(tmp_path / "a.jsonl", run("a", steps=()))


def test_what_cannot_be_stored_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.jsonl", run("a", steps=())) as writer:
        writer.step_open(STEP)
        with pytest.raises(BadInput, match=r"counts.thoughts: unknown unit 'thoughts'"):
            writer.call("s1", call("c1", counts={"thoughts": 5}))
        writer.call("s1", call("c1"))
        writer.end("success")
        with pytest.raises(CostLabError, match="it was closed"):
            writer.call("s1", call("c2"))
    assert [c.call_id for c in read(tmp_path / "a.jsonl").calls] == ["c1"]


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.jsonl", run("a", steps=())) as writer:
        writer.step_open(STEP)

        def work(number: int) -> None:
            for turn in range(50):
                writer.content({"content": f"{number} " * 200}, "message")
                writer.call("s1", call(f"c{number}-{turn}"))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        writer.end("success")
    found = read(tmp_path / "a.jsonl")
    assert sorted(c.call_id for c in found.calls) == sorted(f"c{n}-{t}" for n in range(8) for t in range(50))
    assert (len(found.contents), found.warnings) == (8, ())


def header(writer: object) -> str:
    """Return the header of a live recording by a process."""
    return json.dumps(
        {"event": "header", "format": "costlab.recording", "version": 1, "writer": writer, "run": {"run_id": "a"}}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("writer", "state"),
    [
        ({"pid": os.getpid()}, "running"),
        ({"pid": os.getpid(), "start": 1}, "cut"),  # another process had this id before
        ({"pid": 0}, "cut"), ({"pid": -1}, "cut"), ({"pid": True}, "cut"), ({"pid": "1"}, "cut"), ({}, "cut"),
        ({"pid": 2**70}, "cut"), ({"pid": 2**70, "start": 5}, "cut"), ("me", "cut"), (None, "cut"),
    ],
)  # fmt: skip
def test_a_run_is_running_while_its_writer_lives(tmp_path: Path, writer: object, state: str) -> None:
    (tmp_path / "a.jsonl").write_text(header(writer) + "\n")
    assert read(tmp_path / "a.jsonl").state == state


RECORDS = """
from pathlib import Path
from run_samples import call, run
from costlab.runs import Step
from costlab.store import RecordingWriter
writer = RecordingWriter(Path(sys.argv[1]), run("live", steps=()))
writer.step_open(Step("s1", 1, "action"))
for number in range(10**9):
    writer.content({"role": "user", "content": "word " * 2_000 + str(number)}, "message")
    writer.call_open("s1", call(f"c{number}", counts={}))
    writer.call("s1", call(f"c{number}"))
    print(number, flush=True)
"""


@posix
def test_a_killed_run_keeps_every_finished_call(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    for turn in range(4):
        path = tmp_path / f"{turn}.jsonl"
        process = child(RECORDS, path)
        assert said(process) == "0"
        if turn == 0:
            assert read(path).state == "running"
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        rest, _ = process.communicate()
        finished = 1 + len([line for line in rest.split("\n")[:-1] if line])  # each line was printed after its call
        found = read(path)
        assert found.state == "cut"
        ok = [c for c in found.calls if c.status == "ok"]
        assert len(ok) >= finished
        assert all(
            dict(c.counts) == {"input_tokens": 1_000, "cache_read_tokens": 400, "output_tokens": 200} for c in ok
        )
        assert [(c.bounds, c.usage_basis) for c in found.calls if c.status != "ok"] in ([], [(("cut",), "unknown")])
        assert {w.code for w in found.warnings} <= {"torn_line"}


@posix
def test_a_dead_run_can_be_amended_replaced_and_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path, tmp_path / "builtin")
    process = child(RECORDS, store.folder / "live.jsonl")
    assert said(process) == "0"
    store.amend("live", title="While it runs")  # one line among those of its writer
    while said(process) != "200":
        pass
    with pytest.raises(Conflict, match="being recorded now"):
        store.delete("live")
    process.kill()
    process.communicate()
    assert (store.open("live").state, store.open("live").title) == ("cut", "While it runs")
    assert len(store.open("live").calls) > 200, "the writer went on in the same file"
    store.amend("live", correct=False)
    assert (store.open("live").correct, store.open("live").title) == (False, "While it runs")
    store.add([run("live", title="Another")])
    assert store.open("live").title == "Another"
    store.delete("live")
    assert store.runs() == ()


SAVES = """
from pathlib import Path
from run_samples import call, run
from costlab.store import Store
store = Store(Path(sys.argv[1]), Path(sys.argv[1]) / "builtin")
turn = 0
while True:
    calls = [call(f"c{n}", counts={"input_tokens": turn}) for n in range(300)]
    store.add([run("one", *calls, task=str(turn)), run("two", *calls, task=str(turn))])
    print(turn, flush=True)
    turn += 1
"""


@posix
def test_killed_while_saving_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    store = Store(tmp_path, tmp_path / "builtin")
    for _ in range(4):
        process = child(SAVES, tmp_path)
        assert said(process) == "0"
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        rest, _ = process.communicate()
        last = max([0, *map(int, rest.split("\n")[:-1])])
        found = store.runs()
        assert (len(found), store.broken) == (2, ())
        for one in found:
            assert int(one.task) in (last, last + 1)
            assert len(one.calls) == 300
            assert {c.counts["input_tokens"] for c in one.calls} == {int(one.task)}
    store.add([run("three")])  # the dead one's lock is gone, and so is what it left
    assert [p.name for p in tmp_path.rglob("*.tmp")] == []


ADDS = """
from pathlib import Path
from run_samples import run
from costlab.store import Store
home, who = Path(sys.argv[1]), sys.argv[2]
store = Store(home, home / "builtin")
print("ready", flush=True)
sys.stdin.readline()
for turn in range(25):
    store.add([run(f"{who}-{turn}")])
    store.amend("both", title=f"{who}-{turn}")
    store.add([run("shared", title=who)])
"""


def test_two_processes_add_and_amend_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path, tmp_path / "builtin")
    store.add([run("both")])
    workers = [child(ADDS, tmp_path, who) for who in ("a", "b")]
    for one in workers:
        assert said(one) == "ready"
    for one in workers:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in workers:
        one.communicate(timeout=120)
        assert one.returncode == 0
    found = {one.run_id: one for one in store.runs()}
    assert store.broken == ()
    assert sorted(found) == sorted(["both", "shared", *(f"{who}-{turn}" for who in "ab" for turn in range(25))])
    written = [json.loads(line) for line in (store.folder / "both.jsonl").read_text().splitlines()]
    titles = [row["title"] for row in written if row["event"] == "amend"]
    assert sorted(titles) == sorted(f"{who}-{turn}" for who in "ab" for turn in range(25))  # none is lost
    assert found["both"].title == titles[-1]
    assert found["shared"].title in ("a", "b")


FULL = """
import resource
from pathlib import Path
from run_samples import call, run
from costlab.errors import CostLabError
from costlab.runs import Step
from costlab.store import RecordingWriter
path = Path(sys.argv[1])
writer = RecordingWriter(path, run("full", steps=()))
writer.step_open(Step("s1", 1, "action"))
writer.call("s1", call("c1"))
size = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))  # the disk takes 100 bytes more
for _ in range(3):
    try:
        writer.content({"content": "x" * 1000}, "message")
    except CostLabError as error:
        print(error, path.stat().st_size - size, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writer.call("s1", call("c2"))  # there is room again
writer.end("success")
"""


@posix
def test_a_full_disk_costs_one_event_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "full.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, 'tests')\n" + FULL, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"cannot write {path}: File too large 0"] * 3
    found = read(path)
    assert (found.state, [c.call_id for c in found.calls], found.warnings) == ("success", ["c1", "c2"], ())


@posix
def test_no_recording_is_left_where_not_even_its_header_fits(tmp_path: Path) -> None:
    code = """
import resource
from pathlib import Path
from run_samples import run
from costlab.errors import CostLabError
from costlab.store import RecordingWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (50, resource.RLIM_INFINITY))
try:
    RecordingWriter(Path(sys.argv[1]), run("full", steps=()))
except CostLabError as error:
    print(error)
"""
    process = child(code, tmp_path / "full.jsonl")
    assert said(process) == f"cannot write {tmp_path / 'full.jsonl'}: File too large"
    process.communicate()
    assert list(tmp_path.iterdir()) == []
