"""Headers of usage tables and the fields that they mean: a suggestion, which whoever imports may change.

Spellings: the OpenAI and Anthropic APIs and usage exports, LiteLLM's spend logs, Helicone, Langfuse, OpenRouter, OTel
GenAI and OpenInference attributes, and plain English. A header that fits two fields, or none surely, is left open:
`latency` alone says no unit, and `cost` in a table may be of input only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from costlab.importers.buckets import snake

# In the order of a form. For each field the spellings in one writing (see `snake`), the surest first.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "model": (
        "gen_ai_response_model", "response_model", "model", "model_name", "gen_ai_request_model", "request_model",
        "provided_model_name", "model_version", "llm_model_name", "model_id", "llm", "model_permaslug", "模型",
    ),
    "provider": (
        "gen_ai_provider_name", "gen_ai_system", "custom_llm_provider", "provider", "provider_name", "llm_provider",
        "model_provider", "vendor", "供应商",
    ),
    "input_tokens": (
        "gen_ai_usage_input_tokens", "input_tokens", "prompt_tokens", "gen_ai_usage_prompt_tokens",
        "usage_input_tokens_no_cache", "usage_input_tokens", "usage_prompt_tokens", "input_uncached_tokens",
        "llm_token_count_prompt", "native_tokens_prompt", "tokens_prompt", "prompt_token_count",
        "n_context_tokens_total", "input_usage", "usage_input", "tokens_in", "tokens_input", "token_in", "input",
        "prompt", "输入tokens", "输入",
    ),
    "output_tokens": (
        "gen_ai_usage_output_tokens", "output_tokens", "completion_tokens", "gen_ai_usage_completion_tokens",
        "usage_output_tokens", "usage_completion_tokens", "llm_token_count_completion", "native_tokens_completion",
        "tokens_completion", "candidates_token_count", "n_generated_tokens_total", "output_usage", "usage_output",
        "tokens_out", "tokens_output", "token_out", "output", "completion", "输出tokens", "输出",
    ),
    "cache_read_tokens": (
        "gen_ai_usage_cache_read_input_tokens", "cache_read_input_tokens", "usage_input_tokens_cache_read",
        "prompt_cache_read_tokens", "cache_read_tokens", "input_cached_tokens", "cached_tokens", "cached_input_tokens",
        "prompt_tokens_details_cached_tokens", "input_tokens_details_cached_tokens", "tokens_cached",
        "native_tokens_cached", "llm_token_count_prompt_details_cache_read", "cached_content_token_count",
        "prompt_cache_hit_tokens", "cache_read", "cached", "cache_hit_tokens", "缓存",
    ),
    "cache_write_tokens": (
        "gen_ai_usage_cache_creation_input_tokens", "cache_creation_input_tokens", "prompt_cache_write_tokens",
        "cache_write_tokens", "cache_creation_tokens", "cache_write_input_tokens",
        "llm_token_count_prompt_details_cache_write", "cache_write", "cache_creation",
    ),
    "cache_write_5m_tokens": ("usage_input_tokens_cache_write_5m", "cache_write_5m_tokens", "cache_write_5m",
                              "ephemeral_5m_input_tokens"),
    "cache_write_1h_tokens": ("usage_input_tokens_cache_write_1h", "cache_write_1h_tokens", "cache_write_1h",
                              "ephemeral_1h_input_tokens"),
    "output_reasoning_tokens": (
        "gen_ai_usage_reasoning_output_tokens", "gen_ai_usage_output_reasoning_tokens", "reasoning_tokens",
        "output_reasoning_tokens", "completion_tokens_details_reasoning_tokens", "tokens_reasoning",
        "output_tokens_details_reasoning_tokens", "native_tokens_reasoning", "thoughts_token_count", "thinking_tokens",
        "llm_token_count_completion_details_reasoning", "reasoning_output_tokens", "reasoning", "thinking", "推理",
    ),
    "started_at": (
        "start_time", "started_at", "timestamp", "request_created_at", "created_at", "start_time_iso", "time",
        "created", "usage_date_utc", "datetime", "date", "ts", "时间", "日期",
    ),
    "duration_s": ("duration_s", "duration_seconds", "latency_s", "latency_seconds", "duration_sec", "elapsed_s",
                   "response_time_s", "seconds"),
    "duration_ms": ("duration_ms", "request_duration_ms", "latency_ms", "elapsed_ms", "response_time_ms", "delay_ms",
                    "generation_time_ms", "time_ms"),
    "run": ("run_id", "trace_id", "session_id", "conversation_id", "gen_ai_conversation_id", "run", "trace", "session",
            "task_id", "helicone_session_id", "运行"),
    "step": ("step", "step_number", "step_id", "turn", "iteration", "步骤"),
    "call": ("request_id", "response_id", "gen_ai_response_id", "generation_id", "call_id", "message_id"),
    "stated_cost": ("total_cost", "cost_usd", "total_cost_usd", "usd", "spend", "cost", "response_cost", "cost_total",
                    "费用", "成本"),
}  # fmt: skip
TABLE_FIELDS = tuple(_SPELLINGS)


def guessed(headers: Iterable[str]) -> dict[str, str]:
    """Return the header that each field most surely has; a header that stands twice is nobody's."""
    written: dict[str, list[str]] = {}
    for header in headers:
        written.setdefault(_spelt(header), []).append(header)
    found = {}
    for field, spellings in _SPELLINGS.items():
        fitting = [written[one][0] for one in spellings if len(written.get(one, ())) == 1]
        if fitting:
            found[field] = fitting[0]
    return found


def _spelt(header: str) -> str:
    return snake(header) if header.isascii() else header.strip().lower().replace(" ", "")
