"""Media asked about by themselves: tokens and money on several models, levels, tracks of a film, refusals."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

import costlab as cl
from costlab.ui.pictures import MOST_BYTES, size_of
from costlab.ui.sizes import TAKERS

D = Decimal
M = D(1_000_000)
SQUARE = {"kind": "image", "width": 1_024, "height": 1_024}


def one(model: str, request: dict[str, object], table: cl.PriceTable, level: str = "") -> cl.MediaQuote:
    """Return the quote of one medium on one model."""
    return cl.price_media(request, [model], table, levels=(level,))[0]


def test_a_picture_has_the_tokens_of_its_formula_at_the_price_of_input(shipped: cl.PriceTable) -> None:
    found = one("openai/gpt-4o", SQUARE, shipped)
    assert found.tokens.tokens == 765  # 85 + 4 tiles x 170
    assert found.cost is not None
    assert found.cost.total == 765 * D("2.5") / M
    low = one("openai/gpt-4o", SQUARE, shipped, "low")
    assert (low.tokens.tokens, low.levels) == (85, ("low", "high"))


def test_levels_are_said_as_each_vendor_says_them(shipped: cl.PriceTable) -> None:
    gemini = one("google/gemini-3.8-flash", SQUARE, shipped, "low")
    assert gemini.levels == ("low", "medium", "high", "ultra_high")
    assert gemini.tokens.tokens == 256  # 16 x 16 cells, at most 280
    refused = one("google/gemini-3.8-flash", SQUARE, shipped, "original")
    assert (refused.tokens.tokens, refused.cost) == (None, None)
    assert "no level original" in str(refused.tokens.error)
    claude = {one("anthropic/claude-haiku-4-5", SQUARE, shipped, level).tokens.tokens for level in ("", "low", "high")}
    assert claude == {1_369}  # 37 x 37 patches, whatever the level: there is none


def test_no_formula_is_not_zero(shipped: cl.PriceTable) -> None:
    unknown = one("zai/glm-5.3", SQUARE, shipped)
    assert (unknown.tokens.tokens, unknown.cost, unknown.known) == (None, None, False)
    refused = one("anthropic/claude-haiku-4-5", {**SQUARE, "width": 9_000}, shipped)
    assert (refused.tokens.tokens, refused.known) == (None, True)
    frame = cl.frames.media((unknown, refused, one("openai/gpt-4o", SQUARE, shipped)))
    assert list(frame["state"]) == ["known", "unknown", "refused"]
    assert frame["usd"].isna().tolist() == [False, True, True]


def test_a_films_sound_is_priced_where_its_vendor_reports_it(shipped: cl.PriceTable) -> None:
    film = {"kind": "video", "seconds": 60, "audio": True}
    older = one("google/gemini-2.5-flash", film, shipped)
    assert older.tokens.tokens == 60 * 263 + 60 * 32
    assert older.cost is not None
    assert older.cost.total == (15_780 * D("0.3") + 1_920 * D(1)) / M  # sound has its own, dearer rate
    newer = one("google/gemini-3.8-flash", film, shipped)
    assert newer.cost is not None
    assert [(line.unit, line.quantity) for line in newer.cost.lines] == [("input_video_tokens", 60 * 66 + 60 * 25)]
    silent = one("google/gemini-2.5-flash", {"kind": "video", "seconds": 60}, shipped)
    assert silent.tokens.tokens == 15_780


@pytest.mark.parametrize("kind", sorted(TAKERS))
def test_the_models_offered_for_a_kind_can_count_it(shipped: cl.PriceTable, kind: str) -> None:
    how = {
        "audio": {"seconds": 60},
        "video": {"seconds": 60, "audio": True},
        "document": {"pages": 3, "page_size": "a4"},
    }
    found = cl.price_media({"kind": kind, **how[kind]}, TAKERS[kind], shipped)
    assert all(quote.tokens.tokens and quote.cost and quote.cost.total > 0 for quote in found)


def test_a_wrong_size_names_its_field(shipped: cl.PriceTable) -> None:
    with pytest.raises(cl.BadInput, match="width"):
        one("openai/gpt-4o", {"kind": "image", "width": 0, "height": 5}, shipped)
    with pytest.raises(cl.UnknownModel):
        one("openai/gpt-99", SQUARE, shipped)


def test_a_grid_has_a_row_a_model_and_a_column_a_level(shipped: cl.PriceTable) -> None:
    names = ["openai/gpt-4o", "zai/glm-5.3"]
    columns = {level: cl.price_media(SQUARE, names, shipped, levels=(level,)) for level in ("low", "high")}
    frame = cl.frames.media_grid(columns)
    assert frame.iloc[0].to_list() == ["openai/gpt-4o", 85.0, 765.0]
    assert frame.iloc[1, 1:].isna().all()
    money = cl.frames.media_grid(columns, 1_000)
    assert money.iloc[0, 1] == pytest.approx(85 * 2.5 / 1_000)  # 1,000 pictures of 85 tokens at 2.50 USD per million


# ---- uploads: only the header is read


def picture(kind: str, width: int, height: int) -> bytes:
    """Return a picture's bytes."""
    out = BytesIO()
    Image.new("1" if kind == "PNG" else "RGB", (width, height)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_the_size_of_a_picture(kind: str) -> None:
    assert size_of(picture(kind, 64, 48), "a") == (64, 48)
    assert size_of(picture(kind, 64, 48)[:800], "a") == (64, 48)  # cut after its header: the rest is not looked at


def test_a_bomb_is_refused_by_its_header() -> None:
    small = picture("PNG", 8, 8)
    for side in (12_000, 30_000):  # 144 and 900 million pixels, in a file of some hundred bytes
        header = side.to_bytes(4, "big") * 2 + small[24:29]
        bomb = small[:16] + header + crc(b"IHDR" + header) + small[33:]
        with pytest.raises(cl.TooLarge, match=r"a\.png: says more than 100,000,000 pixels"):
            size_of(bomb, "a.png")


def crc(data: bytes) -> bytes:
    """Return a PNG chunk's checksum."""
    from zlib import crc32

    return crc32(data).to_bytes(4, "big")


def test_what_is_no_picture_is_refused() -> None:
    for data in (b"", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"<svg/>", picture("JPEG", 8, 8)[:10]):
        with pytest.raises(cl.BadInput, match="a: not a picture that can be read"):
            size_of(data, "a")
    with pytest.raises(cl.TooLarge, match="a: has more than 20 MB"):
        size_of(bytes(MOST_BYTES + 1), "a")
