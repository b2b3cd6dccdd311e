"""What litellm and genai-prices say of calls: JSON lines in, one answer a line out. Run in a process of its own.

litellm takes seconds to import and sets up handlers and threads, which other tests should not see.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import Any


def litellm_usd(pair: dict[str, Any]) -> float:
    """Return litellm's USD for counts on one key of its map, standard or in a tier."""
    import litellm
    from litellm.types.utils import (
        CacheCreationTokenDetails,
        CompletionTokensDetailsWrapper,
        ModelResponse,
        PromptTokensDetailsWrapper,
        Usage,
    )

    counts = pair["counts"]
    writes = {f"ephemeral_{ttl}_input_tokens": counts.get(f"cache_write_{ttl}_tokens", 0) for ttl in ("5m", "1h")}
    usage = Usage(
        prompt_tokens=counts["input_tokens"],
        completion_tokens=counts["output_tokens"],
        total_tokens=counts["input_tokens"] + counts["output_tokens"],
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=counts.get("cache_read_tokens", 0),
            cache_creation_tokens=counts.get("cache_write_tokens", 0),
            cache_creation_token_details=CacheCreationTokenDetails(**writes) if any(writes.values()) else None,
            audio_tokens=counts.get("input_audio_tokens", 0),
            image_tokens=counts.get("input_image_tokens", 0),
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=counts.get("output_reasoning_tokens", 0)
        ),
    )
    tier, whose = pair["when"].get("service_tier"), pair["litellm_provider"]
    if pair["when"].get("processing"):  # completion_cost has no word for a batch
        sides = litellm.cost_per_token(
            model=pair["key"], custom_llm_provider=whose, usage_object=usage, call_type="retrieve_batch"
        )
        return float(sum(sides))
    body = ModelResponse(model=pair["key"], usage=usage)
    return float(
        litellm.completion_cost(body, model=pair["key"], custom_llm_provider=whose, service_tier=tier)  # type: ignore[no-untyped-call,unused-ignore]
    )


def genai_usd(pair: dict[str, Any]) -> str:
    """Return genai-prices' USD for counts on one of its models at a moment, as a decimal string."""
    from genai_prices import Usage, calc_price

    found = calc_price(
        Usage(**pair["counts"]), pair["model"], provider_id=pair["provider"],
        genai_request_timestamp=datetime.fromisoformat(pair["at"]), price_context=pair["when"] or None,
    )  # fmt: skip
    return str(found.total_price)


def main() -> None:
    """Answer every line: {"usd"} or {"error"}."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    answers, sys.stdout = sys.stdout, sys.stderr  # litellm prints advice to stdout
    for line in sys.stdin:
        pair = json.loads(line)
        try:
            said = {"usd": str(litellm_usd(pair) if pair["tool"] == "litellm" else genai_usd(pair))}
        except (ValueError, LookupError) as problem:
            said = {"error": f"{type(problem).__name__}: {str(problem)[:200]}"}
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main()
