"""Whose own API a bare model name means: providers in order of preference, each with what its names begin with.

An empty beginning: the provider serves its own models only. Providers that serve others' models too are named with
the beginnings of their own.
"""

from __future__ import annotations

MAKERS: tuple[tuple[str, str], ...] = (
    ("openai", ""), ("anthropic", ""),
    *(("google", p) for p in ("gemini", "gemma", "imagen", "veo", "learnlm", "lyria", "deep-research")),
    *(("mistral", p) for p in ("mistral", "ministral", "magistral", "codestral", "devstral", "pixtral", "voxtral",
                               "mixtral", "open-mi", "labs-")),
    ("deepseek", "deepseek"), ("x-ai", "grok"), ("cohere", ""), ("moonshotai", ""), ("zai", "glm"),
    ("minimax", ""), ("perplexity", "sonar"), ("perplexity", "pplx"), ("voyageai", ""), ("meta", "muse"),
    *(("dashscope", p) for p in ("qwen", "qwq", "qvq", "wan", "text-embedding-v")),
    *(("volcengine", p) for p in ("doubao", "seed")),
    ("ai21", ""), ("xiaomi_mimo", ""), ("inception", ""), ("stability", ""), ("black_forest_labs", ""),
    ("elevenlabs", ""), ("deepgram", ""), ("assemblyai", ""), ("jina_ai", ""), ("gigachat", ""), ("zhipuai", "glm"),
    ("arcee", ""), ("amazon_nova", "nova"), ("runwayml", ""), ("recraft", ""),
)  # fmt: skip
