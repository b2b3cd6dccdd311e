"""No string of the app is missing in a language, and a translation keeps what is filled into it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import costlab as cl
from costlab.languages import LANGUAGES, words_of
from costlab.words import ENGLISH

ROOT = Path(__file__).resolve().parent.parent
OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.mark.needs("app")
def test_catalogues_are_complete_and_compiled() -> None:
    check = [sys.executable, "scripts/words.py", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.needs("app")
@pytest.mark.parametrize("domain", ["costlab", "errors"])
@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_are_the_same_on_both_sides(language: str, domain: str) -> None:
    from babel.messages.pofile import read_po

    with (ROOT / f"costlab/locales/{language}/LC_MESSAGES/{domain}.po").open("rb") as source:
        catalog = read_po(source)
    for message in catalog:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in texts if message.id else ():
            assert set(re.findall(r"\{\w+\}", str(text))) == set(re.findall(r"\{\w+\}", str(ids[-1]))), ids


def test_words_of_a_locale_are_its_languages() -> None:
    assert words_of("zh-CN")("Compare") == words_of("zh_TW")("Compare") == "比较"
    assert words_of("fr") is ENGLISH
    assert words_of("en-GB")("Compare") == "Compare"


def test_plurals_follow_the_number_and_keep_its_separators() -> None:
    assert ENGLISH.plural("{n} call", "{n} calls", 1) == "1 call"
    assert ENGLISH.plural("{n} call", "{n} calls", 1_200) == "1,200 calls"
    assert words_of("zh").plural("{n} call", "{n} calls", 2) == "2 次调用"


TEMPLATES = (ROOT / "costlab/locales/errors.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_sentence_is_known_by_its_template_and_keeps_its_values(template: str) -> None:
    values = [f"«{n}»" for n in range(3)]
    sentence = re.sub(r"\{(\d)\}", lambda hole: values[int(hole[1])], template)
    said = words_of("zh").said(sentence)
    assert said != sentence
    assert sorted(re.findall("«.»", said)) == sorted(re.findall("«.»", sentence))
    assert ENGLISH.said(sentence) == sentence


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            cl.BadInput("broken JSON: Expecting ',' delimiter", file="a.jsonl", line=2),
            "a.jsonl，第 2 行：JSON 有误：此处应有逗号",
        ),
        (cl.BadInput("must be 1 to 20", field="repeats"), "repeats：必须是 1 到 20"),
        (cl.UnknownModel("gpt-9", ("gpt-5", "gpt-4")), "价格表里没有名为 'gpt-9' 的模型；相近的有：gpt-5, gpt-4"),
        (cl.MissingExtra("xllamacpp", "local"), "需要 xllamacpp：pip install 'costlab[local]'"),
        (cl.NotFound("HTTP 500: kaputt"), "HTTP 500: kaputt"),  # what somebody else said stays as it is
    ],
)
def test_an_error_is_told_in_the_readers_language(problem: cl.CostLabError, said: str) -> None:
    assert cl.error_text(problem, words_of("zh")) == said
    assert cl.error_text(problem, ENGLISH) == str(problem)


def test_foreign_text_in_an_error_cannot_make_it_go_on_for_ever() -> None:
    said = words_of("zh").said("broken JSON: " * 1_000 + "end")
    assert re.fullmatch(r"(JSON 有误：){4}(broken JSON: )+end", said)
