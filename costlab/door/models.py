"""Models as the door names them: what is known of each, which stand for a vendor, which hosts serve one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from costlab.catalog.facts import facts as read_facts
from costlab.catalog.table import near
from costlab.door.tables import pricing_folder
from costlab.errors import UnknownModel
from costlab.models import TALKING_MODES, ModelFacts
from costlab.prices import PriceTable, Resolved

# The reference model for runs that nobody billed, and the models compared first: five vendors and more, two Chinese.
REFERENCE_MODEL = "openai/gpt-5-mini"
DEFAULT_MODELS = (
    "openai/gpt-5-mini",
    "openai/gpt-5.4",
    "anthropic/claude-haiku-4-5",
    "anthropic/claude-sonnet-5",
    "google/gemini-3.8-flash",
    "deepseek/deepseek-v4-flash",
    "zai/glm-5.3",
    "mistral/mistral-medium-3.5",
)

# Who serves their own models: among many hosts of one name they are looked for first.
MAKERS = (
    "openai", "anthropic", "google", "deepseek", "moonshotai", "zai", "dashscope", "mistral", "x-ai", "minimax",
    "volcengine", "cohere",
)  # fmt: skip


def makers_first(names: Iterable[str]) -> list[str]:
    """Return `provider/model` names, those of the models' own makers before all other hosts, else as they came."""
    return sorted(names, key=lambda name: name.partition("/")[0] not in MAKERS)


def facts(provider: str, model: str, pricing: str | Path | None = None) -> ModelFacts | None:
    """Return what is known of a model besides prices, or None."""
    return _facts(pricing_folder(pricing)).get((provider, model))


@lru_cache(maxsize=4)
def _facts(folder: Path) -> Mapping[tuple[str, str], ModelFacts]:
    return read_facts(folder)


def context_window(provider: str, model: str, pricing: str | Path | None) -> int | None:
    """Return the tokens that a model takes at once, or None where that is unknown."""
    known = facts(provider, model, pricing)
    return (known.context_tokens or known.max_input_tokens) if known else None


def default_models(table: PriceTable | None = None) -> tuple[str, ...]:
    """Return the models compared first; with a table, only those that it knows."""
    return tuple(m for m in DEFAULT_MODELS if table is None or table.resolve(*m.split("/", 1)))


def reference_model() -> str:
    """Return the model that stands in for a run without a list price, unless the user chooses another."""
    return REFERENCE_MODEL


def model_names(table: PriceTable, pricing: str | Path | None = None) -> list[str]:
    """Return `provider/model` of all priced models that talk, sorted; a model of unknown kind is among them."""
    known = _facts(pricing_folder(pricing))
    return sorted(
        f"{p}/{m}" for p, m in table.rates if not (f := known.get((p, m))) or f.mode is None or f.mode in TALKING_MODES
    )


def model_part(name: str) -> str:
    """Return the part of a name that hosts share: what comes after the last slash, in small letters."""
    return name.rpartition("/")[2].lower()


def hosts_of(model: str, table: PriceTable, pricing: str | Path | None = None) -> tuple[str, ...]:
    """Return all `provider/model` names under which a model is served, by the same last part of the id."""
    wanted = model_part(model)
    return tuple(name for name in model_names(table, pricing) if model_part(name) == wanted)


def resolve(name: str, table: PriceTable) -> Resolved:
    """Return the model that `provider/model` or an exact alias means; raises UnknownModel with near matches."""
    provider, _, model = name.partition("/")
    found = (table.resolve(provider, model) if model else None) or table.resolve(None, name)
    if found is None:
        raise UnknownModel(name, near_models(name, table))
    return found


def near_models(name: str, table: PriceTable) -> tuple[str, ...]:
    """Return `provider/model` names like one that is not known, for a person to choose from; never used."""
    provider, _, model = name.partition("/")
    return near(table, provider if model else None, model or name)
