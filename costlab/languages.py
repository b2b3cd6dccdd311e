"""The catalogues of words (gettext), one `.mo` a language, shipped beside the code."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from costlab.words import ENGLISH, Words

DOMAIN = "costlab"
FOLDER = Path(__file__).resolve().parent / "locales"
LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}


@cache
def words_of(language: str) -> Words:
    """Return the words of a language (`en`, `zh`, or a locale such as `zh-CN`); English for one that is not there."""
    code = language.replace("_", "-").split("-")[0].lower()
    if code not in LANGUAGES or code == "en":
        return ENGLISH
    found = gettext.translation(DOMAIN, FOLDER, [code])
    return Words(code, found.gettext, found.ngettext)
