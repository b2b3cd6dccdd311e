"""`prices check`: each kind of mistake is found and placed, the sources' fields are all accounted for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ROOT
from price_files import CLAUDE, GPT, corrected, folder, rates

import costlab as cl
from costlab.catalog import litellm_map, refresh
from costlab.catalog.check import check
from costlab.catalog.litellm_names import identity
from costlab.catalog.litellm_proof import MAPPED, NO_PRICE, NOT, UNKNOWN, proof
from costlab.catalog.rows import COLUMNS
from costlab.errors import BadInput
from costlab.prices import WHEN_KEYS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def none_installed() -> refresh.Sources:
    raise cl.MissingExtra("litellm", "agents")


def problems(pricing: Path, home: Path | None = None) -> list[tuple[str, int | None, str | None, str]]:
    """Return (file, line, field, problem) of everything that is wrong in a folder."""
    found = check(pricing, home, {}, now=NOW, sources=none_installed).problems
    return [(Path(p.file or "").name, p.line, p.field, p.problem) for p in found]


def test_a_sound_folder_has_no_problem(tmp_path: Path) -> None:
    assert problems(folder(tmp_path, corrections=[corrected()])) == []


def test_every_wrong_row_of_a_file_is_told_not_only_the_first(tmp_path: Path) -> None:
    wrong = [{**GPT, "price": "-1"}, {**GPT, "unit": "stones"}, {**GPT, "when": "moon=full"}, {**GPT, "per": "x"}]
    told = problems(folder(tmp_path, [GPT, *wrong, CLAUDE]))
    assert [(file, line, field) for file, line, field, _ in told] == [
        ("catalog.csv", 3, "price"),
        ("catalog.csv", 4, "unit"),
        ("catalog.csv", 5, "when"),
        ("catalog.csv", 6, "per"),
    ]
    assert "unknown condition 'moon'" in told[2][3]


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ([{}, {"price": "3"}], 3, "stands twice: line 2"),
        ([{"valid_from": "2026-01-01"}, {"valid_from": "2026-01-01", "price": "3"}], 3, "stands twice: line 2"),
        ([{}, {"valid_from": "2026-01-01"}], 3, "is valid while line 2 still is"),
        ([{"valid_to": "2026-02-01"}, {"valid_from": "2026-01-01"}], 3, "is valid while line 2 still is"),
        (
            [{"utc_windows": "Mo-Fr 01:00-04:00"}, {"utc_windows": "Fr-Sa 03:00-05:00"}],
            3,
            "shares hours with line 2",
        ),
    ],
)
def test_rows_that_hold_at_the_same_time_are_told(
    tmp_path: Path, rows: list[dict[str, str]], line: int, said: str
) -> None:
    ((file, place, _, problem),) = problems(folder(tmp_path, corrections=[corrected(**row) for row in rows]))
    assert (file, place) == ("corrections.csv", line)
    assert said in problem
    assert "openai/gpt-x input_tokens" in problem


def test_rows_that_never_hold_together_are_fine(tmp_path: Path) -> None:
    rows = [
        {"valid_to": "2026-01-01"},
        {"valid_from": "2026-01-01", "valid_to": "2026-02-01"},
        {"valid_from": "2026-02-01"},
        {"valid_from": "2026-02-01", "utc_windows": "Mo-Fr 01:00-04:00"},
        {"valid_from": "2026-02-01", "utc_windows": "Mo-Fr 04:00-05:00"},
        {"when": "processing=batch"},
        {"input_over": "1000"},
    ]
    assert problems(folder(tmp_path, corrections=[corrected(**row) for row in rows])) == []


def test_both_sources_may_stand_in_the_catalogue_one_may_not_twice(tmp_path: Path) -> None:
    one, two = {**GPT, "source": "litellm"}, {**GPT, "source": "genai-prices", "price": "3"}
    assert problems(folder(tmp_path / "a", [one, two, CLAUDE])) == []
    ((file, line, _, said),) = problems(folder(tmp_path / "b", [one, {**one, "price": "4"}, CLAUDE]))
    assert (file, line) == ("catalog.csv", 3)
    assert "stands twice" in said


def test_a_correction_says_where_it_is_from(tmp_path: Path) -> None:
    told = problems(folder(tmp_path, corrections=[corrected(source=""), corrected(model="gpt-y", read_at="")]))
    assert [(line, field) for _, line, field, _ in told] == [(2, "source"), (3, "read_at")]


@pytest.mark.parametrize(
    ("alias", "field", "said"),
    [
        (("model", "gpt-old", "openai", "gpt-gone"), "model", "leads nowhere: no model openai/gpt-gone"),
        (("provider", "oai", "open-ai", ""), "provider", "leads nowhere: no model of provider 'open-ai'"),
        (("maker", "zz", "nobody", ""), "provider", "leads nowhere: no model of provider 'nobody'"),
        (("nickname", "gpt", "openai", "gpt-x"), "kind", "unknown kind 'nickname'"),
        (("model", "GPT-OLD", "openai", "gpt-x"), "alias", "stands twice: line 2"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(
    tmp_path: Path, alias: tuple[str, str, str, str], field: str, said: str
) -> None:
    first = ("model", "gpt-old", "openai", "gpt-x")
    names = [first, alias] if alias[1] != "gpt-old" else [("model", "x", "openai", "gpt-x"), alias]
    ((file, line, where, problem),) = problems(folder(tmp_path, aliases=names))
    assert (file, line, where) == ("aliases.csv", 3, field)
    assert said in problem


def test_a_model_twice_and_a_wrong_fact_are_told(tmp_path: Path) -> None:
    fact = {"provider": "openai", "model": "gpt-x"}
    told = problems(folder(tmp_path, models=[fact, {**fact, "retires_at": "soon"}, fact]))
    assert [(file, line, field) for file, line, field, _ in told] == [
        ("models.csv", 3, "retires_at"),
        ("models.csv", 4, None),
    ]


def test_the_users_own_file_is_checked_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "overrides.csv").write_text(rates(GPT, {**GPT, "price": "three"}), encoding="utf-8")
    assert problems(folder(tmp_path / "pricing"), home) == [
        ("overrides.csv", 3, "price", "a price must be a number, not 'three'")
    ]


def test_a_broken_rule_file_is_a_problem(tmp_path: Path) -> None:
    def broken(pricing: Path) -> int:
        raise BadInput("not YAML", file=str(pricing / "media.yml"), line=4)

    found = check(folder(tmp_path), None, {"media.yml": broken}, now=NOW, sources=none_installed)
    assert [str(p) for p in found.problems] == [f"{tmp_path / 'media.yml'}, line 4: not YAML"]
    assert not found.ok


# ---- the sources


MAP = {f"m{place}": {"litellm_provider": "x", "mode": "chat", "input_cost_per_token": 1e-6} for place in range(10)}


def fates(entry: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return field -> (fate, what it says) of one model's entry."""
    return {u.field: (u.fate, u.says) for u in proof({"m": {"litellm_provider": "x", "mode": "chat", **entry}})}


def test_a_new_price_field_is_unknown_until_somebody_reads_it() -> None:
    assert fates({"input_cost_per_smell": 1e-6})["input_cost_per_smell"][0] == UNKNOWN
    assert fates({"tiered_pricing": [{"range": [0, 9], "toll": 1}]})["tiered_pricing: toll"][0] == UNKNOWN
    assert fates({"charges": {"night": {"rate": 3}}})["charges: night: rate"][0] == UNKNOWN
    assert fates({"input_cost_per_token_sideways": "0.1"})["input_cost_per_token_sideways"][0] == UNKNOWN, "text too"
    assert fates({"input_cost_per_token": "0.1"})["input_cost_per_token"][0] == UNKNOWN, "text is no price"


def test_steps_are_read_field_by_field() -> None:
    steps = [
        {"range": [0, 32_000], "input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6},
        {"range": [32_000, 128_000], "input_cost_per_token": 2e-6, "output_cost_per_reasoning_token": 9e-6},
    ]
    assert fates({"tiered_pricing": steps}) == {
        "tiered_pricing: input_cost_per_token": (MAPPED, "input_tokens"),
        "tiered_pricing: output_cost_per_token": (MAPPED, "output_tokens"),
        "tiered_pricing: output_cost_per_reasoning_token": (MAPPED, "output_reasoning_tokens"),
        "tiered_pricing: range": (NO_PRICE, "the edges of a tier"),
    }


def test_what_is_not_mapped_has_a_reason() -> None:
    by_results = {"tiered_pricing": [{"max_results_range": [0, 25], "input_cost_per_query": 0.005}]}
    fate, reason = fates(by_results)["tiered_pricing: by number of results: input_cost_per_query"]
    assert fate == NOT
    assert "number of results" in reason
    assert fates({"cost_per_second": 0.1})["cost_per_second"][0] == NOT
    assert fates({"max_tokens": 4096})["max_tokens"] == (NO_PRICE, "a limit")


def test_a_value_that_makes_no_rate_is_counted_with_its_reason() -> None:
    video = {"mode": "video_generation", "output_cost_per_second": 0.1}
    speech = {"mode": "audio_transcription", "input_cost_per_second": 1e-4, "output_cost_per_second": 0.0}
    (use,) = (u for u in proof({"a": video, "b": speech}) if u.field == "output_cost_per_second")
    assert (use.fate, use.models) == (MAPPED, 2)
    assert use.left_out == {"0 on the other side of a price by second or pixel": 1}


def units_of(entry: Mapping[str, object], provider: str = "x") -> list[tuple[str, str, int | None]]:
    """Return (unit, price of a million, input_over) of one model's entry."""
    found = litellm_map.prices({"mode": "chat", **entry}, provider)
    return [(p.unit, f"{p.usd * 1_000_000:f}".rstrip("0").rstrip("."), p.input_over) for p in found]


TIERED = {
    "input_cost_per_token": 2e-6, "input_cost_per_token_above_200k_tokens": 4e-6, "input_cost_per_image_token": 2e-6,
}  # fmt: skip


def test_a_tier_of_xai_begins_at_its_number_another_above_it() -> None:
    assert units_of(TIERED, "x-ai") == [("input_tokens", "2", None), ("input_tokens", "4", 199_999)]
    assert units_of(TIERED, "google") == [("input_tokens", "2", None), ("input_tokens", "4", 200_000)]


def test_a_price_that_repeats_its_sides_makes_no_row() -> None:
    assert units_of({"output_cost_per_token": 6e-6, "output_cost_per_reasoning_token": 6e-6}) == [
        ("output_tokens", "6", None)
    ]
    own = {"output_cost_per_token": 6e-6, "output_cost_per_reasoning_token": 3e-6}
    assert units_of(own) == [("output_tokens", "6", None), ("output_reasoning_tokens", "3", None)]
    steps = [
        {"range": [0, 32_000], "output_cost_per_token": 1e-6, "output_cost_per_reasoning_token": 1e-6},
        {"range": [32_000, 64_000], "output_cost_per_token": 2e-6, "output_cost_per_reasoning_token": 9e-6},
    ]
    assert len(units_of({"tiered_pricing": steps})) == 4, "what differs in one step is a price of its own in all"
    (use,) = (u for u in proof({"m": {"litellm_provider": "x", "mode": "chat", **TIERED}}) if "image" in u.field)
    assert (use.fate, use.models) == (MAPPED, 1)
    assert use.left_out == {
        "the price of its side in other words: priced as that, with its tiers, conditions and dates": 1
    }


@pytest.mark.needs("agents")
def test_no_two_sources_put_one_tier_at_two_edges() -> None:
    """Two rows of one tier would be two groups, of which the higher edge wins, whatever its source and dates."""
    table = cl.load_table(overrides=False)
    for rows in table.rates.values():
        edges = {(r.source, r.input_over) for r in rows if r.input_over is not None and r.layer == "catalog"}
        for source, edge in edges:
            assert not {other for other, near in edges if other != source and abs(near - edge) == 1}, rows[0]


@pytest.mark.needs("agents")
def test_every_number_of_the_installed_map_is_accounted_for() -> None:
    """The proof that `prices check` gives, on the real map; its count of values is taken here by other means."""
    entries = litellm_map.read(litellm_map.installed())
    found = proof(entries)
    assert [u.field for u in found if u.fate == UNKNOWN] == []
    by_name = {u.field: u for u in found}
    for name in ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost"):
        having = sum(isinstance(e.get(name), int | float) for e in entries.values())
        assert by_name[name].models == having > 1000
    numbers = {k for e in entries.values() for k, v in e.items() if isinstance(v, int | float) and v is not True}
    assert {n for n in numbers if n not in by_name and not n.startswith("supports_")} - _flags(entries) == set()
    stepped = [k for k, e in entries.items() if isinstance(e.get("tiered_pricing"), list)]
    assert sum(k.startswith("dashscope/qwen") for k in stepped) >= 15
    assert sum(k.startswith("volcengine/doubao") for k in stepped) >= 4
    by_results = by_name["tiered_pricing: by number of results: input_cost_per_query"]
    assert by_name["tiered_pricing: input_cost_per_token"].models + by_results.models == len(stepped)


def _flags(entries: Mapping[str, Mapping[str, object]]) -> set[str]:
    return {k for e in entries.values() for k, v in e.items() if isinstance(v, bool)}


@pytest.mark.needs("agents")
def test_the_docs_name_every_field_that_is_not_mapped_and_every_file() -> None:
    said = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
    left_out = {u.field for u in proof(litellm_map.read(litellm_map.installed())) if u.fate == NOT}
    names = {name for field in left_out for name in field.split(": ") if name in litellm_map.NOT_MAPPED}
    assert [name for name in sorted(names | set(litellm_map.NOT_MAPPED)) if name not in said] == []
    assert [name for name in COLUMNS if f"`{name}`" not in said] == []
    assert [key for key in WHEN_KEYS if f"`{key}`" not in said] == []
    listed = (ROOT / "pricing" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "pricing").iterdir()} - {"README.md"}
    assert [name for name in sorted(files) if f"`{name}`" not in listed] == []


@pytest.mark.needs("agents")
def test_each_step_of_the_map_is_a_row_of_the_catalogue() -> None:
    """All `tiered_pricing` of Qwen, Doubao and others, against what the table gives one token over each edge."""
    table = cl.load_table(overrides=False)
    steps, providers = 0, set()
    for key, entry in litellm_map.read(litellm_map.installed()).items():
        listed = entry.get("tiered_pricing")
        said = identity(key, str(entry["litellm_provider"]))
        if not isinstance(listed, list) or "range" not in listed[0] or said is None:
            continue
        for step in listed:
            tokens = int(step["range"][0]) + 1
            counts = {"input_tokens": tokens, "output_tokens": 1000}
            cost = cl.price(said[0], said[1], counts, table=table).by_unit()
            expected = {"input_tokens": tokens * step["input_cost_per_token"],
                        "output_tokens": 1000 * step["output_cost_per_token"]}  # fmt: skip
            assert {unit: float(usd) for unit, usd in cost.items()} == pytest.approx(expected, rel=1e-9), (key, step)
            steps += 1
        providers.add(said[0])
    assert steps == 138
    assert {"dashscope", "volcengine"} < providers


@pytest.mark.needs("agents")
def test_the_shipped_files_are_sound() -> None:
    found = cl.check_prices(ROOT / "pricing", ROOT / "tests")  # no overrides.csv there
    assert [str(p) for p in found.problems] == []
    assert found.files["catalog.csv"] > 28_000
    assert set(found.files) == {
        "catalog.csv", "corrections.csv", "models.csv", "aliases.csv", "media.yml", "caching.yml",
    }  # fmt: skip
    assert len(found.notes) == 1
    assert found.notes[0].startswith("catalog.csv is what litellm ")
    assert {r.price for r in found.zeros} == {0}
    pairs = {(k.model, k.unit, str(k.price), str(o.price)) for k, o in found.repeated if k.provider == "azure"}
    assert ("mistral-large-latest", "input_tokens", "8.000000000000000", "2.000000000000000") in pairs


def test_a_file_that_is_no_price_map_is_refused(tmp_path: Path) -> None:
    for text, said in (("[]", "no models in it"), ("{", "broken JSON"), (json.dumps({"a": 1}), "no models in it")):
        path = tmp_path / "map.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadInput, match=said):
            litellm_map.read(path)
    path.write_text(json.dumps(MAP), encoding="utf-8")
    assert len(litellm_map.read(path)) == 10
