"""A comparison with literal figures: 12,000 fresh, 8,000 cached and 2,000 output tokens on four price lists."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import app_runs
from price_samples import NOW, rate, table, text_rates

from costlab.cost import price_run
from costlab.prices import PriceTable, Resolved
from costlab.projection import Terms, on_price_list
from costlab.report.comparison import Comparison
from costlab.runs import Run

D = Decimal
# USD per million tokens: input, cached, output. Nobody knows what u's output costs; r is retired.
PRICES = replace(
    table(
        *text_rates("openai/m", "0.25", "2"),
        rate("cache_read_tokens", "0.025", of="openai/m"),
        *text_rates("anthropic/c", "3", "15"),
        rate("cache_read_tokens", "0.3", of="anthropic/c"),
        rate("input_tokens", "1", of="zai/u"),
        *text_rates("old/r", "0.01", "0.01"),
    ),
    read_at=date(2026, 11, 20),
)
MODELS = {"old/r": "retired 2026-10-23", "zai/u": "", "anthropic/c": "", "openai/m": ""}
# openai/m:    12,000 x 0.25 + 8,000 x 0.025 + 2,000 x 2  =  3,000 +   200 +  4,000 millionths; bare  5,000 +  4,000
# anthropic/c: 12,000 x 3    + 8,000 x 0.3   + 2,000 x 15 = 36,000 + 2,400 + 30,000 millionths; bare 60,000 + 30,000
# zai/u:       20,000 x 1 (its cached tokens have no discount that is known), and what the output costs
TOTALS = {
    "openai/m": (D("0.0072"), D("0.009")),
    "anthropic/c": (D("0.0684"), D("0.09")),
    "zai/u": (D("0.02"), D("0.02")),
}


def billed(**more: Any) -> Run:
    """A run on openai/m."""
    return replace(app_runs.run_of("billed-run", "A billed run", "openai", "m"), **more)


def local(**more: Any) -> Run:
    """The same run on a local model."""
    return replace(app_runs.run_of("local-run", "A local run", "local", "qwen"), **more)


def compared(run: Run | None = None, prices: PriceTable = PRICES, **more: Any) -> Comparison:
    """A run on the four models; a local one has anthropic/c as its reference."""
    run = run or billed()

    def on(name: str, why: str = "") -> Any:
        provider, _, model = name.partition("/")
        return on_price_list(run, Resolved(provider, model, "exact"), prices, Terms(NOW), why_not=why)

    return Comparison(
        run,
        tuple(on(name, why) for name, why in MODELS.items()),
        price_run(run, prices, now=NOW),
        price_run(run, prices, now=NOW, day=NOW).cost,
        prices,
        NOW,
        reference=on("anthropic/c") if run.local else None,
        **more,
    )


class Page(HTMLParser):
    """A page as a reader has it: its text, its tags, and its tables' rows as lists of cells."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag  # every element is closed where it was opened

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words.append(data)
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += f" {data}" if self.tables[-1][-1][-1] else data

    @property
    def text(self) -> str:
        """Everything that is read, in one line."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    def rows(self, table: int = 0) -> dict[str, list[str]]:
        """The rows of a table by their first cell's first words."""
        return {row[0]: row[1:] for row in self.tables[table] if len(row) > 1}
