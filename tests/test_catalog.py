"""Price tables from files: layers, rows for every model of a provider, lazy facts, and the shipped catalogue itself."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import ROOT
from price_files import CLAUDE, GPT, corrected, folder, rates

import costlab as cl
from costlab.catalog import refresh
from costlab.catalog.facts import facts
from costlab.catalog.table import corrected_models, load
from costlab.prices import ModelRates

PRICING = ROOT / "pricing"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def prices_of(table: cl.PriceTable, provider: str, model: str, day: datetime = NOW) -> dict[str, Decimal | None]:
    """Return price by unit in force on a day."""
    found = table.find(provider, model)
    return {r.unit: r.price for r in found.in_force(day)} if found else {}


# ---- layers


def test_corrections_lie_over_the_catalogue_and_the_users_rows_over_both(tmp_path: Path) -> None:
    pricing = folder(tmp_path / "pricing", corrections=[corrected(price="5")])
    home = tmp_path / "home"
    home.mkdir()
    assert prices_of(load(pricing), "openai", "gpt-x") == {"input_tokens": Decimal(5)}
    (home / "overrides.csv").write_text(rates({**GPT, "price": "7"}), encoding="utf-8")
    assert prices_of(load(pricing, home), "openai", "gpt-x") == {"input_tokens": Decimal(7)}
    assert prices_of(load(pricing, home), "anthropic", "claude-x") == {"input_tokens": Decimal(3)}
    assert load(pricing).version != load(pricing, home).version


def test_a_dated_correction_replaces_only_for_its_time(tmp_path: Path) -> None:
    dated = corrected(price="5", valid_from="2026-03-01", valid_to="2026-06-01")
    table = load(folder(tmp_path, corrections=[dated]))
    for day, price in ((date(2026, 2, 28), 2), (date(2026, 3, 1), 5), (date(2026, 5, 31), 5), (date(2026, 6, 1), 2)):
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        assert prices_of(table, "openai", "gpt-x", at) == {"input_tokens": Decimal(price)}


def test_an_empty_price_removes_and_a_zero_vouches(tmp_path: Path) -> None:
    removed = load(folder(tmp_path / "a", corrections=[corrected(price="")]))
    assert prices_of(removed, "openai", "gpt-x") == {}
    gone = cl.price("openai", "gpt-x", {"input_tokens": 10}, table=removed)
    assert (gone.total, gone.free, [u.unit for u in gone.unpriced]) == (0, False, ["input_tokens"])
    free = cl.price(
        "openai", "gpt-x", {"input_tokens": 10}, table=load(folder(tmp_path / "b", corrections=[corrected(price="0")]))
    )
    assert (free.total, free.free, free.unpriced) == (0, True, ())


@pytest.mark.parametrize(
    ("cells", "field", "line"),
    [
        ({"price": "-1"}, "price", 3),
        ({"price": "two"}, "price", 3),
        ({"price": "NaN"}, "price", 3),
        ({"price": "1e99"}, "price", 3),
        ({"unit": "elephants"}, "unit", 3),
        ({"when": "weather=fine"}, "when", 3),
        ({"per": "0"}, "per", 3),
        ({"currency": "dollars"}, "currency", 3),
        ({"utc_windows": "Mo-Xx 01:00-02:00"}, "utc_windows", 3),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid_to", 3),
        ({"model": "*"}, "model", 3),  # tokens cost each model its own
        ({"model": "*", "unit": "web_searches", "per": "1000", "price": ""}, "model", 3),
    ],
)
def test_a_wrong_correction_names_file_line_and_field(
    tmp_path: Path, cells: dict[str, str], field: str, line: int
) -> None:
    with pytest.raises(cl.BadInput) as caught:
        load(folder(tmp_path, corrections=[corrected(), corrected(**cells)]))
    assert caught.value.field == field
    assert caught.value.line == line
    assert str(tmp_path / "corrections.csv") in str(caught.value)


def test_columns_that_are_missing_unknown_or_twice_are_told(tmp_path: Path) -> None:
    pricing = folder(tmp_path)
    for text, said in (
        ("", "is empty"),
        ("provider,model,price\n", "missing: unit"),
        ("provider,model,unit,price,colour\n", "unknown: colour"),
        ("provider,model,unit,price,price\n", "stands twice: price"),
    ):
        (pricing / "corrections.csv").write_text(text, encoding="utf-8")
        with pytest.raises(cl.BadInput, match=said):
            load(pricing)


# ---- rows for every model


def test_a_fee_for_every_model_fills_gaps_and_nothing_else(tmp_path: Path) -> None:
    search = {**GPT, "unit": "web_searches", "per": "1000", "price": "25"}
    fee = corrected(model="*", unit="web_searches", per="1000", price="10")
    table = load(folder(tmp_path, [GPT, {**GPT, "model": "gpt-y"}, {**search, "model": "gpt-y"}, CLAUDE], [fee]))
    assert prices_of(table, "openai", "gpt-x")["web_searches"] == 10
    assert prices_of(table, "openai", "gpt-y")["web_searches"] == 25
    assert "web_searches" not in prices_of(table, "anthropic", "claude-x")
    assert ("openai", "*") not in table.rates
    assert sorted(table.rates) == [("anthropic", "claude-x"), ("openai", "gpt-x"), ("openai", "gpt-y")]
    assert table.find("openai", "gpt-z") is None, "a fee makes no model"
    line = next(
        x for x in cl.price("openai", "gpt-x", {"web_searches": 3}, table=table).lines if x.unit == "web_searches"
    )
    assert line.amount == Decimal("0.03")  # 3 x 10 / 1,000
    assert line.rate.source == "https://example.org/prices"


def test_a_fee_without_a_date_does_not_hide_that_a_model_is_newer(tmp_path: Path) -> None:
    fee = corrected(model="*", unit="web_searches", per="1000", price="10")
    table = load(folder(tmp_path, [{**GPT, "valid_from": "2026-06-01"}], [fee]))
    cost = cl.price("openai", "gpt-x", {"input_tokens": 1_000_000, "web_searches": 1}, table=table, at="2026-01-01")
    assert cost.total == Decimal("2.01")  # 1,000,000 x 2 / 1,000,000 + 1 x 10 / 1,000
    assert [w.code for w in cost.warnings] == ["before_first_price"]


# ---- facts


def test_facts_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    good = {"provider": "openai", "model": "gpt-x", "mode": "chat", "max_input_tokens": "1000", "native_tools": ""}
    bad = {"provider": "openai", "model": "gpt-y", "max_input_tokens": "many"}
    quoted = {"provider": "openai", "model": 'gpt, "z"', "context_tokens": "8", "retires_at": "2027-01-01"}
    found = facts(folder(tmp_path, models=[good, bad, quoted]))
    assert list(found) == [("openai", "gpt-x"), ("openai", "gpt-y"), ("openai", 'gpt, "z"')]
    assert found["openai", "gpt-x"].max_input_tokens == 1000
    assert found["openai", "gpt-x"].context_tokens is None, "an empty cell is unknown"
    assert found["openai", "gpt-x"].native_tools is None
    assert found["openai", 'gpt, "z"'].retires_at == date(2027, 1, 1)
    with pytest.raises(cl.BadInput, match=r"models\.csv, line 3, max_input_tokens"):
        found["openai", "gpt-y"]
    with pytest.raises(KeyError):
        found["openai", "nobody"]


# ---- the shipped files


@pytest.mark.needs("agents")
def test_the_shipped_snapshot_is_what_its_sources_give() -> None:
    """A generated file is not edited by hand: corrections have a file of their own."""
    sources = refresh.installed()
    first = next(csv.DictReader((PRICING / "catalog.csv").read_text(encoding="utf-8").splitlines()))
    shipped = {first["source"]: first["source_version"]}
    if any(sources.versions[source] != version for source, version in shipped.items()):
        pytest.fail("other versions of the sources are installed: run `python -m costlab prices refresh`")
    made = refresh.snapshot(sources, today=date.fromisoformat(first["read_at"]), ours=corrected_models(PRICING))
    assert made.catalog == (PRICING / "catalog.csv").read_text(encoding="utf-8")
    assert made.models == (PRICING / "models.csv").read_text(encoding="utf-8")
    assert made.aliases == (PRICING / "aliases.csv").read_text(encoding="utf-8")


def test_every_correction_has_a_public_source_and_a_day() -> None:
    rows = list(csv.DictReader((PRICING / "corrections.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) > 100
    for row in rows:
        assert row["source"].startswith("https://"), row
        assert date.fromisoformat(row["read_at"]) >= date(2026, 11, 24)
        assert row["source_version"], row


def test_both_sources_stay_side_by_side_and_the_preferred_one_prices() -> None:
    """Gemini 2.0 Flash on Vertex: genai-prices lists 0.10, litellm 0.15 per million."""
    table = cl.load_table(overrides=False)
    rows = [r for r in table.rates["google-vertex", "gemini-2.0-flash"] if r.unit == "input_tokens" and not r.when]
    assert {r.source: r.price for r in rows} == {"genai-prices": Decimal("0.1"), "litellm": Decimal("0.15")}
    (line,) = cl.price("google-vertex", "gemini-2.0-flash", {"input_tokens": 1_000_000}, table=table).lines
    assert (line.amount, line.rate.source) == (Decimal("0.1"), "genai-prices")


def test_one_model_is_one_id_whatever_its_case() -> None:
    """genai-prices writes GLM-5.3, litellm glm-5.3, the API takes glm-5.3: one id with the rates of both."""
    table = cl.load_table(overrides=False)
    assert ("zai", "GLM-5.3") not in table.rates
    assert {r.source for r in table.rates["zai", "glm-5.3"]} == {"genai-prices", "litellm"}


def test_a_doubtful_zero_prices_nothing_and_says_why() -> None:
    """litellm alone lists DeepSeek V3.2 on Volcano Engine at 0; nobody gives it away."""
    cost = cl.price("volcengine", "deepseek-v3-2-251201", {"input_tokens": 1000}, table=cl.load_table(overrides=False))
    assert (cost.total, cost.free, cost.lower_bound) == (0, False, True)
    assert [u.why for u in cost.unpriced] == ["source lists 0"]


def test_a_zero_that_the_id_vouches_for_is_free() -> None:
    table = cl.load_table(overrides=False)
    cost = cl.price("openrouter", "openai/gpt-oss-120b:free", {"input_tokens": 10, "output_tokens": 5}, table=table)
    assert (cost.total, cost.free, cost.unpriced) == (0, True, ())


def test_the_whole_catalogue_holds_together_on_a_day() -> None:
    """Every row parses, and of one group and source at most one row without hours holds at a time."""
    table = cl.load_table(overrides=False)
    for key in table.rates:
        seen = set()
        for rate in ModelRates(*key, table.rates[key]).in_force(NOW):
            if rate.utc_windows is None:
                same = (rate.group, rate.source if rate.layer == "catalog" else "")
                assert same not in seen, rate
                seen.add(same)


# ---- speed


def test_a_price_from_a_cold_start_reads_neither_yaml_nor_facts_nor_litellm() -> None:
    """What makes the command line quick: the heavy things are left alone until they are needed."""
    code = (
        "import sys, costlab as cl\n"
        "counts = {'input_tokens': 10_000, 'cache_read_tokens': 8_000, 'output_tokens': 1_000}\n"
        "cost = cl.price('openai', 'gpt-5', counts)\n"
        "print(cost.total, [m for m in ('yaml', 'litellm', 'pandas', 'costlab.rules') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    # 2,000 x 1.25 + 8,000 x 0.125 + 1,000 x 10 = 13,500 USD per million
    assert done.stdout.split(" ", 1) == ["0.0135", "[]\n"]


def test_a_broken_caching_file_is_told_when_a_write_needs_it(tmp_path: Path) -> None:
    write = {**CLAUDE, "unit": "output_tokens"}
    pricing = folder(tmp_path, [CLAUDE, write])
    (pricing / "caching.yml").write_text("version: [", encoding="utf-8")
    table = cl.load_table(pricing, overrides=False)
    assert cl.price("anthropic", "claude-x", {"input_tokens": 1_000_000}, table=table).total == 3
    with pytest.raises(cl.BadInput, match=r"caching\.yml"):
        cl.price("anthropic", "claude-x", {"input_tokens": 10, "cache_write_1h_tokens": 10}, table=table)
