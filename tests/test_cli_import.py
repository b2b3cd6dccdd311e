"""`import`: files and folders, what is refused and why, what happens twice; and `import --found` on made-up homes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, Cli, Done, process
from trace_samples import CLAUDE, CODEX, GEMINI, LANGFUSE, SAMPLES, generation, langfuse, write

import costlab as cl

SUMMARY = {
    "run_id", "parent_run_id", "task", "agent", "source", "state", "correct", "started_at", "models", "steps",
    "model_calls", "failed_calls", "attempts", "tool_calls", "tool_errors", "error_rate", "duration_s", "counts",
    "total_usd", "lower_bound", "bounds", "total_usd_today", "lower_bound_today", "unpriced", "warnings",
    "merged_records", "inherited_calls",
}  # fmt: skip
OURS = {"at_api_prices", "billed", "baseline", "usage_basis"}  # beyond the contract
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


@pytest.mark.parametrize("form", sorted(SAMPLES))
def test_every_format_is_found_by_its_content(cli: Cli, tmp_path: Path, form: str) -> None:
    value, name = SAMPLES[form]
    path = write(tmp_path / name, value)
    done = cli("import", path, "--json")
    (answer,) = done.json
    assert (done.code, done.err) == (0, "")
    assert set(answer) == {"path", "format", "runs", "merged_records", "error"}
    assert (answer["path"], answer["format"], answer["error"]) == (str(path), form, None)
    assert all(set(run) == SUMMARY | OURS for run in answer["runs"])
    assert [run["run_id"] for run in cli("runs", "--json").json if run["run_id"] != ""] == [
        run["run_id"] for run in answer["runs"]
    ]


def test_a_run_s_summary(cli: Cli, tmp_path: Path) -> None:
    (answer,) = cli("import", write(tmp_path / "s.jsonl", CLAUDE), "--json").json
    (run,) = answer["runs"]
    assert answer["merged_records"] == run["merged_records"] == 1  # one message stands on two lines
    shown = ("state", "steps", "model_calls", "failed_calls", "attempts", "error_rate")
    assert [run[name] for name in shown] == ["success", 1, 1, 0, 1, 0.0]
    assert run["models"] == ["anthropic/claude-sonnet-4-5-20250929"]
    assert run["counts"] == {
        "input_tokens": 1_110, "cache_read_tokens": 1_000, "cache_write_tokens": 100, "output_tokens": 40,
    }  # fmt: skip
    assert (run["total_usd"], run["lower_bound"]) == ("0", True)  # no such model in the small folder of prices
    assert (run["billed"], run["baseline"]) == (True, None)


def test_a_file_as_text(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "trace.json", LANGFUSE)
    done = cli("import", path)
    assert (done.code, done.out, done.err) == (0, f"{path}: 1 run, langfuse\n", "")


def test_importing_twice_replaces(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "trace.json", LANGFUSE)
    first, second = cli("import", path, "--json").json, cli("import", path, path, "--json").json
    assert second == [*first, *first]
    assert len(cli("runs", "--json").json) == 1


def test_a_named_format_is_taken(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "chat.json", GEMINI)
    assert cli("import", path, "--format", "gemini-cli", "--json").json[0]["format"] == "gemini-cli"
    wrong = cli("import", path, "--format", "langfuse", "--json")
    assert (wrong.code, wrong.json[0]["runs"]) == (1, [])
    assert wrong.json[0]["error"].startswith("chat.json")


def bad_files(folder: Path) -> dict[str, Path]:
    """Files that are refused, by what the refusal says."""
    deep = folder / "deep.json"
    deep.write_text(json.dumps(LANGFUSE)[:-3] + ', "metadata": ' + "[" * 300 + "]" * 300 + "}]}")
    torn = folder / "torn.json"
    torn.write_text(json.dumps(LANGFUSE)[:-20])
    text = folder / "text.json"
    text.write_bytes(json.dumps(LANGFUSE).encode()[:-2] + b"\xff}")
    huge = folder / "huge.jsonl"
    huge.write_text('{"event": "header", "format": "costlab.recording", "version": 1, "run": {"run_id": "a"}}\n')
    with huge.open("r+b") as out:
        out.truncate(256 * 2**20 + 1)  # a hole: it takes no room on the disk
    empty = folder / "empty.json"
    empty.write_bytes(b"")
    loop = folder / "loop.json"
    loop.symlink_to(loop)
    return {
        "nested more than 200 deep": deep, "line 1: broken JSON": torn, "line 1: not UTF-8 text": text,
        "has more than 268435456 bytes, the most that is read": huge, "is empty": empty,
        "is of no known format; known: costlab": write(folder / "odd.json", {"a": 1}),
        "usageDetails.input: a count must be between 0 and 10^15, not -1": write(
            folder / "minus.json", langfuse(generation("g1", {"input": -1}))
        ),
        "cannot be read: No such file or directory": folder / "nowhere.json",
        "cannot be read: ": loop,
    }  # fmt: skip


@posix
def test_a_refused_file_says_why_and_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    bad = bad_files(tmp_path / "in")
    good = write(tmp_path / "in" / "good.json", LANGFUSE)
    for why, path in bad.items():
        done = cli("import", path)
        assert (done.code, done.out) == (1, "")
        assert done.problem().startswith(f"costlab: {path}")
        assert why in done.err
        assert cli("runs", "--json").json == []
    done = cli("import", *bad.values(), good, "--json")
    assert done.code == 1
    assert [one["path"] for one in done.json] == [*map(str, bad.values()), str(good)]
    assert [bool(one["error"]) for one in done.json] == [True] * len(bad) + [False]
    assert len(done.err.splitlines()) == len(bad)
    assert len(cli("runs", "--json").json) == 1


@posix
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """Root may read everything: there the process gives its rights away before it reads."""
    path = write(tmp_path / "trace.json", LANGFUSE)
    path.chmod(0)
    for folder in (tmp_path, *(one for one in tmp_path.parents if one.name.startswith(("pytest-", "popen-")))):
        folder.chmod(0o755)
    code = """
import os, sys
from costlab.cli import main
import costlab as cl
cl.formats()  # what is loaded later may lie where only root reads
cl.load_table()
if os.geteuid() == 0:
    os.seteuid(65534)
sys.exit(main(sys.argv[1:]))
"""
    words = [sys.executable, "-c", code, "import", str(path), "--home", str(tmp_path / "home")]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    done = Done(ran.returncode, ran.stdout, ran.stderr)
    assert (done.code, done.problem()) == (1, f"costlab: {path}: cannot be read: Permission denied")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    path = write(tmp_path / "trace.json", LANGFUSE)
    (tmp_path / "home").write_text("a file, not a folder")
    done = process("import", path, home=tmp_path / "home")
    assert (done.code, done.out) == (1, "")
    assert f"costlab: {path}: cannot write " in done.problem()


def test_odd_names_cannot_steer_the_terminal(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = write(folder / "a\x1b[2Jb.json", langfuse(generation("g1", {"input": 5, "\x1b[31m\n": 5})))
    for done in (cli("import", path), cli("import", folder / "\x1b]0;x\x07\n")):
        assert "\x1b" not in done.out + done.err
        assert (done.out + done.err).count("\n") == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "import needs a PATH, or --found"),
        (("--found", "x"), "import takes a PATH or --found, not both"),
        (("--yes", "x"), "--yes belongs to --found"),
        (("x", "--format", "word"), "no format is named 'word'; known: costlab, claude-code"),
        (("x", "--at", "soon"), "--at: must be call, today or a date"),
    ],
)
def test_wrong_use(cli: Cli, words: tuple[str, ...], why: str) -> None:
    done = cli("import", *words)
    assert (done.code, done.out) == (2, "")
    assert why in done.problem()


# ---- import --found


def sessions(home: Path) -> Path:
    """Make a home in which three tools have left sessions, beside what is none."""
    claude = home / ".claude" / "projects" / "-work-app"
    codex = home / ".codex" / "sessions" / "2026" / "05" / "01"
    gemini = home / ".gemini" / "tmp" / "abc" / "chats"
    for folder in (claude / "session-1" / "subagents", codex, gemini):
        folder.mkdir(parents=True)
    write(claude / "session-1.jsonl", CLAUDE)
    write(claude / "session-1" / "subagents" / "journal.jsonl", [{"type": "started"}])
    (claude / "notes.md").write_text("not a session")
    write(codex / "rollout-1.jsonl", CODEX)
    write(codex / "history.jsonl", [{"text": "a prompt"}])
    write(gemini / "session-1.json", GEMINI)
    write(gemini.parent / "logs.json", [{"message": "a prompt"}])
    return home


def found(home: Path, store: Path, *words: str) -> Done:
    """Run `import --found` in a process whose user's home is a made-up one."""
    clear = dict.fromkeys(("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"), "")
    user = {"HOME": str(home), "USERPROFILE": str(home)}
    return process("import", "--found", *words, home=store, env={**clear, **user})


def test_the_folders_of_known_tools(tmp_path: Path) -> None:
    sessions(tmp_path)
    folders = {one.tool: one for one in cl.session_folders({}, tmp_path)}
    assert list(folders) == ["Claude Code", "Codex", "Gemini CLI"]
    told = {tool: [path.relative_to(one.folder).as_posix() for path in one.files] for tool, one in folders.items()}
    assert told == {
        "Claude Code": ["-work-app/session-1/subagents/journal.jsonl", "-work-app/session-1.jsonl"],
        "Codex": ["2026/05/01/rollout-1.jsonl"],
        "Gemini CLI": ["abc/chats/session-1.json"],
    }
    assert all(one.size == sum(path.stat().st_size for path in one.files) for one in folders.values())
    assert [one.format for one in folders.values()] == ["claude-code", "codex", "gemini-cli"]


def test_a_home_without_sessions(tmp_path: Path) -> None:
    assert cl.session_folders({}, tmp_path) == ()
    done = found(tmp_path, tmp_path / "store")
    assert (done.code, done.out) == (0, "")
    assert done.problem() == "costlab: no session folder of a known tool is on this machine"


def test_variables_name_other_folders(tmp_path: Path) -> None:
    (tmp_path / "claude" / "projects").mkdir(parents=True)
    (tmp_path / "codex" / "sessions").mkdir(parents=True)
    write(tmp_path / "codex" / "sessions" / "rollout-1.jsonl", CODEX)
    sessions(tmp_path / "usual")
    named = {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "CODEX_HOME": str(tmp_path / "codex")}
    told = [(one.tool, one.folder, len(one.files)) for one in cl.session_folders(named, tmp_path / "usual")]
    assert told == [
        ("Claude Code", tmp_path / "claude" / "projects", 0),
        ("Codex", tmp_path / "codex" / "sessions", 1),
        ("Gemini CLI", tmp_path / "usual" / ".gemini" / "tmp", 1),
    ]
    elsewhere = {"GEMINI_CLI_HOME": str(tmp_path / "usual")}
    assert [one.tool for one in cl.session_folders(elsewhere, tmp_path / "nobody")] == ["Gemini CLI"]


def test_without_a_terminal_it_lists_and_reads_nothing(tmp_path: Path) -> None:
    home, store = sessions(tmp_path / "user"), tmp_path / "store"
    done = found(home, store)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["Claude Code", "Codex", "Gemini CLI"]
    assert [" 2 files " in lines[0], " 1 file " in lines[1], " 1 file " in lines[2]] == [True] * 3
    assert lines[3] == "nothing was read; --yes reads without asking"
    listed = found(home, store, "--json")
    assert [(one["tool"], one["files"], one["read"], one["runs"]) for one in listed.json] == [
        ("Claude Code", 2, False, []), ("Codex", 1, False, []), ("Gemini CLI", 1, False, []),
    ]  # fmt: skip
    assert process("runs", "--json", home=store).json == []


def test_yes_reads_what_was_found(tmp_path: Path) -> None:
    home, store = sessions(tmp_path / "user"), tmp_path / "store"
    done = found(home, store, "--yes", "--json")
    assert (done.code, done.err) == (0, "")
    told = [(Path(one["path"]).name, one["format"], len(one["runs"])) for one in done.json]
    assert told == [
        ("journal.jsonl", None, 0), ("session-1.jsonl", "claude-code", 1), ("rollout-1.jsonl", "codex", 1),
        ("session-1.json", "gemini-cli", 1),
    ]  # fmt: skip
    assert done.json[0]["error"].startswith("passed over: ")
    assert len(process("runs", "--json", home=store).json) == 3


@posix
@pytest.mark.parametrize(("answers", "formats"), [("n\ny\n\n", {"codex"}), ("no\n\nquit\n", set())])
def test_on_a_terminal_it_asks_for_each_folder(tmp_path: Path, answers: str, formats: set[str]) -> None:
    import pty

    home, store = sessions(tmp_path / "user"), tmp_path / "store"
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HOME": str(home), "COSTLAB_HOME": str(store), "PYTHONPATH": str(ROOT)}
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"):
        environment.pop(name, None)
    asking = subprocess.Popen(
        [sys.executable, "-m", "costlab", "import", "--found"],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment,
    )  # fmt: skip
    os.write(ours, answers.encode())
    out, _ = asking.communicate(timeout=120)
    asked = b""
    while select.select([ours], [], [], 0.2)[0]:
        asked += os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    assert asking.returncode == 0
    for tool, files in (("Claude Code", "2 files"), ("Codex", "1 file"), ("Gemini CLI", "1 file")):
        assert f"Read {files} of {tool}? [y/N]".encode() in asked
    assert (b"nothing was read" in out) == (not formats)
    assert {run["source"]["format"] for run in process("runs", "--json", home=store).json} == formats
