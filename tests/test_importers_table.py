"""Tables with one row a call: literal files with their sums, every kind of bad row; nothing of a column is lost."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costlab as cl
from costlab.cli import main
from costlab.importers import formats
from costlab.importers.cells import amount, at, seconds, whole

LITELLM = """request_id,,model,custom_llm_provider,prompt_tokens,completion_tokens,cached_tokens,startTime,spend,session
chatcmpl-aaaaaaaaaaaa1,,gpt-5-mini,openai,"10,000",1000,8000,2026-11-20T09:30:00Z,0.0027,run-one
chatcmpl-aaaaaaaaaaaa2,,gpt-5-mini,openai,12000,500,0,2026-11-20 09:31:00,,run-one
chatcmpl-aaaaaaaaaaaa3,,gpt-5-mini,openai,100,10,,2026-11-20 09:32:00,0.5,run-two
"""


def write(folder: Path, text: str | bytes, name: str = "calls.csv") -> Path:
    """Write a table and return its path."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mapped(text: str | bytes, **answers: str) -> cl.TableMapping:
    """Return the guess for a text's headers with the questions answered."""
    guess = cl.guess_mapping(cl.read_table("x.csv", text if isinstance(text, bytes) else text.encode()).headers)
    return replace(guess, **answers)  # type: ignore[arg-type]


def refused(text: str | bytes, mapping: cl.TableMapping | None = None) -> str:
    """Return why a table is refused."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(cl.BadInput) as told:
        cl.table_runs(cl.read_table("calls.csv", data), mapping or mapped(data))
    return str(told.value)


def test_a_spend_log_becomes_runs_by_its_sessions(tmp_path: Path) -> None:
    path = write(tmp_path, LITELLM)
    one, two = cl.read(path, mapping=mapped(LITELLM, cached="inside"))
    assert one.run_id.startswith("csv-run-one-")
    assert (one.title, two.title) == ("calls.csv · run-one", "calls.csv · run-two")
    first, second = one.calls
    assert first.counts == {"input_tokens": 10_000, "cache_read_tokens": 8_000, "output_tokens": 1_000}
    assert second.counts == {"input_tokens": 12_000, "cache_read_tokens": 0, "output_tokens": 500}
    assert (first.provider, first.model, first.origin) == ("openai", "gpt-5-mini", "chatcmpl-aaaaaaaaaaaa1")
    assert first.started_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert first.stated_cost == Decimal("0.0027")
    assert second.stated_cost is None
    assert one.duration_s == 60
    assert [w.code for w in one.warnings] == ["table", "client_cost"]
    assert two.calls[0].counts == {"input_tokens": 100, "output_tokens": 10}
    # gpt-5-mini: (2,000 x 0.25 + 8,000 x 0.025 + 1,000 x 2 + 12,000 x 0.25 + 500 x 2) USD per million
    assert cl.price_run(one).cost.total == Decimal("0.0067")


def test_cached_tokens_beside_the_input_are_added_to_it() -> None:
    text = "model,input_tokens,output_tokens,cache_read_input_tokens,cache_creation_input_tokens\nm,5,7,900,100\n"
    (run,) = cl.table_runs(cl.read_table("a.csv", text.encode()), mapped(text, cached="beside"))
    assert run.calls[0].counts == {
        "input_tokens": 1005, "cache_read_tokens": 900, "cache_write_tokens": 100, "output_tokens": 7,
    }  # fmt: skip


def test_reasoning_beside_the_output_is_added_to_it() -> None:
    text = "model,prompt_tokens,completion_tokens,reasoning_tokens\ngemini-x,10,20,30\n"
    table = cl.read_table("a.csv", text.encode())
    assert [(e.answer, e.counts.get("output_tokens")) for e in cl.table_effects(table, mapped(text), "reasoning")] == [
        ("inside", None), ("beside", 50),
    ]  # fmt: skip
    (run,) = cl.table_runs(table, mapped(text, reasoning="beside"))
    assert run.calls[0].counts == {"input_tokens": 10, "output_tokens": 50, "output_reasoning_tokens": 30}


def test_what_headers_cannot_say_is_asked_with_both_effects() -> None:
    told = refused(LITELLM)
    assert told == (
        "calls.csv, line 1, cached: say whether cached tokens are inside the input tokens or beside them "
        "(inside: 22,100 in all; beside: 30,100 in all)"
    )
    impossible = "model,input_tokens,output_tokens,cached\nm,5,7,900\n"
    assert "inside: calls.csv, line 2, cached: 900 of 5 input tokens cannot be" in refused(impossible)
    answered = refused(impossible, mapped(impossible, cached="inside"))
    assert answered.startswith("calls.csv, line 2, cached: 900 of 5 input tokens cannot be")


def test_a_header_that_says_no_cache_answers_by_itself() -> None:
    text = (
        "model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,"
        "usage_input_tokens_cache_read,usage_output_tokens,usage_date_utc\nclaude-sonnet-5,100,20,30,400,50,2026-11-20\n"
    )
    (run,) = cl.table_runs(cl.read_table("a.csv", text.encode()), mapped(text))
    assert run.calls[0].counts == {
        "input_tokens": 550, "cache_read_tokens": 400, "cache_write_tokens": 50, "cache_write_5m_tokens": 20,
        "cache_write_1h_tokens": 30, "output_tokens": 50,
    }  # fmt: skip
    assert run.calls[0].started_at == datetime(2026, 11, 20, 12, tzinfo=UTC)  # a day alone is its noon


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("gen_ai.request.model,gen_ai.response.model,gen_ai.usage.input_tokens,gen_ai.usage.output_tokens,"
         "gen_ai.usage.cache_read.input_tokens,gen_ai.provider.name,trace_id",
         {"model": "gen_ai.response.model", "provider": "gen_ai.provider.name",
          "input_tokens": "gen_ai.usage.input_tokens", "output_tokens": "gen_ai.usage.output_tokens",
          "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens", "run": "trace_id"}),
        ("id,traceId,startTime,providedModelName,inputUsage,outputUsage,totalUsage,totalCost,latency",
         {"model": "providedModelName", "input_tokens": "inputUsage", "output_tokens": "outputUsage",
          "started_at": "startTime", "run": "traceId", "stated_cost": "totalCost"}),
        ("request_created_at,model,provider,prompt_tokens,completion_tokens,prompt_cache_read_tokens,delay_ms,cost_usd",
         {"model": "model", "provider": "provider", "input_tokens": "prompt_tokens",
          "output_tokens": "completion_tokens", "cache_read_tokens": "prompt_cache_read_tokens",
          "started_at": "request_created_at", "duration_ms": "delay_ms", "stated_cost": "cost_usd"}),
        ("Model,Input Tokens,Output Tokens,Reasoning Tokens,Step,Duration (s)",
         {"model": "Model", "input_tokens": "Input Tokens", "output_tokens": "Output Tokens",
          "output_reasoning_tokens": "Reasoning Tokens", "step": "Step", "duration_s": "Duration (s)"}),
        ("模型,输入 tokens,输出 tokens,时间",
         {"model": "模型", "input_tokens": "输入 tokens", "output_tokens": "输出 tokens", "started_at": "时间"}),
        ("model,tokens,tokens,latency", {"model": "model"}),  # what stands twice or has no unit is left open
    ],
)  # fmt: skip
def test_guesses_from_headers(headers: str, expected: dict[str, str]) -> None:
    assert dict(cl.guess_mapping(headers.split(",")).columns) == expected


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("m,-5,1,2026-11-20,0.1,t", "line 3, prompt_tokens: must be a whole number such as 1234 or 1,234, not '-5'"),
        ("m,1.5,1,2026-11-20,0.1,t", "line 3, prompt_tokens: must be a whole number"),
        ("m,1.234,1,2026-11-20,0.1,t", "line 3, prompt_tokens: must be a whole number"),
        ('m,"12,34",1,2026-11-20,0.1,t', "line 3, prompt_tokens: must be a whole number"),
        ("m,1e3,1,2026-11-20,0.1,t", "line 3, prompt_tokens: must be a whole number"),
        ("m,many,1,2026-11-20,0.1,t", "line 3, prompt_tokens: must be a whole number"),
        ("m,9999999999999999,1,2026-11-20,0.1,t", "line 3, prompt_tokens: a count must be between 0 and 10^15"),
        ("m,1,1,yesterday,0.1,t", "line 3, time: must be a time such as 2026-11-20T09:30:00Z, not 'yesterday'"),
        ("m,1,1,11/20/2026,0.1,t", "line 3, time: must be a time"),
        ("m,1,1,20261120,0.1,t", "line 3, time: must be a time"),
        ('m,1,1,2026-11-20,"0,05",t', "line 3, cost: must be an amount such as 0.0123 (a decimal point), not '0,05'"),
        ("m,1,1,2026-11-20,-1,t", "line 3, cost: must be an amount"),
        (",1,1,2026-11-20,0.1,t", "line 3, model: is empty: which model answered?"),
        ("Total,1,1,2026-11-20,0.1,t", "line 3, model: 'Total': this row is a sum of others; delete it"),
        ("m,1,1,2026-11-20,0.1", "line 3: has 5 cells, the first line 6"),
        ("m,1,1,2026-11-20,0.1,t,x", "line 3: has 7 cells, the first line 6"),
        ('m,1,1,2026-11-20,0.1,"t"x', "line 3: cannot be read as a row"),
        ("m,1,1,2026-11-20,0.1,same", "line 3, request_id: 'same' stands on line 2 too"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_nothing_is_imported(home: Path, row: str, told: str) -> None:
    text = f"model,prompt_tokens,completion_tokens,time,cost,request_id\nm,1,1,2026-11-20,0.1,same\n{row}\n"
    assert refused(text).startswith(f"calls.csv, {told}")
    with pytest.raises(cl.BadInput):
        cl.import_bytes("calls.csv", text.encode(), home=home)
    assert not list(home.rglob("*.jsonl"))


def test_all_bad_rows_are_named() -> None:
    text = "model,prompt_tokens,completion_tokens\nm,x,1\nm,1,1\nm,1,y\n,1,1\n"
    assert refused(text) == (
        "calls.csv, line 2, prompt_tokens: must be a whole number such as 1234 or 1,234, not 'x'; as bad: line 4, 5"
    )


def test_a_line_is_where_a_row_begins() -> None:
    text = 'model,prompt_tokens,note\nm,1,"one\ntwo"\n\nm,bad,x\n'
    assert refused(text).startswith("calls.csv, line 5, prompt_tokens")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"model": "model"}, "no column is said to hold input or output tokens"),
        ({"input_tokens": "b"}, "no column is said to hold the model, and no model is named"),
        ({"model": "model", "input_tokens": "nope"}, "line 1, nope: is no column; there are: model, a, b, a"),
        ({"model": "model", "input_tokens": "a"}, "line 1, a: stands twice in the first line"),
        ({"model": "b", "input_tokens": "b"}, "line 1, b: one column is said to hold two fields"),
        ({"model": "model", "price": "b"}, "no field is named 'price'"),
    ],
)  # fmt: skip
def test_a_mapping_that_makes_no_calls_is_refused(columns: dict[str, str], told: str) -> None:
    assert told in refused("model,a,b,a\nm,1,2,3\n", cl.TableMapping(columns))


def test_an_answer_is_inside_or_beside() -> None:
    mapping = cl.TableMapping({"model": "model", "input_tokens": "a"}, cached="both")
    assert "cached: must be inside or beside, not 'both'" in refused("model,a\nm,1\n", mapping)


def test_a_side_without_figures_is_a_bound_not_zero() -> None:
    text = "model,prompt_tokens,completion_tokens\nm,100,\nm,,7\nm,,\nm,0,0\n"
    (run,) = cl.table_runs(cl.read_table("a.csv", text.encode()), mapped(text))
    assert [call.bounds for call in run.calls] == [
        ("unmetered:output_tokens",), ("unmetered:input_tokens",), ("unmetered",), ("unmetered",),
    ]  # fmt: skip
    assert [call.usage_basis for call in run.calls] == ["measured", "measured", "unknown", "unknown"]
    only = "model,prompt_tokens\nm,100\n"
    (run,) = cl.table_runs(cl.read_table("a.csv", only.encode()), mapped(only))
    assert run.calls[0].bounds == ("unmetered:output_tokens",)


def test_one_model_for_all_rows() -> None:
    mapping = cl.TableMapping({"input_tokens": "in", "output_tokens": "out"}, model="openai/gpt-5-mini")
    (run,) = cl.table_runs(cl.read_table("a.csv", b"in,out\n1,2\n"), mapping)
    assert (run.calls[0].provider, run.calls[0].model) == ("openai", "gpt-5-mini")


def test_steps_are_grouped_and_times_set_the_order() -> None:
    text = (
        "model,input_tokens,output_tokens,timestamp,step,duration_ms\n"
        "m,3,1,2026/11/20 9:02,2,500\nm,1,1,2026/11/20 9:00,1,1000\nm,2,1,2026/11/20 9:01:30,1,250\n"
    )
    (run,) = cl.table_runs(cl.read_table("a.csv", text.encode()), mapped(text))
    assert [(s.number, [c.counts["input_tokens"] for c in s.calls], s.duration_s) for s in run.steps] == [
        (1, [1, 2], 1.25), (2, [3], 0.5),
    ]  # fmt: skip
    assert run.started_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert run.duration_s == 120.5


def test_importing_again_replaces_and_short_run_names_are_a_files_own(home: Path, tmp_path: Path) -> None:
    text = "model,input_tokens,output_tokens,run\nm,1,1,1\n"
    for name, data in (("a.csv", text), ("a.csv", text), ("b.csv", text.replace("m,1", "m,2"))):
        cl.import_file(write(tmp_path, data, name), home=home)
    assert len([run for run in cl.Store(home).runs() if run.source.get("format") == "csv"]) == 2
    trace = text.replace("1,1,1", "1,1,4bf92f3577b34da6a3ce929d0e0e4736")
    (run,) = cl.import_file(write(tmp_path, trace), home=home).runs
    assert run.run_id == "csv-4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(encoding: str, delimiter: str) -> None:
    rows = [["模型", "输入 tokens", "输出 tokens", "备注"], ["通义千问", "12", "3", "a;b,c|d"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    table = cl.read_table("a.csv", out.getvalue().encode(encoding))
    assert table.headers == tuple(rows[0])
    assert table.rows == ((2, tuple(rows[1])),)
    assert table.delimiter == delimiter
    assert table.encoding == encoding.removesuffix("-sig")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"model\nm\n", "has one column only"),
        (b"model,input_tokens\n", "has a first line and no rows"),
        (b"model,a\nm,\x00\n", "holds characters that no text has"),
        (b"model,a\n\xff\xff\xff,1\n", "line 2: is neither UTF-8 nor GB 18030 text"),
        (b"model,a\nm," + b"x" * 131_073 + b"\n", "line 2: cannot be read as a row: field larger than field limit"),
        (b"a," * 500 + b"b\n1\n", "has more than 500 columns"),
        (b"model,a\n" + b"m,1\n" * 50_001, "line 50002: has more than 50,000 rows"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_what_is_no_table_of_calls(data: bytes, told: str) -> None:
    assert told in refused(data, cl.TableMapping({"model": "model", "input_tokens": "a"}))


def test_tables_are_found_by_their_headers_and_others_are_not(home: Path, tmp_path: Path) -> None:
    assert formats()[-1] == "csv"
    assert cl.import_file(write(tmp_path, "model;prompt_tokens\nm;1\n", "x.log"), home=home).format == "csv"
    for other in ("name,age\na,1\n", "provider,model,unit,price\nopenai,m,input_tokens,1\n", "just text\n"):
        with pytest.raises(cl.NoRecording, match=r"known: .*csv"):
            cl.import_file(write(tmp_path, other), home=home)


def test_what_is_packed_is_not_unpacked(home: Path) -> None:
    with pytest.raises(cl.NoRecording, match=r"zip archive .*unpack it"):
        cl.import_bytes("runs.zip", b"PK\x03\x04" + b"x" * 50, home=home)
    with pytest.raises(cl.NoRecording, match="gzip"):
        cl.import_bytes("runs.jsonl.gz", b"\x1f\x8b" + b"x" * 50, home=home)


def test_the_command_line_asks_and_takes_answers(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, LITELLM))
    assert main(["import", path]) == 1
    assert capsys.readouterr().err.endswith("add --cached inside or --cached beside\n")
    assert main(["import", path, "--cached", "inside", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["format"] == "csv"
    assert [run["total_usd"] for run in answer["runs"]] == ["0.0067", "0.000045"]
    # the second run: (100 x 0.25 + 10 x 2) USD per million
    told = ["--map", "output_tokens=prompt_tokens,input_tokens=completion_tokens", "--map", "cache_read_tokens="]
    assert main(["import", path, *told, "--model", "openai/gpt-5.4", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["runs"][1]["counts"] == {"input_tokens": 10, "output_tokens": 100}
    assert answer["runs"][1]["models"] == ["openai/gpt-5.4"]
    assert main(["import", path, "--map", "input_tokens"]) == 2  # wrong use
    assert "--map must be FIELD=COLUMN" in capsys.readouterr().err


def test_a_mapping_is_for_tables_only(tmp_path: Path) -> None:
    with pytest.raises(cl.BadInput, match="format: a mapping is for tables"):
        cl.read(write(tmp_path, LITELLM), format="codex", mapping=cl.TableMapping({}))


def test_cells() -> None:
    assert [whole(cell, "f") for cell in ("7", "1234", "1,234", "1,234,567", "12.0", "", "NaN", "-", "null")] == [
        7, 1234, 1234, 1_234_567, 12, None, None, None, None,
    ]  # fmt: skip
    assert [amount(cell, "f") for cell in ("$0.0123", "1,234.5", ".5", "1e-4", "n/a")] == [
        Decimal("0.0123"), Decimal("1234.5"), Decimal("0.5"), Decimal("0.0001"), None,
    ]  # fmt: skip
    assert seconds("1500", "f", per_second=1000) == 1.5
    moments = ["2026-11-20T09:30:00Z", "2026-11-20 09:30", "2026/11/20 9:30", "1795167000", "1795167000000",
               "1795167000.0", "2026-11-20T10:30:00+01:00"]  # fmt: skip
    assert {at(cell, "f") for cell in moments} == {datetime(2026, 11, 20, 9, 30, tzinfo=UTC)}


figures = st.integers(0, 10**9)
rows_ = st.lists(
    st.tuples(figures, figures, figures, figures, st.sampled_from(["a", "b", ""])), min_size=1, max_size=20
)


@settings(max_examples=50, deadline=None)
@given(rows=rows_, cached=st.sampled_from(["inside", "beside"]), commas=st.booleans())
def test_runs_sum_to_the_columns_totals(rows: list[tuple[int, int, int, int, str]], cached: str, commas: bool) -> None:
    shown = "{:,}" if commas else "{}"
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["model", "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "run"])
    for sent, got, read, wrote, run in rows:
        whole_input = sent + read + wrote if cached == "inside" else sent
        writer.writerow(["m", *(shown.format(n) for n in (whole_input, got, read, wrote)), run])
    text = out.getvalue()
    runs = cl.table_runs(cl.read_table("a.csv", text.encode()), mapped(text, cached=cached))
    assert len(runs) == len({run for *_, run in rows})
    counts = [call.counts for run in runs for call in run.calls]
    columns = list(zip(*rows, strict=True))
    assert sum(c.get("input_tokens", 0) for c in counts) == sum(columns[0]) + sum(columns[2]) + sum(columns[3])
    assert sum(c.get("output_tokens", 0) for c in counts) == sum(columns[1])
    assert sum(c.get("cache_read_tokens", 0) for c in counts) == sum(columns[2])
    assert sum(c.get("cache_write_tokens", 0) for c in counts) == sum(columns[3])
