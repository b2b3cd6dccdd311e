"""Any file: found by what is in it, read whole or refused whole; the same file twice is the same run."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_samples import (
    CLAUDE,
    GEMINI,
    LANGFUSE,
    SAMPLES,
    SMOLAGENTS,
    SPANS,
    Json,
    claude_line,
    gemini_answer,
    generation,
    imported,
    langfuse,
    totals,
    write,
)

import costlab as cl
from costlab.cli import main
from costlab.errors import BadInput, CostLabError, NoRecording, TooLarge
from costlab.importers import detect, documents, files_in, formats, read_file
from costlab.store import Store
from costlab.store.log import encoded

by_format = pytest.mark.parametrize("form", sorted(SAMPLES))


# ---- detection


@by_format
def test_a_recording_is_known_by_what_is_in_it(form: str, tmp_path: Path) -> None:
    value, name = SAMPLES[form]
    for other in ("anything.bin", "session.jsonl" if name.endswith(".jsonl") else "trace.json"):
        found = detect(write(tmp_path / name, value).rename(tmp_path / other)).FORMAT
        assert found == form


@by_format
def test_no_other_format_claims_it(form: str, tmp_path: Path) -> None:
    from costlab.importers import _modules

    value, name = SAMPLES[form]
    head = write(tmp_path / name, value).read_bytes()
    assert [module.FORMAT for module in _modules() if module.sniff(head, name)] == [form]


def test_our_own_recording_is_read_as_it_was(tmp_path: Path) -> None:
    run = cl.save(SMOLAGENTS, tmp_path / "mine.jsonl")
    found = read_file(tmp_path / "mine.jsonl")
    assert (found.format, found.runs) == ("costlab", (run,))


@pytest.mark.parametrize(
    "text",
    ["hello", "<html>", "a,b\n1,2", '{"answer": 42}', "[1, 2]", '[{"name": "x"}]', '{"usage": {"input_tokens": 5}}'],
)
def test_what_no_format_knows_is_refused_with_the_formats_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NoRecording, match=r"notes\.txt: is of no known format; known: costlab, claude-code, "):
        read_file(path)


def test_a_recording_that_was_cut_off_is_a_lower_bound_or_none_at_all(tmp_path: Path) -> None:
    run = cl.save(SMOLAGENTS, tmp_path / "mine.jsonl", model="gpt-5-mini", provider="openai")
    whole = (tmp_path / "mine.jsonl").read_bytes()
    calls = [place for place, line in enumerate(whole.splitlines()) if b'"event":"call"' in line]
    lines = whole.splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[: calls[0] + 1]) + lines[calls[0] + 1][:20])
    (found,) = read_file(cut).runs
    assert (len(found.calls), found.torn) == (1, True)
    cost = cl.price_run(found).cost
    assert "cut" in [bound.reason for bound in cost.bounds]
    assert not run.torn
    cut.write_bytes(b"".join(lines[: calls[0]])[:-20])
    with pytest.raises(NoRecording, match="holds no model call"):
        read_file(cut)


def test_broken_json_of_no_known_format_is_said_to_be_broken(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text('{"what": 1,\n "calls": [1, 2', encoding="utf-8")
    with pytest.raises(NoRecording, match=r"cut\.json: is of no known format, and its JSON is broken in line 2$"):
        read_file(path)


def test_a_format_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "trace.json", LANGFUSE)
    assert read_file(path, "langfuse").format == "langfuse"
    with pytest.raises(BadInput, match="no format is named 'lungfuse'; known: costlab"):
        read_file(path, "lungfuse")
    with pytest.raises(BadInput, match=r"trace\.json"):
        read_file(path, "codex")


# ---- bad input


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\n\n\n"])
def test_an_empty_file_is_no_recording(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(data)
    with pytest.raises(NoRecording, match=r"empty\.jsonl: is empty"):
        read_file(tmp_path / "empty.jsonl")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.json.*cannot be read"):
        read_file(tmp_path / "gone.json")


@by_format
def test_broken_json_names_file_and_line(form: str, tmp_path: Path) -> None:
    value, name = SAMPLES[form]
    if name.endswith(".jsonl"):
        rows = [json.dumps(row) for row in value]  # type: ignore[attr-defined]
        broken, line = [rows[0], rows[1][:-1], *rows[2:]], 2
    else:
        broken = json.dumps(value, indent=1).splitlines()
        line = len(broken) - 2
        broken[line - 1] = "}]{"
    (tmp_path / name).write_text("\n".join(broken), encoding="utf-8")
    with pytest.raises(BadInput, match="broken JSON") as caught:
        read_file(tmp_path / name, form)
    assert (Path(caught.value.file or "").name, caught.value.line) == (name, line)


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    rows = [json.dumps(row) for row in CLAUDE]
    path = tmp_path / "session-1.jsonl"
    path.write_text("\n".join([*rows, rows[-1][:80]]), encoding="utf-8")
    run = read_file(path).runs[0]
    assert totals([run])["output_tokens"] == 40
    assert [(w.code, w.field) for w in run.warnings] == [("torn_last_line", "line 4")]


def test_two_records_on_one_line_are_two(tmp_path: Path) -> None:
    rows = [json.dumps(row) for row in CLAUDE]
    path = tmp_path / "session-1.jsonl"
    path.write_text("\n".join([rows[0], rows[1] + rows[2]]), encoding="utf-8")
    run = read_file(path).runs[0]
    assert totals([run])["output_tokens"] == 40
    assert "joined_lines" in {w.code for w in run.warnings}


@by_format
def test_text_that_is_not_utf8_names_the_line(form: str, tmp_path: Path) -> None:
    value, name = SAMPLES[form]
    path = write(tmp_path / name, value)
    path.write_bytes(path.read_bytes().replace(b'"20', b'"\xff0', 1) + b'\n{"x": "\xff"}\n')
    with pytest.raises(BadInput, match="not UTF-8 text") as caught:
        read_file(path, form)
    assert caught.value.line is not None


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "trace.json", LANGFUSE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert totals(read_file(path, "langfuse").runs) == {"input_tokens": 100, "output_tokens": 20}


@by_format
def test_a_file_past_the_bound_is_refused_before_it_is_read_whole(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, name = SAMPLES[form]
    path = write(tmp_path / name, value)
    monkeypatch.setattr(documents, "MAX_BYTES", 100)
    with pytest.raises(TooLarge, match="has more than 100 bytes"):
        read_file(path)


@by_format
def test_what_is_nested_too_deep_is_refused(form: str, tmp_path: Path) -> None:
    value, name = SAMPLES[form]
    deep: object = "x"
    for _ in range(250):
        deep = [deep]
    buried = copy.deepcopy(value)
    first = buried[0] if isinstance(buried, list) else buried
    first["deep"] = deep  # type: ignore[index]
    with pytest.raises(BadInput, match="nested more than 200 deep"):
        read_file(write(tmp_path / name, buried), form)


def test_brackets_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text('{"trace": {}, "observations": [{"traceId": ' + "[" * 100_000, encoding="utf-8")
    with pytest.raises(BadInput, match=r"deep\.json, line 1: broken JSON"):
        read_file(path, "langfuse")


# Where each sample has an output count, and what an error about it must name.
OUTPUT: dict[str, tuple[tuple[str | int, ...], str, int | None]] = {
    "claude-code": ((2, "message", "usage", "output_tokens"), "usage.output_tokens", 3),
    "claude-stream": (
        (4, "modelUsage", "claude-sonnet-4-5-20250929", "outputTokens"),
        "modelUsage.claude-sonnet-4-5-20250929.outputTokens",
        None,
    ),
    "codex": (
        (3, "payload", "info", "total_token_usage", "output_tokens"),
        "payload.info.total_token_usage.output_tokens",
        4,
    ),
    "gemini-cli": (("messages", 1, "tokens", "output"), "messages.m2.tokens.output", None),
    "langfuse": (("observations", 0, "usageDetails", "output"), "usageDetails.output", None),
    "openinference": ((1, "attributes", "llm.token_count.completion"), "llm.token_count.completion", None),
    "smolagents": (("steps", 3, "token_usage", "output_tokens"), "steps.3.token_usage.output_tokens", None),
}


@pytest.mark.parametrize("count", [-1, "many", 1e300])
@by_format
def test_a_count_that_cannot_be_names_file_line_and_field(form: str, count: object, tmp_path: Path) -> None:
    (value, name), (path, field, line) = SAMPLES[form], OUTPUT[form]
    with pytest.raises(BadInput, match=r"a count must be") as caught:
        read_file(write(tmp_path / name, put(value, path, count)), form)
    assert (caught.value.file, caught.value.field, caught.value.line) == (name, field, line)


def test_a_refused_file_changes_nothing_in_the_store(home: Path, tmp_path: Path) -> None:
    cl.import_file(write(tmp_path / "good.json", LANGFUSE))
    before = {path: path.read_bytes() for path in (home / "runs").iterdir()}
    two = langfuse(generation("g1", {"input": 7, "output": 1}), generation("g2", {"input": -7}))
    with pytest.raises(BadInput):
        cl.import_file(write(tmp_path / "bad.json", two))
    assert {path: path.read_bytes() for path in (home / "runs").iterdir()} == before


def test_numbers_that_json_does_not_have_refuse_no_recording(home: Path, tmp_path: Path) -> None:
    told = generation("g1", {"input": 5, "output": 1}, input='{"a": [NaN, Infinity, 1e999]}', output={"b": 1})
    path = write(tmp_path / "trace.json", langfuse(told))
    path.write_text(path.read_text().replace('{"b": 1}', '{"b": [NaN, 1e999]}'), encoding="utf-8")
    cl.import_file(path)
    (run,) = [run for run in Store(home).runs() if run.source.get("format") == "langfuse"]
    assert [one.value for one in run.contents.values()] == [{"a": [None, None, "1e999"]}, {"b": [None, "1e999"]}]


def test_json_inside_a_text_is_left_a_text_where_it_is_too_deep(home: Path, tmp_path: Path) -> None:
    for depth in (50, 70, 900):
        told = "[" * depth + "]" * depth
        cl.import_file(write(tmp_path / "trace.json", langfuse(generation("g1", {"input": 5}, input=told))))
        (run,) = [run for run in Store(home).runs() if run.source.get("format") == "langfuse"]
        (said,) = [one.value for one in run.contents.values()]
        assert isinstance(said, str) == (depth > 64)


# ---- laws


JUNK = (
    None, True, 0, -1, 1, 10**30, 1.5, float("nan"), float("inf"), "", "x", "12", "-3", "1e400", "\ud800",
    "2026-13-40", "2026-05-01T10:00:00Z", [], {}, [[]], [{}], {"a": 1}, ["a"], '{"a":[1]}', "[" * 300, {"text": 5},
    [{"type": "tool_use", "id": 5, "name": ["a"], "input": "x"}],
)  # fmt: skip


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value inside a JSON value, itself first."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def put(value: object, path: tuple[str | int, ...], new: object) -> object:
    """Return a copy of a JSON value with another value at a path, where that is still there."""
    if not path:
        return new
    whole = copy.deepcopy(value)
    at = whole
    for step in path[:-1]:
        try:
            at = at[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return whole
    if isinstance(at, dict) or (isinstance(at, list) and isinstance(path[-1], int) and path[-1] < len(at)):
        at[path[-1]] = new  # type: ignore[index]
    return whole


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoiled_recording_is_read_or_refused_and_nothing_else(data: st.DataObject, tmp_path: Path) -> None:
    form = data.draw(st.sampled_from(sorted(SAMPLES)))
    value, name = SAMPLES[form]
    every = list(places(value))
    for _ in range(data.draw(st.integers(1, 3))):
        value = put(value, data.draw(st.sampled_from(every)), data.draw(st.sampled_from(JUNK)))
    path = write(tmp_path / name, value)
    for asked in (None, form):
        try:
            for run in read_file(path, asked).runs:
                encoded(run)
        except CostLabError:
            pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()),
    form=st.sampled_from([None, *formats()]),
)
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes, form: str | None, tmp_path: Path) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(data)
    with pytest.raises(CostLabError):
        read_file(path, form)


# ---- the same file twice, snapshots, several runs in one file


@by_format
def test_importing_twice_replaces(form: str, home: Path, tmp_path: Path) -> None:
    value, name = SAMPLES[form]
    path = write(tmp_path / name, value)
    once = cl.import_file(path)
    first = Store(home).runs()
    again = cl.import_file(path)
    assert [run.run_id for run in once.runs] == [run.run_id for run in again.runs]
    assert Store(home).runs() == first


@by_format
def test_what_is_stored_is_what_was_read(form: str, home: Path, tmp_path: Path) -> None:
    value, name = SAMPLES[form]
    found = cl.import_file(write(tmp_path / name, value)).runs
    stored = {run.run_id: run for run in Store(home).runs()}
    assert [stored[run.run_id] for run in found] == list(found)


def snapshot(*seconds: int) -> Json:
    """Return a chat as it was exported when its answers had come at these seconds; each has 100 in, 10 out."""
    answers = [gemini_answer(f"answer-{s}", {"input": 100, "output": 10, "total": 110}, s) for s in seconds]
    return {**GEMINI, "messages": answers, "lastUpdated": f"2026-05-01T10:00:{seconds[-1]:02d}.000Z"}


def test_an_earlier_snapshot_never_replaces_a_later_one(home: Path, tmp_path: Path) -> None:
    for seconds in ((3,), (3, 7, 9), (3, 7)):
        found = cl.import_file(write(tmp_path / "chat.json", snapshot(*seconds)))
        assert totals(found.runs)["input_tokens"] == 100 * len(seconds)  # what the file itself holds
    (run,) = [run for run in Store(home).runs() if run.source.get("format") == "gemini-cli"]
    assert totals([run]) == {"input_tokens": 300, "output_tokens": 30}
    assert [w.code for w in found.runs[0].warnings] == ["earlier_snapshot"]


def test_a_session_that_lost_calls_replaces_the_longer_one(home: Path, tmp_path: Path) -> None:
    """It ends later: it was rewound, or an importer has learnt to count better."""
    for seconds in ((3, 7), (3, 8), (9,)):
        cl.import_file(write(tmp_path / "chat.json", snapshot(*seconds)))
    (run,) = [run for run in Store(home).runs() if run.source.get("format") == "gemini-cli"]
    assert totals([run]) == {"input_tokens": 100, "output_tokens": 10}


def test_a_call_that_stands_in_two_runs_of_a_file_counts_once(tmp_path: Path) -> None:
    words = {"attributes": {"gen_ai.response.id": "chatcmpl-9f2b6c1d8e7a4530", "gen_ai.usage.input_tokens": 100}}
    one = generation("g1", {"input": 100, "output": 20}, metadata=words)
    two = generation("g2", {"input": 100, "output": 20}, metadata=words) | {"traceId": "trace-2"}
    found = imported(tmp_path, [one, two], "observations.json")
    assert len(found.runs) == 2
    assert totals(found.runs) == {"input_tokens": 100, "output_tokens": 20}


# ---- folders


def test_a_folder_is_its_files_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.json", "a/z.json", "a/y.json", ".hidden/x.json", "a/.secret.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert [p.relative_to(tmp_path).as_posix() for p in files_in(tmp_path)] == ["b.json", "a/y.json", "a/z.json"]
    assert files_in(tmp_path / "b.json") == (tmp_path / "b.json",)
    assert cl.files_in(str(tmp_path / "gone")) == (tmp_path / "gone",)


def test_importing_a_folder_names_what_it_passes_over(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sessions"
    (folder / "inner").mkdir(parents=True)
    write(folder / "inner" / "session-1.jsonl", CLAUDE)
    write(folder / "trace.json", LANGFUSE)
    (folder / "README.md").write_text("# sessions")
    write(folder / "titles.jsonl", [claude_line("u", None, {"role": "user", "content": "hi"}, type="user")])
    assert main(["import", str(folder), "--json", "--home", str(home)]) == 0
    told = {Path(one["path"]).name: one for one in json.loads(capsys.readouterr().out)}
    assert told["session-1.jsonl"]["runs"][0]["counts"]["output_tokens"] == 40
    assert told["trace.json"]["error"] is None
    assert told["README.md"]["error"].startswith("passed over: README.md: is of no known format")
    assert told["titles.jsonl"]["error"] == "passed over: titles.jsonl: no model call in this session"


def test_a_broken_recording_in_a_folder_fails_and_the_others_are_read(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    write(folder / "a.json", langfuse(generation("g1", {"input": -1})))
    write(folder / "b.json", LANGFUSE)
    assert main(["import", str(folder), "--home", str(home)]) == 1
    said = capsys.readouterr()
    assert "b.json: 1 run, langfuse" in said.out
    assert "a.json, usageDetails.input: a count must be" in said.err


def test_a_folder_without_any_recording_fails(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert main(["import", str(tmp_path / "notes.txt"), "--home", str(home)]) == 1
    folder = tmp_path / "empty"
    folder.mkdir()
    assert main(["import", str(folder), "--home", str(home)]) == 1
    assert "no recording in this folder" in capsys.readouterr().err


def test_spans_of_two_traces_are_two_runs(tmp_path: Path) -> None:
    other = [one | {"trace_id": "t2"} for one in SPANS]
    found = imported(tmp_path, [*SPANS, *other])
    assert [totals([run]) for run in found.runs] == [{"input_tokens": 100, "output_tokens": 9}] * 2
