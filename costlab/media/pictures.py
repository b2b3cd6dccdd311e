"""Formulas for pictures, sent and made: one function a shape. Where a vendor published code, its floats are kept."""

from __future__ import annotations

import math
from fractions import Fraction

from costlab.media.requests import MediaRequest, sides
from costlab.media.working import NotCountable, Numbers, Worked, arrow, fit, grid, level, many, refuse_over, show


def tiles(request: MediaRequest, n: Numbers) -> Worked:
    """OpenAI tiles: base + tile x ceil(w/side) x ceil(h/side) tokens, after two shrinks; `low` is the base."""
    before, base, each = sides(request), n.whole("base"), n.whole("tile")
    if request.detail == "original":
        raise NotCountable("detail original is not offered on this model")
    if request.detail == "low":
        return Worked(base, f"detail low = {base}")
    w, h = fit(*before, n.whole("fit"))
    short, limit = min(w, h), n.whole("short")
    if short > limit:
        w, h = w * limit // short, h * limit // short
    across, down = -(-w // n.whole("side")), -(-h // n.whole("side"))
    total = base + across * down * each
    line = f"{arrow(before, (w, h))} -> {many(across * down, 'tile')}: {base} + {across * down} x {each} = {total}"
    if request.input_fidelity == "high" and "fidelity_square" in n.values:
        extra = n.whole("fidelity_square" if before[0] == before[1] else "fidelity_other")
        return Worked(total + extra, f"{line}, + {extra} for high fidelity = {total + extra}")
    return Worked(total, line)


def patches(request: MediaRequest, n: Numbers) -> Worked:
    """OpenAI patches: ceil(patches x multiplier) tokens, by the pixel limit and patch budget of each detail."""
    before, side, details = sides(request), n.whole("patch"), n.table("details")
    asked = request.detail or "auto"
    detail = n.text("auto") if asked == "auto" else asked
    if detail not in details.values:
        raise NotCountable(f"detail {detail} is not offered on this model")
    limits = details.table(detail)
    w, h = fit(*before, limits.whole("fit"))
    budget = limits.whole("patches", 0)
    shrunk = bool(budget) and -(-w // side) * -(-h // side) > budget
    if shrunk:
        w, h = _into_budget(w, h, side, budget)
    across, down = -(-w // side), -(-h // side)
    if across * down > n.whole("reject_over"):
        raise NotCountable(f"refused: {across * down} patches, over the limit of {n.whole('reject_over')}")
    factor = n.exact("multiplier")
    total = math.ceil(across * down * factor)
    why = "the current guide gives no budget for this model: the last one stated" if shrunk else ""
    return Worked(
        total,
        f"{arrow(before, (w, h))} -> {across} x {down} = {across * down} patches x {show(factor)} = {total}",
        why if n.whole("budget_not_given", 0) else "",
    )


def _into_budget(w: int, h: int, side: int, budget: int) -> tuple[int, int]:
    """Shrink so that the patches fit a budget: the guide's two factors, s and s', without their square roots.

    s = sqrt(side^2 budget / (w h)) makes floor(w s / side) = isqrt(w budget / h), and s' the smaller of the two
    ratios (side x that floor) / w and / h; so one side becomes whole patches, the other is rounded down.
    """
    across, down = max(1, math.isqrt(w * budget // h)), max(1, math.isqrt(h * budget // w))
    scale = min(Fraction(side * across, w), Fraction(side * down, h))
    return max(1, math.floor(w * scale)), max(1, math.floor(h * scale))


def claude_patches(request: MediaRequest, n: Numbers) -> Worked:
    """Anthropic: ceil(w/28) x ceil(h/28) tokens, after the published bisection into an edge and a token limit."""
    before, side = sides(request), n.whole("patch")
    refuse_over(before, n.whole("reject_side"))

    def fits(w: int, h: int) -> bool:
        across, down = -(-w // side), -(-h // side)
        return max(across, down) * side <= n.whole("edge") and across * down <= n.whole("tokens")

    long, short = max(before), min(before)
    if not fits(long, short):
        aspect = long / short
        low, high = 1, long
        while low + 1 < high:
            middle = (low + high) // 2
            if fits(middle, max(round(middle / aspect), 1)):
                low = middle
            else:
                high = middle
        long, short = low, max(round(low / aspect), 1)
    w, h = (long, short) if before[0] >= before[1] else (short, long)
    across, down = -(-w // side), -(-h // side)
    return Worked(across * down, f"{arrow(before, (w, h))} -> {across} x {down} patches = {across * down}")


def area(request: MediaRequest, n: Numbers) -> Worked:
    """Anthropic's older text: ceil(w h / 750) tokens after the long edge is shrunk, at most about 1,600."""
    before = sides(request)
    refuse_over(before, n.whole("reject_side"))
    w, h = fit(*before, n.whole("edge"))
    each, most = n.whole("pixels_a_token"), n.whole("most")
    total = -(-w * h // each)
    if total > most:
        return Worked(most, f"{arrow(before, (w, h))} / {each} = {total}, shrunk to {most}")
    return Worked(total, f"{arrow(before, (w, h))} / {each} = {total}")


def by_level(request: MediaRequest, n: Numbers) -> Worked:
    """A fixed number of tokens a picture, by media resolution."""
    asked, total = level(request, n)
    line = f"{total} a picture" if asked == "default" else f"{total} a picture at media resolution {asked}"
    if asked in n.words("at_most"):
        return Worked(total, line, "the guide's maximum; bills are lower")
    seen = n.whole("seen_up_to", 0)
    large = asked == "default" and seen and max(request.width or 0, request.height or 0) > seen
    return Worked(total, line, f"confirmed only up to {seen} px a side" if large else "")


def gemini_tiles(request: MediaRequest, n: Numbers) -> Worked:
    """Gemini 2: one tile for a small picture, else tiles of floor(short side / 1.5), and in bills one for the whole."""
    w, h = sides(request)
    if "levels" in n.values and request.media_resolution not in (None, "default"):
        return by_level(request, n)
    each, small = n.whole("tile"), n.whole("small")
    if max(w, h) <= small:
        return Worked(each, f"{w}x{h}, both sides at most {small} = {each}")
    unit = max(1, math.floor(min(w, h) / n.exact("divisor")))
    unit = min(max(unit, n.whole("least", 1)), n.whole("most", unit))
    across, down, whole = -(-w // unit), -(-h // unit), n.whole("whole")
    count = across * down + whole
    extra = f" + {whole} of the whole" if whole else ""
    line = f"{w}x{h}, tiles of {unit} -> {across} x {down}{extra} = {count} x {each} = {count * each}"
    return Worked(count * each, line)


def gemini_grid(request: MediaRequest, n: Numbers) -> Worked:
    """Gemini 3: a grid of the picture's aspect under the maximum of the media resolution; its size does not matter."""
    w, h = sides(request)
    most = level(request, n)[1]
    across, down = grid(Fraction(w), Fraction(h), most)
    return Worked(across * down, f"{w}x{h}, at most {most} -> {across} x {down} cells = {across * down}")


def smart_resize(request: MediaRequest, n: Numbers) -> Worked:
    """Qwen-VL: sides rounded to the factor, the area brought between two bounds; one token a factor x factor square."""
    (w, h), factor = sides(request), n.whole("factor")
    least, most = n.whole("min_pixels"), n.whole("max_pixels")
    if max(w, h) / min(w, h) > n.whole("aspect"):
        raise NotCountable(f"refused: an aspect ratio above {n.whole('aspect')}")
    new_w, new_h = round(w / factor) * factor, round(h / factor) * factor
    if new_w * new_h > most:
        beta = math.sqrt((h * w) / most)
        new_w = max(factor, math.floor(w / beta / factor) * factor)
        new_h = max(factor, math.floor(h / beta / factor) * factor)
    elif new_w * new_h < least:
        beta = math.sqrt(least / (h * w))
        new_w, new_h = math.ceil(w * beta / factor) * factor, math.ceil(h * beta / factor) * factor
    across, down = new_w // factor, new_h // factor
    line = f"{arrow((w, h), (new_w, new_h))} -> {across} x {down} = {across * down}"
    return Worked(across * down, f"{line}; {n.whole('markers')} markers come on top")


def pixtral(request: MediaRequest, n: Numbers) -> Worked:
    """Mistral: rows x (columns + 1) tokens, the last of each row a break or the end; the long side shrunk."""
    w, h = sides(request)
    ratio = max(w, h) / n.whole("most")
    new_w, new_h = (max(1, round(w / ratio)), max(1, round(h / ratio))) if ratio > 1 else (w, h)
    cell = n.whole("patch") * n.whole("merge")
    across, down = (new_w - 1) // cell + 1, (new_h - 1) // cell + 1
    total = down * (across + 1)
    return Worked(total, f"{arrow((w, h), (new_w, new_h))} -> {down} rows of {across} + 1 = {total}")


def llama_tiles(request: MediaRequest, n: Numbers) -> Worked:
    """Llama 4: 144 tokens a tile of the best fitting canvas, a separator after each, a tile of the whole, 3 markers."""
    (w, h), tile, most = sides(request), n.whole("tile"), n.whole("most")
    each = (tile // n.whole("patch")) ** 2 // n.whole("shuffle")
    canvases = [(a, d) for a in range(1, most + 1) for d in range(1, most // a + 1)]
    scales = {c: min(Fraction(c[0] * tile, w), Fraction(c[1] * tile, h)) for c in canvases}
    larger = [s for s in scales.values() if s >= 1]
    chosen = min(larger) if larger else max(scales.values())
    across, down = min((c for c in canvases if scales[c] == chosen), key=lambda c: c[0] * c[1])
    count = across * down
    if count == 1:
        return Worked(each + 3, f"{w}x{h} -> 1 tile: {each} + 3 markers = {each + 3}")
    total = count * (each + 1) + each + 3
    return Worked(
        total, f"{w}x{h} -> {across} x {down} tiles: {count} x {each} + {count} separators + {each} + 3 = {total}"
    )


def small_tiles(request: MediaRequest, n: Numbers) -> Worked:
    """Grok's older guide: (tiles + 1) x 256 tokens, tiles of 448 px, at most 6 of them."""
    (w, h), side = sides(request), n.whole("side")
    count = min(-(-w // side) * -(-h // side), n.whole("most"))
    extra, each = n.whole("extra"), n.whole("tile")
    total = (count + extra) * each
    return Worked(total, f"{w}x{h} -> {many(count, 'tile')} + {extra} = {count + extra} x {each} = {total}")


def by_area(request: MediaRequest, n: Numbers) -> Worked:
    """Nova: between the guide's examples by area, after small pictures are enlarged to 900 px on their long side."""
    w, h = sides(request)
    refuse_over((w, h), n.whole("most_side"))
    scale = max(Fraction(1), Fraction(n.whole("long"), max(w, h)))
    pixels = w * h * scale * scale
    points = [(0, 0), *sorted((int(k), int(str(v))) for k, v in n.table("points").values.items())]
    upper = next((i for i, p in enumerate(points) if p[0] >= pixels), None)
    if upper is None:
        total = round(pixels * points[-1][1] / points[-1][0])
    else:
        (x0, y0), (x1, y1) = points[max(upper - 1, 0)], points[max(upper, 1)]
        total = round(y0 + (pixels - x0) * Fraction(y1 - y0, x1 - x0))
    return Worked(total, f"{w}x{h}, {int(pixels)} pixels as the model sees it = {total}")


def sizes(request: MediaRequest, n: Numbers) -> Worked:
    """A generated picture: tokens by quality and size from the vendor's table, and partial pictures on top."""
    qualities = n.table("qualities")
    if request.size is not None or request.width is None:
        size = (request.size or "").lower().replace("×", "x")
    else:
        size = f"{request.width}x{request.height}"
    quality = "any" if "any" in qualities.values else (request.quality or "").lower()
    if quality not in qualities.values:
        raise NotCountable(f"say the quality: {', '.join(qualities.values)}")
    table = qualities.table(quality)
    if size not in table.values and ("any" not in n.values or (size and table.values)):
        raise NotCountable(f"say the size: {', '.join(table.values)}")
    total = table.whole(size) if size in table.values else n.whole("any")
    extra = request.partial_images * n.whole("partial")
    named = " ".join(word for word in (size, "" if quality == "any" else quality) if word) or "a picture"
    return Worked(total + extra, f"{named} = {total}" + (f", + {extra} for partial pictures" if extra else ""))
