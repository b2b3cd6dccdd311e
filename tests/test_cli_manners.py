"""How every command behaves: exit codes, problems in one line, options on either side, pipes and disks that end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, Cli, Done, price_folder

import costlab as cl
from costlab.cli import _failed, main
from costlab.cli.output import cut, plain, table, width

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")
ONE = ("price", "--model", "gpt-x", "--counts", '{"input_tokens": 1000}', "--json")


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("import", "--help"), ("prices", "find", "--help")])
def test_help_and_version(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main(words) == 0
    said = capsys.readouterr()
    assert (cl.__version__ if words == ("--version",) else "usage: costlab") in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("prize",), "invalid choice: 'prize'"),
        (("runs", "now"), "unrecognized arguments: now"),
        (("show",), "the following arguments are required: RUN_ID"),
        (("prices",), "the following arguments are required: VERB"),
        (("prices", "find"), "the following arguments are required: text"),
        (("runs", "--pricing", "nowhere"), "--pricing nowhere: is no folder"),
    ],
)
def test_wrong_use_is_one_line(cli: Cli, words: tuple[str, ...], why: str) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert why in done.problem()


def test_options_stand_before_the_command_or_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ("--pricing", str(price_folder(tmp_path / "pricing")), "--home", str(tmp_path / "home"))
    for words in ((*places, *ONE), (*ONE, *places), (*places[:2], "--json", *ONE[:-1], *places[2:])):
        assert main(words) == 0
        assert '"total_usd": "0.003"' in capsys.readouterr().out  # 1,000 x 3 USD a million


def test_the_user_s_own_prices_are_in_the_home_that_is_named(cli: Cli, home: Path) -> None:
    head = "provider,model,unit,price,per,currency,when,input_over,output_over,valid_from,valid_to,utc_windows,source"
    row = "openai,gpt-x,input_tokens,7,1000000,USD,,,,,,,me"
    (home / "overrides.csv").write_text(f"{head},source_version,read_at,note\n{row},,2026-01-01,\n")
    assert cli(*ONE).json["total_usd"] == "0.007"
    (home / "overrides.csv").write_text(f"{head},source_version,read_at,note\n{row.replace(',7,', ',-7,')},,,\n")
    done = cli(*ONE)
    assert (done.code, done.out) == (1, "")
    assert done.problem().startswith(f"costlab: {home / 'overrides.csv'}, line 2, price")


def test_a_folder_without_price_files(cli: Cli, tmp_path: Path) -> None:
    cli.pricing = tmp_path / "empty"
    cli.pricing.mkdir()
    for words in (ONE, ("runs",), ("prices", "find", "gpt")):
        done = cli(*words)
        assert (done.code, done.out) == (1, "")
        assert (
            done.problem()
            == f"costlab: {tmp_path / 'empty' / 'catalog.csv'}: cannot be read: No such file or directory"
        )


@posix
def test_a_reader_that_has_seen_enough(home: Path) -> None:
    """The pipe is closed after a line; the rest is neither written nor complained about."""
    words = [sys.executable, "-m", "costlab", "prices", "find", "gpt", "--home", str(home)]
    writing = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert writing.stdout is not None
    assert writing.stderr is not None
    assert writing.stdout.readline().startswith("MODEL")
    writing.stdout.close()
    assert writing.stderr.read() == ""
    assert writing.wait(60) == 1
    writing.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs POSIX with /dev/full")
def test_a_disk_that_is_full(home: Path) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "costlab", "runs", "--home", str(home)],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    done = Done(ran.returncode, "", ran.stderr)
    assert (done.code, done.problem()) == (1, "costlab: the output: No space left on device")


def test_an_error_of_costlab_s_own_is_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSTLAB_DEBUG", raising=False)
    assert _failed(ValueError("two\nlines")) == 1
    told = "costlab: an error of CostLab's own, ValueError: two lines (COSTLAB_DEBUG=1 shows where)\n"
    assert capsys.readouterr().err == told
    monkeypatch.setenv("COSTLAB_DEBUG", "1")
    with pytest.raises(ValueError, match="two"):
        _failed(ValueError("two\nlines"))


def test_it_starts_without_what_it_does_not_need(home: Path) -> None:
    heavy = ("litellm", "smolagents", "streamlit", "pandas", "plotly", "numpy")
    code = f"""
import sys
sys.modules.update(dict.fromkeys({heavy!r}))  # None there makes an import fail
from costlab.cli import main
sys.exit(main(["price", "--model", "gpt-5", "--counts", '{{"input_tokens": 1}}']) or main(["runs"]))
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


# ---- prices


def test_rows_of_a_model_have_the_csv_s_columns(cli: Cli) -> None:
    found = cli("prices", "find", "openai/half", "--json")
    assert found.code == 0
    assert found.json == [
        {
            "provider": "openai", "model": "half-x", "unit": "input_tokens", "price": "0.5", "per": "1000000",
            "currency": "USD", "when": "", "input_over": "", "output_over": "", "valid_from": "", "valid_to": "",
            "utc_windows": "", "source": "test", "source_version": "1", "read_at": "2026-02-01", "note": "",
        }
    ]  # fmt: skip


ROWS = """\
MODEL         UNIT               USD        PER  TERMS                                      READ        SOURCE
openai/gpt-x  input_tokens         2  1,000,000  valid_to=2026-07-01                        2026-02-01  test 1
openai/gpt-x  input_tokens         3  1,000,000  valid_from=2026-07-01                      2026-02-01  test 1
openai/gpt-x  input_tokens         1  1,000,000  when=processing=batch valid_to=2026-07-01  2026-02-01  test 1
"""


def test_rows_as_text(cli: Cli) -> None:
    assert cli("prices", "find", "gpt-x").out.startswith(ROWS)


def test_no_row_is_said_with_names_like_it(cli: Cli) -> None:
    done = cli("prices", "find", "gpt-y", "--json")
    assert (done.code, done.json) == (1, [])
    assert done.problem().startswith("costlab: no model's name holds 'gpt-y'; near: openai/gpt-x")


def test_what_changed_between_two_folders(cli: Cli, tmp_path: Path) -> None:
    old, new = price_folder(tmp_path / "old"), price_folder(tmp_path / "new")
    text = (new / "catalog.csv").read_text()
    (new / "catalog.csv").write_text(text.replace("half-x,input_tokens,0.5", "half-x,input_tokens,0.4"))
    done = cli("prices", "diff", old, new, "--json")
    assert (done.code, [(c["change"], c["model"], c["old_price"], c["price"]) for c in done.json]) == (
        0, [("changed", "half-x", "0.5", "0.4")],
    )  # fmt: skip
    assert "(was 0.5)" in cli("prices", "diff", old, new).out
    gone = cli("prices", "diff", old, tmp_path / "nowhere")
    assert (gone.code, gone.problem()) == (
        1,
        f"costlab: {tmp_path / 'nowhere'}: cannot be read: No such file or directory",
    )


def test_a_check_names_what_is_wrong(cli: Cli, home: Path) -> None:
    (home / "overrides.csv").write_text("provider,model\nopenai,gpt-x\n")
    for words in ((), ("--json",)):
        done = cli("prices", "check", *words)
        assert done.code == 1
        assert "Traceback" not in done.err
    assert any(str(home / "overrides.csv") in one["file"] for one in done.json["problems"])
    assert done.json["ok"] is False


# ---- what is printed


def test_tables_align_wide_signs_and_leave_out_empty_columns() -> None:
    assert table([["数", "1", "", "x"], ["abc", "20", "", ""]], "<>><", ("A", "N", "NONE", "T")) == [
        "A     N  T",
        "数    1  x",
        "abc  20",
    ]


@pytest.mark.parametrize(
    ("text", "places", "told"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("螺栓数", 5, "螺栓…"),
        ("螺栓数", 6, "螺栓数"),
        ("a b c", 3, "a…"),
        ("", 3, ""),
    ],
)
def test_a_text_ends_at_its_place(text: str, places: int, told: str) -> None:
    assert cut(text, places) == told
    assert width(told) <= places


def test_foreign_text_is_one_line() -> None:
    assert plain(" a\tb\nc\x1b[31m\u202ed\ud800 ") == "a b c\ufffd[31m\ufffdd\ufffd"
