"""What things are called on a page or in a report, in the reader's language: every function takes `t`, the words.

English text is the key (gettext). Model ids, units of money and what an export holds are never translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

KINDS = ("fresh_input", "cache_read", "cache_write", "output", "reasoning", "other")


def _same(text: str) -> str:
    return text


def _one_or_many(one: str, many: str, n: int) -> str:
    return one if n == 1 else many


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: `t("Model")` is a text in it, `t.plural("{n} call", "{n} calls", n)` one by number.

    `said` puts a finished English sentence of the library, as errors hold it, into the language.
    """

    language: str = "en"
    gettext: Callable[[str], str] = _same
    ngettext: Callable[[str, str, int], str] = _one_or_many
    said: Callable[[str], str] = _same

    def __call__(self, text: str) -> str:
        """Return a text in this language, or the text itself where the catalogue lacks it."""
        return self.gettext(text)

    def plural(self, one: str, many: str, n: int) -> str:
        """Return the form for `n` with its `{n}` filled in."""
        return self.ngettext(one, many, n).replace("{n}", f"{n:,}")


ENGLISH = Words()


def kind_name(kind: str, t: Words) -> str:
    """Return what a kind of tokens is called, as in a legend."""
    return {
        "fresh_input": t("fresh input"),
        "cache_read": t("cache read"),
        "cache_write": t("cache write"),
        "output": t("output"),
        "reasoning": t("reasoning"),
        "other": t("other units"),
    }[kind]


def task_title(title: str, t: Words) -> str:
    """Return the title of a sample task or shipped recording in the reader's language; any other title as it is."""
    return {
        "Look one fact up": t("Look one fact up"),
        "Put two documents together": t("Put two documents together"),
        "Find the exception": t("Find the exception"),
        "Add up a table": t("Add up a table"),
        "Divide two sums": t("Divide two sums"),
        "Documents, table and arithmetic": t("Documents, table and arithmetic"),
        "Only arithmetic": t("Only arithmetic"),
        "A chart to look at": t("A chart to look at"),
        "Advice, which nobody can check": t("Advice, which nobody can check"),
        "A long ledger, added up": t("A long ledger, added up"),
        "Bolts and nuts in stock": t("Bolts and nuts in stock"),
        "Planning, with a clerk to ask": t("Planning, with a clerk to ask"),
        "Price of a fruit basket": t("Price of a fruit basket"),
        "Price of a mango, by tool calls": t("Price of a mango, by tool calls"),
    }.get(title, title)


def unit_name(unit: str, t: Words) -> str:
    """Return what a unit is called; one without a word of its own shows its key with spaces."""
    known = {
        "input_tokens": t("input tokens"),
        "output_tokens": t("output tokens"),
        "cache_read_tokens": t("cache read tokens"),
        "cache_write_tokens": t("cache write tokens"),
        "cache_write_5m_tokens": t("cache write tokens, 5 minutes"),
        "cache_write_1h_tokens": t("cache write tokens, 1 hour"),
        "output_reasoning_tokens": t("reasoning tokens"),
        "input_image_tokens": t("image input tokens"),
        "input_audio_tokens": t("audio input tokens"),
        "input_video_tokens": t("video input tokens"),
        "input_text_tokens": t("text input tokens"),
        "input_tool_tokens": t("tool input tokens"),
        "output_image_tokens": t("image output tokens"),
        "output_audio_tokens": t("audio output tokens"),
        "output_text_tokens": t("text output tokens"),
        "web_searches": t("web searches"),
        "storage_searches": t("file searches"),
        "code_executions": t("code executions"),
        "requests": t("requests"),
        "input_images": t("input images"),
        "output_images": t("generated images"),
        "input_audio_seconds": t("seconds of audio"),
        "input_document_pages": t("document pages"),
    }
    return known.get(unit) or _joint_name(unit, t) or unit.replace("_", " ")


def _joint_name(unit: str, t: Words) -> str:
    """Return the name of what is of a modality and of a cache: `cache_image_write_5m_tokens`; empty for other units."""
    found = re.fullmatch(r"cache_(text|image|audio|video)_(read|write)(_5m|_1h)?_tokens", unit)
    if found is None:
        return ""
    kinds = {"text": t("text"), "image": t("pictures"), "audio": t("sound"), "video": t("films")}
    whole = unit_name(unit.replace(f"{found[1]}_", "", 1), t)
    return t("{unit}, {modality}").format(unit=whole, modality=kinds[found[1]])


def bound_name(reason: str, t: Words) -> str:
    """Return why a total is a lower bound, as the end of 'the true amount may be higher: ...'."""
    return {
        "unpriced": t("no price is known for a part"),
        "unmetered": t("a part was not metered"),
        "cut": t("a call was cut off"),
        "maybe_billed": t("a failed try may have been billed"),
        "ttl_unknown": t("how long a cache write lives is unknown"),
        "ancestor_rate": t("priced at the rate of a wider unit"),
        "tier_rate_missing": t("the served tier has no rate"),
        "placeholder_output": t("the recording holds a placeholder for the output"),
    }.get(reason, reason)


def source_name(source: str, version: str, t: Words) -> str:
    """Return who says what a rate is, with the version of that source."""
    return t("set by the user") if source == "user" else f"{source} {version}".strip()


def amount_name(text: str, t: Words) -> str:
    """Return an amount as `usd`, `headline` and `column` say it, with the words of a language."""
    if text == "unpriced":
        return t("unpriced")
    amount = text.removesuffix(" (free)")
    return text if amount == text else t("{usd} (free)").format(usd=amount)


def duration_name(text: str, t: Words) -> str:
    """Return a time as `duration` says it (`2 min 05 s`), with the words of a language."""
    units = {"h": t("h"), "min": t("min"), "s": t("s")}
    return " ".join(units.get(word, word) for word in text.split(" "))


class Doubt(Protocol):
    """Why a total is a lower bound, and of which unit: `costlab.cost.Bound`."""

    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102


def doubts(bounds: Iterable[Doubt], t: Words) -> str:
    """Return why a total is a lower bound, each reason once; empty where it is none."""
    media = {
        "input_image_tokens": t("how it counts pictures is not known"),
        "input_audio_tokens": t("how it counts sound is not known"),
        "input_video_tokens": t("how it counts films is not known"),
    }
    told = ((media.get(b.unit) if b.reason == "unmetered" else None) or bound_name(b.reason, t) for b in bounds)
    return "; ".join(dict.fromkeys(told))


def conditions_name(text: str, t: Words) -> str:
    """Return a rate's conditions in words; what a table's own column says (`processing=batch`) stays as it is."""
    sides = {"input > ": t("input > {n}"), "output > ": t("output > {n}")}
    parts = []
    for part in text.split("; "):
        side = next((one for one in sides if part.startswith(one)), None)
        parts.append(sides[side].format(n=part.removeprefix(side)) if side else part)
    return "; ".join(parts)


def state_name(state: str, t: Words) -> str:
    """Return how a run ended."""
    return {
        "running": t("running"),
        "success": t("finished"),
        "max_steps": t("step limit reached"),
        "stopped": t("stopped"),
        "over_budget": t("over budget"),
        "failed": t("failed"),
        "cut": t("cut off"),
    }.get(state, state)


def ended_name(state: str, sketched: bool, t: Words) -> str:
    """Return how a run ended; a sketch never began."""
    return t("sketch") if sketched else state_name(state, t)


def correct_name(correct: bool | None, t: Words) -> str:
    """Return whether an answer was right: `success` only says that there was one."""
    return t("not checked") if correct is None else t("right") if correct else t("wrong")


def invoice_note(t: Words) -> str:
    """Return what is said beside the money of a session whose client is mostly paid by subscription."""
    return t("at API prices, not your invoice")


def basis_name(basis: str, t: Words) -> str:
    """Return where a count comes from."""
    return {
        "measured": t("measured"),
        "counted": t("counted"),
        "estimated": t("estimated"),
        "assumed": t("assumed"),
        "simulated": t("simulated"),
        "unknown": t("unknown"),
    }.get(basis, basis)


def fault_name(kind: str, t: Words) -> str:
    """Return what a kind of fault is called."""
    return {
        "failed_call": t("failed model calls"),
        "cut_call": t("model calls cut off"),
        "tool_error": t("tool calls that failed"),
        "parse_error": t("answers that could not be read"),
        "code_error": t("failing code of the model"),
        "step_error": t("other errors of a step"),
    }.get(kind, kind)


def share_name(count: int, n: int, among: str, t: Words) -> str:
    """Return a count with what it is counted among: `3 of 25 steps`."""
    whole = {
        "model_calls": t("{count} of {n} model calls"),
        "tool_calls": t("{count} of {n} tool calls"),
        "steps": t("{count} of {n} steps"),
    }[among]
    return whole.format(count=f"{count:,}", n=f"{n:,}")


def unbilled_name(sketched: bool, t: Words) -> str:
    """Return why a run has no price list of its own: it is a sketch, or it ran on a local model."""
    return t("a sketch, on no model yet") if sketched else t("ran locally, not billed")


def step_name(kind: str, t: Words) -> str:
    """Return what a kind of step is called."""
    return {"planning": t("planning"), "action": t("action"), "final_answer": t("final answer")}.get(kind, kind)
