"""No string of the app is missing in a language, and a translation keeps what is filled into it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_are_the_same_on_both_sides(language: str) -> None:
    from babel.messages.pofile import read_po

    with (ROOT / f"costlab/locales/{language}/LC_MESSAGES/costlab.po").open("rb") as source:
        catalog = read_po(source)
    for message in catalog:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in texts if message.id else ():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", ids[-1])), ids


def test_words_of_a_locale_are_its_languages() -> None:
    assert words_of("zh-CN")("Compare") == words_of("zh_TW")("Compare") == "比较"
    assert words_of("fr") is ENGLISH
    assert words_of("en-GB")("Compare") == "Compare"


def test_plurals_follow_the_number_and_keep_its_separators() -> None:
    assert ENGLISH.plural("{n} call", "{n} calls", 1) == "1 call"
    assert ENGLISH.plural("{n} call", "{n} calls", 1_200) == "1,200 calls"
    assert words_of("zh").plural("{n} call", "{n} calls", 2) == "2 次调用"
