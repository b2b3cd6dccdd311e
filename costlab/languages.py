"""The catalogues of words (gettext), two a language, shipped beside the code: what pages ask for, and errors.

Errors are raised with finished English sentences, fit for a terminal and a traceback. A page in another language
looks up by which template (`errors.txt`, made by `scripts/words.py` from where they are raised) a sentence was made,
and fills its values into the translated one. A sentence of no template stays English.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path

from costlab.errors import BadInput
from costlab.words import ENGLISH, Words

DOMAIN, ERRORS = "costlab", "errors"
FOLDER = Path(__file__).resolve().parent / "locales"
LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
_HOLE = re.compile(r"\{(\d)\}")
_DEEPEST = 4  # errors quote errors; foreign text among them could go on for ever


@cache
def words_of(language: str) -> Words:
    """Return the words of a language (`en`, `zh`, or a locale such as `zh-CN`); English for one that is not there."""
    code = language.replace("_", "-").split("-")[0].lower()
    if code not in LANGUAGES or code == "en":
        return ENGLISH
    found = gettext.translation(DOMAIN, FOLDER, [code])
    errors = gettext.translation(ERRORS, FOLDER, [code])
    return Words(code, found.gettext, found.ngettext, Phrasebook(errors.gettext).said)


def error_text(problem: Exception, t: Words) -> str:
    """Return what an error says: its place, where it has one, and its sentence."""
    if not isinstance(problem, BadInput):
        return t.said(str(problem))
    line = t("line {n}").replace("{n}", str(problem.line)) if problem.line is not None else None
    place = [part for part in (problem.file, line, problem.field) if part]
    said = t.said(problem.problem)
    return t("{place}: {problem}").format(place=t(", ").join(place), problem=said) if place else said


class Phrasebook:
    """Puts the library's English error sentences into another language."""

    def __init__(self, translated: Callable[[str], str]) -> None:
        self._translated = translated

    def said(self, sentence: str, depth: int = 0) -> str:
        """Return a sentence in this language; values stay as they are, unless they are sentences themselves."""
        for pattern, template in self._patterns if depth < _DEEPEST else ():
            if found := pattern.fullmatch(sentence):
                return self._filled(template, [self.said(value, depth + 1) for value in found.groups()])
        return sentence

    def _filled(self, template: str, values: list[str]) -> str:
        return _HOLE.sub(lambda hole: values[int(hole[1])], self._translated(template))

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """Every template as a pattern; those with most words of their own first, since a short one fits much."""
        templates = (FOLDER / f"{ERRORS}.txt").read_text(encoding="utf-8").splitlines()
        templates.sort(key=lambda one: -len(_HOLE.sub("", one)))
        return tuple(
            (re.compile("(.*)".join(map(re.escape, _HOLE.split(one)[::2])), re.DOTALL), one) for one in templates
        )
