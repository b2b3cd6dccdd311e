"""Who served a call, from the words that traces use: provider ids are genai-prices' own where it has one.

A framework's name (langchain, smolagents, litellm) is no provider: then it is unknown (''), and the model's own name
has to say it, as it does for a bare model id (its maker's API).
"""

from __future__ import annotations

from urllib.parse import urlsplit

_IDS = frozenset((
    "anthropic", "arcee", "aws", "azure", "baseten", "cerebras", "cloudflare", "cohere", "databricks", "deepinfra",
    "deepseek", "elevenlabs", "fireworks", "github-copilot", "google", "google-vertex", "groq", "huggingface",
    "hyperbolic", "meta", "minimax", "mistral", "moonshotai", "nebius", "novita", "nvidia_nim", "ollama", "openai",
    "openrouter", "ovhcloud", "perplexity", "replicate", "sambanova", "together", "vllm", "voyageai", "watsonx",
    "x-ai", "zai", "zhipuai", "dashscope", "volcengine", "lmstudio", "llama.cpp", "local",
))  # fmt: skip
# OTel GenAI's `gen_ai.provider.name` and the older `gen_ai.system`, the AI SDK's and LiteLLM's words.
_WORDS = {
    "amazon-bedrock": "aws", "amazon_bedrock": "aws", "aws.bedrock": "aws", "aws_bedrock": "aws", "bedrock": "aws",
    "bedrock_converse": "aws", "az.ai.inference": "azure", "az.ai.openai": "azure", "azure-openai": "azure",
    "azure.ai.inference": "azure", "azure.ai.openai": "azure", "azure_ai": "azure", "azure_openai": "azure",
    "gcp.gemini": "google", "gcp.gen_ai": "google", "gemini": "google", "google-gla": "google",
    "google.generative-ai": "google", "google_genai": "google", "gcp.vertex_ai": "google-vertex",
    "gcp.vertex.agent": "google-vertex", "google-vertex": "google-vertex", "google.vertex": "google-vertex",
    "vertex_ai": "google-vertex", "vertexai": "google-vertex", "vertex": "google-vertex",
    "google_vertexai": "google-vertex", "mistral_ai": "mistral", "mistralai": "mistral", "xai": "x-ai",
    "x_ai": "x-ai", "moonshot": "moonshotai", "moonshot_ai": "moonshotai", "moonshot-ai": "moonshotai",
    "kimi": "moonshotai", "together_ai": "together", "togetherai": "together", "together-ai": "together",
    "fireworks_ai": "fireworks", "fireworks-ai": "fireworks", "github_copilot": "github-copilot",
    "copilot": "github-copilot", "hf": "huggingface", "hf-inference": "huggingface", "ibm.watsonx.ai": "watsonx",
    "lm_studio": "lmstudio", "lm-studio": "lmstudio", "ollama_chat": "ollama", "llama_cpp": "llama.cpp",
    "hosted_vllm": "vllm", "z-ai": "zai", "z.ai": "zai", "zhipu": "zhipuai", "qwen": "dashscope",
    "cohere_chat": "cohere", "voyage": "voyageai",
}  # fmt: skip
_HOSTS = (
    ("api.openai.com", "openai"), ("openai.azure.com", "azure"), ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"), ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"), ("aiplatform.googleapis.com", "google-vertex"),
    ("api.mistral.ai", "mistral"), ("api.groq.com", "groq"), ("api.x.ai", "x-ai"), ("api.deepseek.com", "deepseek"),
    ("api.cohere.com", "cohere"), ("api.cohere.ai", "cohere"), ("openrouter.ai", "openrouter"),
    ("api.perplexity.ai", "perplexity"), ("api.together.xyz", "together"), ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"), ("api.moonshot.ai", "moonshotai"), ("api.moonshot.cn", "moonshotai"),
    ("api.cerebras.ai", "cerebras"), ("api.z.ai", "zai"), ("open.bigmodel.cn", "zhipuai"),
    ("router.huggingface.co", "huggingface"), ("api-inference.huggingface.co", "huggingface"),
    ("api.githubcopilot.com", "github-copilot"), ("api.novita.ai", "novita"), ("api.deepinfra.com", "deepinfra"),
    ("dashscope.aliyuncs.com", "dashscope"), ("dashscope-intl.aliyuncs.com", "dashscope"),
    ("volces.com", "volcengine"), ("api.voyageai.com", "voyageai"), ("api.minimax.io", "minimax"),
)  # fmt: skip
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal")


def provider_of(word: str) -> str:
    """Return the provider's id for a trace's word ('openai.responses', 'gcp.vertex_ai'), '' for an unknown one."""
    spoken = word.strip().lower()
    while spoken:
        if spoken in _WORDS:
            return _WORDS[spoken]
        if spoken in _IDS:
            return spoken
        spoken = spoken.rpartition(".")[0]
    return ""


def provider_at(address: str) -> str:
    """Return who answers at a URL or host name: a provider's id, 'local', or '' for an unknown one."""
    host = (urlsplit(address).hostname if "//" in address else address.split("/")[0].rpartition("@")[2]) or ""
    host = host.lower()
    bare = host if host.count(":") > 1 else host.partition(":")[0]
    if bare in _LOCAL_HOSTS:
        return "local"
    if bare.startswith("bedrock") and bare.endswith(".amazonaws.com"):
        return "aws"
    return next((who for name, who in _HOSTS if bare == name or bare.endswith(("." + name, "-" + name))), "")


def served_by(model: str, *words: str) -> tuple[str, str]:
    """Return (provider, model) from a model's name and words for its provider, the surest word first.

    A name that carries its provider (`mistral/mistral-small-latest`) gives it away where no word does, and loses it
    where the word says the same. A publisher's prefix (`Qwen/Qwen3-8B`) belongs to the name.
    """
    who = next((found for word in words if (found := provider_of(word))), "")
    prefix, slash, rest = model.partition("/")
    named = provider_of(prefix) if slash and rest else ""
    if named and who in ("", named):
        return named, rest
    return who, model


def answered_by(model: str, message_id: str) -> tuple[str, str]:
    """Return (provider, model) of an answer in Anthropic's form: a cloud's ids say so, other makers' models too.

    Bedrock's message ids begin with `msg_bdrk_` and Vertex's with `msg_vrtx_`, whoever passed them on. A client of
    Anthropic's API may be pointed at another maker's (Z.ai, Moonshot, DeepSeek): then the model's name says it.
    """
    if message_id.startswith("msg_bdrk_") or "anthropic.claude" in model:
        return "aws", model
    if message_id.startswith("msg_vrtx_"):
        return "google-vertex", model
    return served_by(model) if model and not model.startswith("claude") else ("anthropic", model)
