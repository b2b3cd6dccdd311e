"""The page of recordings without a browser: files taken, refused and mapped, one run looked into, deleted, put back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import app_runs
import pytest
from streamlit.testing.v1 import AppTest
from test_app import COMPARE, RECORDINGS, REPLAY, figures, opened, pieces_free

import costlab as cl
from costlab.cli import main
from costlab.store import content_of

TABLE = (
    "model,prompt_tokens,completion_tokens,cached_tokens,timestamp\n"
    "openai/gpt-5-mini,10000,1000,0,2026-11-20T09:30:00Z\n"
    "openai/gpt-5-mini,10000,1000,8000,2026-11-20T09:31:00Z\n"
)
HEADER = b'{"event":"header","format":"costlab.recording","version":1,"run":{"run_id":"x"}}\n'
NOTE = "at API prices, not your invoice"
NOTE_ZH = "按 API 价格计算，并非您的账单"


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with a billed run, a local one, and a session of Claude Code with messages."""
    app_runs.fill(home)
    run = app_runs.run_of("session", "A session", "anthropic", "claude-haiku-4-5")
    asked, answered = content_of("<b>look</b> $x$ [a](b)", "message"), content_of({"text": "done"}, "output")
    first, second = run.steps
    calls = tuple(replace(call, messages=(asked.sha256,), output=(answered.sha256,)) for call in first.calls)
    contents = {one.sha256: one for one in (asked, answered)}
    cl.Store(home).add([replace(run, steps=(replace(first, calls=calls), second), contents=contents,
                                source={"format": "claude-code", "version": "2.1"})])  # fmt: skip
    return home


def upload(at: AppTest, *named: tuple[str, bytes]) -> AppTest:
    """Return the page after files were dropped on its upload."""
    at.file_uploader[0].set_value([(name, data, "text/plain") for name, data in named])
    at.run()
    assert not at.exception
    return at


def mine(home: Path) -> set[str]:
    """Return the formats of the runs in a home beside the three that were there."""
    store = cl.Store(home)
    return {run.source["format"] for run in store.runs() if not store.builtin(run.run_id)} - {"costlab", "claude-code"}


def field(at: AppTest, name: str) -> AppTest:
    """Return the choice of column for a field."""
    return next(box for box in at.selectbox if (box.key or "").endswith(f"-{name}") and box.key.startswith("map-"))


def chosen(at: AppTest, run_id: str) -> AppTest:
    """Return the page with a run of the list chosen."""
    place = list(at.dataframe[0].value["run_id"]).index(run_id)
    at.session_state["recordings-0"] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_table_is_mapped_answered_and_imported(filled: Path, language: str) -> None:
    t = cl.words_of(language)
    at = upload(opened(RECORDINGS, lang=language), ("calls.csv", TABLE.encode()))
    assert [field(at, name).value for name in ("model", "input_tokens", "output_tokens", "cache_read_tokens")] == [
        "model", "prompt_tokens", "completion_tokens", "cached_tokens",
    ]  # fmt: skip
    assert at.button(key="import_table").disabled  # not before the question is answered
    assert at.radio[0].label == t("Do the input tokens include the cached ones?")
    assert at.radio[0].value is None
    labels = [pieces_free(label) for label in at.radio[0].options]
    told = [t("Yes: {n} input tokens in all"), t("No: {n} input tokens in all")]
    assert labels == [told[0].format(n="20,000"), told[1].format(n="28,000")]
    at.radio[0].set_value("inside").run()
    shown = figures(at)
    # gpt-5-mini: (12,000 x 0.25 + 8,000 x 0.025 + 2,000 x 2.00) USD per million = 0.0072
    assert shown[t("Cost at the calls' dates")] == "$0.0072"
    assert shown[t("Input tokens")] == "20,000"
    assert mine(filled) == set()  # nothing before it is said
    at.button(key="import_table").click().run()
    assert not at.exception
    assert mine(filled) == {"csv"}
    assert "calls.csv" in pieces_free(at.success[0].value)
    assert not [box for box in at.selectbox if (box.key or "").startswith("map-")]


def test_the_other_answer_is_another_cost(filled: Path) -> None:
    at = upload(opened(RECORDINGS), ("calls.csv", TABLE.encode()))
    at.radio[0].set_value("beside").run()
    # (20,000 x 0.25 + 8,000 x 0.025 + 2,000 x 2.00) USD per million = 0.0092
    assert figures(at)["Cost at the calls' dates"] == "$0.0092"


def test_an_answer_that_a_row_rules_out_says_so(filled: Path) -> None:
    at = upload(opened(RECORDINGS), ("calls.csv", TABLE.replace("8000", "10001").encode()))
    assert "line 3, cached_tokens: 10,001 of 10,000 input tokens cannot be" in pieces_free(at.radio[0].options[0])
    at.radio[0].set_value("inside").run()
    assert "line 3, cached_tokens" in pieces_free(at.error[0].value)
    assert at.button(key="import_table").disabled


def test_a_bad_row_is_named_and_nothing_is_imported(filled: Path) -> None:
    at = upload(opened(RECORDINGS), ("calls.csv", TABLE.replace("10000,1000,8000", "10000,many,8000").encode()))
    assert "calls.csv, line 3, completion_tokens: must be a whole number" in pieces_free(at.error[0].value)
    assert at.button(key="import_table").disabled
    field(at, "output_tokens").set_value("").run()
    at.radio[0].set_value("inside").run()
    assert not at.button(key="import_table").disabled
    assert figures(at)["Cost at the calls' dates"] == "≥ $0.0032"  # without the output: 12,000 x 0.25 + 8,000 x 0.025
    at.button(key="leave_table").click().run()
    assert mine(filled) == set()
    assert not [box for box in at.selectbox if (box.key or "").startswith("map-")]


def test_headers_that_say_nothing_are_mapped_by_hand(filled: Path) -> None:
    at = upload(opened(RECORDINGS), ("anything.csv", b"alpha;beta;gamma\n7;9;x\n"))
    assert "no column is said to hold input or output tokens" in pieces_free(at.error[0].value)
    field(at, "input_tokens").set_value("alpha").run()
    field(at, "output_tokens").set_value("beta").run()
    next(box for box in at.text_input if box.key.endswith("-all")).set_value("openai/gpt-5-mini").run()
    at.button(key="import_table").click().run()
    (run,) = (run for run in cl.Store(filled).runs() if run.source.get("format") == "csv")
    assert run.calls[0].counts == {"input_tokens": 7, "output_tokens": 9}
    assert (run.calls[0].provider, run.calls[0].model) == ("openai", "gpt-5-mini")


def test_several_tables_wait_for_their_turn(filled: Path) -> None:
    plain = b"model,input_tokens,output_tokens\nopenai/gpt-5-mini,1,2\n"
    at = upload(opened(RECORDINGS), *((f"{n}.csv", plain.replace(b"1,2", b"%d,2" % n)) for n in range(1, 8)))
    assert len(at.error) == 2  # five wait, two were refused
    assert "5 tables wait" in pieces_free(at.error[0].value)
    for name in ("1.csv", "2.csv"):
        assert name in pieces_free(" ".join(head.value for head in at.subheader))
        at.button(key="import_table").click().run()
    assert len([run for run in cl.Store(filled).runs() if run.source.get("format") == "csv"]) == 2


@pytest.mark.parametrize(
    ("name", "data", "why", "helps"),
    [
        ("bad.jsonl", HEADER + b"{broken\n{}\n",
         "bad.jsonl, line 2: broken JSON", "Look at that line"),
        ("runs.zip", b"PK\x03\x04" + b"x" * 40, "runs.zip: is a zip archive", "A zip is not opened"),
        ("notes.txt", b"just some words\n", "notes.txt: is of no known format", "a CSV with one row a call"),
        ("empty.jsonl", b"", "empty.jsonl: is empty", "Known are recordings"),
    ],
)  # fmt: skip
def test_a_refused_file_says_why_and_what_would_help(
    filled: Path, name: str, data: bytes, why: str, helps: str
) -> None:
    at = upload(opened(RECORDINGS), (name, data))
    told = pieces_free(at.error[0].value)
    assert told.startswith(why)
    assert helps in told
    assert mine(filled) == set()


def test_a_refused_file_is_told_of_in_chinese(filled: Path) -> None:
    at = upload(
        opened(RECORDINGS, lang="zh"), ("notes.txt", b"just some words\n"), ("runs.zip", b"PK\x03\x04" + b"x" * 40)
    )
    told = [pieces_free(one.value) for one in at.error]
    assert told[0].startswith("notes.txt：不是已知的格式；已知的有：costlab, claude-code,")
    assert told[1].startswith("runs.zip：是 zip 压缩包（或电子表格；请另存为 CSV）；请解压后给出其中的文件")


def test_many_files_are_read_one_by_one_and_few_bad_ones_come_first(filled: Path) -> None:
    good = (filled / "runs" / "billed-run.jsonl").read_bytes()
    files = [(f"{n}.jsonl", good.replace(b"billed-run", b"run-%d" % n)) for n in range(7)]
    at = upload(opened(RECORDINGS), *files, ("bad.json", b"{"))
    assert at.success[0].value == "7 files were read"
    assert "bad.json" in pieces_free(at.error[0].value)


@pytest.mark.parametrize(("language", "note"), [("en", NOTE), ("zh", NOTE_ZH)])
def test_money_of_a_subscribed_client_is_no_invoice(filled: Path, language: str, note: str) -> None:
    for page in (COMPARE, REPLAY):
        at = opened(page, lang=language, run="session")
        assert any(note in one.value for one in at.caption)
        assert not any(note in one.value for one in opened(page, lang=language, run="billed-run").caption)
    rows = opened(RECORDINGS, lang=language).dataframe[0].value.set_index("run_id")
    assert rows.loc["session", "remark"] == note
    assert rows.loc["billed-run", "remark"] == ""


def test_the_command_line_says_so_too(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    marked = {line.split()[0]: "* A" in line for line in out.splitlines() if line.startswith(("session", "billed-run"))}
    assert marked == {"billed-run": False, "session": True}
    assert f"\n* {NOTE}\n" in out
    for command in (["show", "session"], ["compare", "session", "--models", "openai/gpt-5-mini"]):
        assert main(command) == 0
        assert NOTE in capsys.readouterr().out


def test_a_run_is_looked_into_and_its_messages_are_shown_as_text(filled: Path) -> None:
    at = chosen(opened(RECORDINGS), "session")
    about = at.table[0].value
    told = {str(row): pieces_free(" ".join(map(str, values))) for row, *values in about.reset_index().values}
    assert "$0.0228" in told["Cost at the calls' dates"]  # 12,000 x 1.00 + 8,000 x 0.10 + 2,000 x 5.00, a million
    assert "right" in told["Right or wrong"]
    assert any("Money of this run is at API prices" in one.value for one in at.caption)
    at.toggle(key="look_into_calls").set_value(True).run()
    assert not at.exception
    assert [block.value for block in at.code][-2:] == ["<b>look</b> $x$ [a](b)", '{\n  "text": "done"\n}']
    at.selectbox(key="call-of-session").set_value(1).run()
    assert "This recording holds no messages." in [one.value for one in at.caption]


def test_a_deleted_recording_can_be_put_back(filled: Path) -> None:
    before = cl.Store(filled).open("session")
    at = chosen(opened(RECORDINGS), "session")
    at.button(key="delete").click().run()
    at.button(key="delete_now").click().run()
    assert not at.exception
    assert "session" not in list(at.dataframe[0].value["run_id"])
    assert not list((filled / "runs").glob("session*"))
    assert "delete" not in [one.key for one in at.button]  # no other run stands there to be deleted by mistake
    assert any(pieces_free(one.value) == "Deleted: A session" for one in at.caption)
    at.button(key="undo_delete").click().run()
    assert "session" in list(at.dataframe[0].value["run_id"])
    assert cl.Store(filled).open("session") == before
