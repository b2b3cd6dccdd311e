"""Formulas for sound, films and pages: one function a shape."""

from __future__ import annotations

import math
from fractions import Fraction

from costlab.errors import BadInput
from costlab.media.requests import MediaRequest, page_shape
from costlab.media.working import NotCountable, Numbers, Worked, exact, grid, level, many, rounded, show


def per_second(request: MediaRequest, n: Numbers) -> Worked:
    """Sound (or a generated film): a fixed number of tokens a second."""
    seconds, rate = exact(request.seconds, "seconds"), n.exact("per_second")
    total = rounded(seconds * rate, n.text("round"))
    return Worked(total, f"{show(seconds)} s x {show(rate)} = {total}")


def _film(request: MediaRequest, n: Numbers, each: int, cells: str) -> Worked:
    """Return frames x tokens a frame, and the sound where it is asked for."""
    seconds = exact(request.seconds, "seconds")
    fps = n.exact("fps") if request.fps is None or n.whole("fps_fixed", 0) else exact(request.fps, "fps")
    count = max(rounded(seconds * fps, n.text("round")), 1 if seconds else 0)
    count = min(count, n.whole("most_frames", count))
    frames = f"{show(seconds)} s x {show(fps)} fps -> {many(count, 'frame')} x {each}{cells}"
    track = (request.track or "").lower()
    alone = "audio" in track or "sound" in track
    sound, rate = 0, n.exact("sound_per_second") if "sound_per_second" in n.values else Fraction(0)
    if alone or (request.audio and not track):
        if not rate:
            return Worked(
                0 if alone else count * each, f"{frames} = {count * each}; sound is not counted by this model"
            )
        sound = rounded(seconds * rate, n.text("sound_round"))
    if alone:
        return Worked(sound, f"sound track: {show(seconds)} s x {show(rate)} = {sound}")
    total = count * each + sound
    if sound:
        return Worked(total, f"{frames} + {sound} of sound ({show(rate)} a second) = {total}")
    return Worked(total, f"{frames} = {total}" + (f"; sound would add {show(rate)} a second" if rate else ""))


def video_frames(request: MediaRequest, n: Numbers) -> Worked:
    """A film as sampled frames of a fixed number of tokens, each with its time stamp, and its sound."""
    picture, stamp = level(request, n)[1], n.whole("stamp")
    return _film(request, n, picture + stamp, f" ({picture} + {stamp} of time stamp)" if stamp else "")


def video_grid(request: MediaRequest, n: Numbers) -> Worked:
    """A Gemini 3 film: each frame a grid of its aspect under a maximum (a square one on Vertex), and its sound."""
    most = level(request, n)[1]
    guess = ""
    if n.whole("square", 0):
        shape = (Fraction(1), Fraction(1))
    elif request.width and request.height:
        shape = (Fraction(request.width), Fraction(request.height))
    else:
        shape = (n.exact("aspect_width"), n.exact("aspect_height"))
        guess = ", taken as 16:9"
    across, down = grid(*shape, most)
    return _film(request, n, across * down, f" ({across} x {down} cells of at most {most}{guess})")


def _page_count(request: MediaRequest, n: Numbers) -> int:
    if request.pages is None:
        raise BadInput("a document needs pages", field="pages")
    if request.pages > n.whole("most"):
        raise NotCountable(f"refused: {request.pages} pages, at most {n.whole('most')} a request")
    return request.pages


def pages(request: MediaRequest, n: Numbers) -> Worked:
    """A document: a fixed number of tokens for a number of pages."""
    count, each, per = _page_count(request, n), n.whole("tokens"), n.whole("for_pages")
    total = math.ceil(Fraction(count * each, per))
    return Worked(total, f"{many(count, 'page')} x {each}{f' / {per}' if per > 1 else ''} = {total}")


def gemini_pages(request: MediaRequest, n: Numbers) -> Worked:
    """A Gemini 3 document: each page a grid of its aspect under a maximum; of unknown pages the maximum."""
    count, most = _page_count(request, n), level(request, n)[1]
    if request.page_width is not None and request.page_height is not None:
        shape: tuple[Fraction, Fraction] | None = (
            exact(request.page_width, "page_width"), exact(request.page_height, "page_height"),
        )  # fmt: skip
    else:
        shape = page_shape(request.page_size or "")
    if shape is None or n.whole("plain", 0):
        why = "the guide's maximum a page" + ("" if shape else "; say the page size for the recorded figure")
        return Worked(count * most, f"{many(count, 'page')} x {most} = {count * most}", why)
    across, down = grid(*shape, most)
    total = count * across * down
    return Worked(
        total, f"{many(count, 'page')} x {across * down} ({across} x {down} cells of at most {most}) = {total}"
    )


def unknown(request: MediaRequest, n: Numbers) -> Worked:
    """No formula: says why."""
    raise NotCountable(n.text("why"))
