"""The sources as they are published, for `prices refresh --online`: two files over https, bounded in size and time.

This is the only module that reaches the network, and it is only used when the user asks for it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from costlab.catalog import genai_map, litellm_map
from costlab.catalog.refresh import Sources
from costlab.errors import CostLabError, TooLarge
from costlab.files import parse_json

LITELLM_URL = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
GENAI_URL = "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json"
MAX_BYTES = 64 * 2**20
SECONDS = 60.0
_CHUNK = 2**18


class _HttpsOnly(HTTPRedirectHandler):
    """Follows a redirect only to another https address."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the request of the new address; raises CostLabError if it is not https."""
        _must_be_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _must_be_https(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise CostLabError(f"prices are only fetched over https, not from {url[:120]}")


def fetch(
    url: str, *, limit: int = MAX_BYTES, seconds: float = SECONDS, context: ssl.SSLContext | None = None
) -> bytes:
    """Return the bytes at an https address; raises TooLarge past `limit`, CostLabError for all else that goes wrong.

    `seconds` bounds the whole time; `context` holds the certificates that are trusted (default: the system's).
    """
    _must_be_https(url)
    until = time.monotonic() + seconds
    try:
        with _opener(context).open(Request(url, headers={"User-Agent": "costlab"}), timeout=seconds) as answer:
            data = bytearray()
            while piece := answer.read1(_CHUNK):
                data += piece
                if len(data) > limit:
                    raise TooLarge(f"has more than {limit} bytes, the most that is read", file=url)
                if time.monotonic() > until:
                    raise CostLabError(f"{url}: took more than {seconds:g} seconds")
    except (OSError, HTTPException) as problem:
        raise CostLabError(f"{url}: cannot be fetched: {problem}"[:300]) from None
    return bytes(data)


def _opener(context: ssl.SSLContext | None) -> OpenerDirector:
    return build_opener(HTTPSHandler(context=context or ssl.create_default_context()), _HttpsOnly())


def published(
    today: date, *, get: Callable[[str], bytes] = fetch, urls: tuple[str, str] = (LITELLM_URL, GENAI_URL)
) -> Sources:
    """Return both sources as published; raises CostLabError, or BadInput for a file that is not what it should be."""
    litellm, genai = get(urls[0]), get(urls[1])
    versions: Mapping[str, str] = {
        "litellm": f"{today.isoformat()} {sha256(litellm).hexdigest()[:8]}",
        "genai-prices": f"{today.isoformat()} {sha256(genai).hexdigest()[:8]}",
    }
    providers = genai_map.read(parse_json(genai, file=urls[1]), urls[1])
    return Sources(litellm_map.parse(litellm, urls[0]), providers, versions)
