"""Keep the catalogues of words up to date: `python scripts/words.py` extracts, updates and compiles them.

`--check` changes nothing and fails where a text of the code is not in a catalogue, a translation is empty or fuzzy,
or a compiled file is not what its source says. Needs Babel.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "costlab" / "locales"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
UNSTABLE = (b"-Date:", b"Generated-By:", b"Last-Translator:", b"Language-Team:", b"Report-Msgid-Bugs-To:")
HEADER = "# CostLab's words. Updated by scripts/words.py; translate what is empty, then run it again."
KEYWORDS = {"t": None, "plural": (1, 2)}


def extracted() -> Catalog:
    """Return every text that the code asks for; no line numbers, so that a diff shows words only."""
    found = Catalog(project="CostLab", charset="utf-8")
    sources = [("costlab", ROOT / "costlab"), ("", ROOT)]
    for _, folder in sources:
        method = [("**.py", "python")] if folder != ROOT else [("app.py", "python")]
        keep = None if folder != ROOT else (lambda path: Path(path) == ROOT)
        for file, _, text, _, _ in extract_from_dir(
            folder, method, keywords=KEYWORDS, comment_tags=(), directory_filter=keep
        ):
            found.add(text, locations=[(str(Path(file).as_posix()), None)])
    return found


def catalogue(language: str) -> Catalog:
    """Return a language's catalogue, brought up to date with the code."""
    path = po(language)
    held = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language, charset="utf-8")
    held.update(extracted(), no_fuzzy_matching=True)
    held.project, held.version, held.header_comment, held.fuzzy = "CostLab", "1", HEADER, False
    held.obsolete.clear()
    return held


def po(language: str) -> Path:
    """Return the path of a language's source file."""
    return LOCALES / language / "LC_MESSAGES" / "costlab.po"


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """Return a catalogue's source and compiled bytes; they depend on the words alone."""
    source, compiled = io.BytesIO(), io.BytesIO()
    write_po(source, catalog, width=110, omit_header=False, no_location=True, sort_output=True)
    # No dates and no name of a tool's version: they would change the files where no word has changed.
    kept = [line for line in source.getvalue().splitlines(keepends=True) if not any(mark in line for mark in UNSTABLE)]
    clean = read_po(io.BytesIO(b"".join(kept)), locale=catalog.locale)
    clean.creation_date = clean.revision_date = EPOCH  # a file without dates would get the minute of its reading
    write_mo(compiled, clean)
    return b"".join(kept), compiled.getvalue()


def hidden() -> list[str]:
    """Return the calls for words that stand inside f-strings, where no extraction finds them."""
    found = []
    for path in (ROOT / "app.py", *sorted((ROOT / "costlab").rglob("*.py"))):
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(outer, ast.JoinedStr):
                continue
            for inner in ast.walk(outer):
                if isinstance(inner, ast.Call) and ast.unparse(inner.func).rpartition(".")[2] in KEYWORDS:
                    found.append(f"{path.relative_to(ROOT)}:{inner.lineno}: words inside an f-string")
    return found


def problems(language: str) -> list[str]:
    """Return what is wrong with a language's files; nothing is changed."""
    catalog = catalogue(language)
    found = []
    for message in catalog:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(texts) or message.fuzzy:
            found.append(f"{language}: no translation of {message.id!r}")
    source, compiled = written(catalog)
    path = po(language)
    if not path.exists() or path.read_bytes() != source:
        found.append(f"{language}: costlab.po is not up to date; run scripts/words.py")
    if not path.exists() or path.with_suffix(".mo").read_bytes() != compiled:
        found.append(f"{language}: costlab.mo is not compiled from costlab.po; run scripts/words.py")
    return found


def main() -> int:
    """Update the catalogues, or check them; returns the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    check = options.parse_args().check
    wrong = hidden()
    for folder in sorted(path for path in LOCALES.iterdir() if path.is_dir()):
        if not check:
            source, compiled = written(catalogue(folder.name))
            po(folder.name).parent.mkdir(parents=True, exist_ok=True)
            po(folder.name).write_bytes(source)
            po(folder.name).with_suffix(".mo").write_bytes(compiled)
        wrong += problems(folder.name)
    print("\n".join(wrong) or "catalogues are complete", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
