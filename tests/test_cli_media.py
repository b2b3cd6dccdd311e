"""`media-tokens`: one request, or one a line; every field of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Cli, jsonl, process

PICTURE = {"model": "gpt-4o", "kind": "image", "width": 1024, "height": 1024, "detail": "high"}
FIELDS = {"id", "tokens", "formula", "source", "error", "basis"}


@pytest.fixture
def shipped_cli(cli: Cli) -> Cli:
    """The command line over the shipped rules."""
    cli.pricing = None
    return cli


def test_one_picture(shipped_cli: Cli) -> None:
    words = ("--model", "gpt-4o", "--kind", "image", "--width", 1024, "--height", 1024, "--detail", "high")
    done = shipped_cli("media-tokens", *words, "--json")
    assert (done.code, done.err, set(done.json)) == (0, "", FIELDS)
    # 1024 x 1024 is scaled to 768 x 768: 2 x 2 tiles of 170, and 85
    assert (done.json["id"], done.json["tokens"], done.json["error"]) == (None, 765, None)
    assert done.json["source"].startswith("https://")
    text = shipped_cli("media-tokens", *words)
    assert text.out.splitlines()[0].startswith("765 tokens = ")
    assert done.json["source"] in text.out


def test_a_request_a_line(shipped_cli: Cli, tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "in.jsonl",
        {"id": "p", **PICTURE},
        {"id": 2, "model": "gemini-2.5-flash", "kind": "audio", "seconds": 10},
        {"id": "film", "model": "gemini-2.5-flash", "kind": "video", "seconds": 2, "audio": False},
        {"id": "flat", **PICTURE, "width": 0},
        {"id": "word", **PICTURE, "detail": "finest"},
        {"id": "who", "model": "nobody-9", "kind": "image", "width": 10, "height": 10},
        {"id": "more", **PICTURE, "depth": 3},
        "nonsense",
        "7",
    )
    done = shipped_cli("media-tokens", "--jsonl", path)
    assert (done.code, done.err) == (1, "")
    assert all(set(row) == FIELDS for row in done.rows)
    # Gemini 2.5: 32 tokens a second of sound; a film's frame a second at 258 tokens and 5 of time stamp
    assert [(row["id"], row["tokens"]) for row in done.rows] == [
        ("p", 765), (2, 320), ("film", 526), ("flat", None), ("word", None), ("who", None), ("more", None),
        (None, None), (None, None),
    ]  # fmt: skip
    told = [row["error"] for row in done.rows]
    assert told[:3] == [None, None, None]
    assert told[3] == f"{path}, line 4, width: out of range: 0; more than 0, at most 100000"
    assert told[4].startswith(f"{path}, line 5, detail: unknown: 'finest'; there are low, high")
    assert "nobody-9" in told[5]
    assert told[6].startswith(f"{path}, line 7, depth: unknown field; there are ")
    assert told[7] == f"{path}, line 8: broken JSON: Expecting value"
    assert told[8] == f"{path}, line 9: must be an object, not int"


def test_the_sound_of_a_film(shipped_cli: Cli) -> None:
    film = ("--model", "gemini-2.5-flash", "--kind", "video", "--seconds", 2, "--json")
    assert shipped_cli("media-tokens", *film, "--no-audio").json["tokens"] == 526  # 2 x 263
    assert shipped_cli("media-tokens", *film, "--audio").json["tokens"] == 590  # and 2 x 32 of sound


def test_one_that_cannot_be_counted(shipped_cli: Cli) -> None:
    done = shipped_cli("media-tokens", "--model", "gpt-4o", "--kind", "image", "--width", 5)
    assert (done.code, done.problem()) == (1, "costlab: height: a picture needs width and height")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "media-tokens needs --model and --kind, or --jsonl FILE"),
        (("--model", "gpt-4o"), "media-tokens needs --model and --kind"),
        (("--jsonl", "-", "--model", "gpt-4o"), "not both"),
        (("--jsonl", "nowhere.jsonl"), "nowhere.jsonl: cannot be read: No such file or directory"),
        (("--model", "gpt-4o", "--kind", "image", "--width", "wide"), "argument --width: invalid int value: 'wide'"),
    ],
)
def test_wrong_use(cli: Cli, words: tuple[str, ...], why: str) -> None:
    done = cli("media-tokens", *words)
    assert (done.code, done.out) == (2, "")
    assert why in done.problem()


def test_from_stdin_in_a_process_of_its_own() -> None:
    done = process("media-tokens", "--json", "--jsonl", "-", stdin='{"id": "a", "model": "gpt-4o", "kind": "poem"}\n')
    assert (done.code, done.err) == (1, "")
    (row,) = done.rows
    assert row["error"].startswith("stdin, line 1, kind: unknown: 'poem'; there are image, audio")
