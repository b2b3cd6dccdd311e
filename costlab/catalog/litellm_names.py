"""What a key of litellm's map names: provider, model id as the API takes it, and conditions spelled into the key."""

from __future__ import annotations

import re
from collections.abc import Mapping

from costlab.prices import When

# litellm's provider ids -> ours (genai-prices' id where it has one; Vertex apart). Others keep litellm's id.
PROVIDERS: Mapping[str, str] = {
    "text-completion-openai": "openai",
    "azure_ai": "azure", "azure_text": "azure",
    "bedrock": "aws", "bedrock_converse": "aws", "bedrock_mantle": "aws",
    "gemini": "google",
    "together_ai": "together",
    "fireworks_ai": "fireworks", "fireworks_ai-embedding-models": "fireworks",
    "xai": "x-ai",
    "voyage": "voyageai",
    "moonshot": "moonshotai",
    "github_copilot": "github-copilot",
    "cohere_chat": "cohere",
    "text-completion-codestral": "codestral",
    "text-completion-inception": "inception",
}  # fmt: skip
# Spellings that people and tools use for a provider, beside litellm's above.
SPELLINGS: Mapping[str, str] = {
    "bedrock": "aws", "aws_bedrock": "aws", "aws-bedrock": "aws", "amazon": "aws", "amazon_bedrock": "aws",
    "amazon-bedrock": "aws", "aws.bedrock": "aws",
    "vertex": "google-vertex", "vertex_ai": "google-vertex", "vertexai": "google-vertex", "vertex-ai": "google-vertex",
    "google_vertex": "google-vertex", "gcp.vertex_ai": "google-vertex", "google-vertex-ai": "google-vertex",
    "gemini": "google", "google-gla": "google", "google_genai": "google", "google-genai": "google",
    "gcp.gemini": "google", "gcp.gen_ai": "google", "google_ai": "google", "google-ai-studio": "google",
    "xai": "x-ai", "x_ai": "x-ai", "grok": "x-ai",
    "copilot": "github-copilot", "github_copilot": "github-copilot", "github-copilot-chat": "github-copilot",
    "together_ai": "together", "together-ai": "together", "togetherai": "together",
    "fireworks_ai": "fireworks", "fireworks-ai": "fireworks",
    "azure_openai": "azure", "azure-openai": "azure", "azure_ai": "azure", "az.ai.openai": "azure",
    "az.ai.inference": "azure", "azure.ai.openai": "azure", "azure.ai.inference": "azure",
    "mistralai": "mistral", "mistral_ai": "mistral", "mistral-ai": "mistral",
    "moonshot": "moonshotai", "moonshot_ai": "moonshotai", "kimi": "moonshotai",
    "voyage": "voyageai", "voyage_ai": "voyageai",
    "z-ai": "zai", "z.ai": "zai", "z_ai": "zai", "zhipu": "zhipuai", "zhipu_ai": "zhipuai", "bigmodel": "zhipuai",
    "alibaba": "dashscope", "aliyun": "dashscope", "model-studio": "dashscope",
    "bytedance": "volcengine", "doubao": "volcengine", "ark": "volcengine",
    "cohere_chat": "cohere", "deep_infra": "deepinfra", "openai_chat": "openai", "openai-responses": "openai",
    # The names that routers give to those who served a call.
    "amazon bedrock": "aws", "google vertex": "google-vertex", "google ai studio": "google",
    "moonshot ai": "moonshotai", "friendli": "friendliai", "mistral ai": "mistral", "together ai": "together",
    "llamacpp": "llama.cpp", "llama_cpp": "llama.cpp", "llama-cpp": "llama.cpp", "lm_studio": "lmstudio",
    "lm-studio": "lmstudio", "hosted_vllm": "vllm", "ollama_chat": "ollama",
}  # fmt: skip
_QUALITY = ("low", "medium", "high", "xhigh", "max", "standard", "hd")
_AZURE_REGIONS = ("eu", "us", "apac", "us-gov", "global", "global-standard")
_AWS_REGION = re.compile(r"[a-z]{2}(-gov)?-[a-z]+-\d$")


def provider_of(litellm_provider: str) -> str:
    """Return our provider id of litellm's."""
    if litellm_provider.startswith("vertex_ai"):
        return "google-vertex"
    return PROVIDERS.get(litellm_provider, litellm_provider)


def identity(key: str, litellm_provider: str) -> tuple[str, str, When] | None:
    """Return (provider, model, conditions) of a key, or None for reserved capacity, which no call is billed by."""
    if "-commitment/" in key:
        return None
    provider = provider_of(litellm_provider)
    rest = _without_prefix(key, litellm_provider)
    when: dict[str, str] = {}
    if litellm_provider == "bedrock_mantle":
        when["route"] = "mantle"
    if provider == "azure":
        head, _, tail = rest.partition("/")
        if tail and head in _AZURE_REGIONS:
            when["region"], rest = head.removesuffix("-standard"), tail
    if provider == "aws":
        rest = rest.removeprefix("bedrock/")
        head, _, tail = rest.partition("/")
        if tail and _AWS_REGION.match(head):
            when["region"], rest = head, tail
        rest = rest.removeprefix("invoke/")
    rest = _image_conditions(rest, when)
    if provider in ("aws", "fal_ai"):
        rest = rest.removeprefix("bedrock/").removeprefix("fal_ai/")
    return provider, rest, tuple(sorted(when.items()))


def _without_prefix(key: str, litellm_provider: str) -> str:
    family = "vertex_ai" if litellm_provider.startswith("vertex_ai") else litellm_provider
    for prefix in (litellm_provider, family, litellm_provider.removesuffix("-embedding-models"), "amazon-nova"):
        if key.startswith(f"{prefix}/"):
            return key.removeprefix(f"{prefix}/")
    if litellm_provider == "azure_text" and key.startswith("azure/"):
        return key.removeprefix("azure/")
    return key


def _image_conditions(rest: str, when: dict[str, str]) -> str:
    """Take leading `quality/`, `WxH/` and `N-steps/` off a key; they are conditions of an image model's price."""
    parts = rest.split("/")
    taken: list[str] = []
    while len(parts) > 1:
        head = parts[0]
        size = re.fullmatch(r"(\d+|max)-x-(\d+|max)", head)
        if size and "size" not in when:
            when["size"] = f"{size[1]}x{size[2]}"
        elif "quality" not in when and (head.endswith("-steps") or (head in _QUALITY and not taken)):
            when["quality"] = head
        else:
            break
        taken.append(parts.pop(0))
    return "/".join(parts)
