"""Keep the catalogues of words up to date: `python scripts/words.py` extracts, updates and compiles them.

Two catalogues: `costlab` holds what the code asks for by `t(...)`, `errors` the sentences of the library's errors,
as templates that are read from where they are raised (`costlab/languages.py` says how a finished one is put into
another language). `--check` changes nothing and fails where a text of the code is not in a catalogue, a translation
is empty or fuzzy, or a compiled file is not what its source says. Needs Babel.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from datetime import UTC, datetime
from itertools import count, product
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "costlab" / "locales"
TEMPLATES = LOCALES / "errors.txt"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
UNSTABLE = (b"-Date:", b"Generated-By:", b"Last-Translator:", b"Language-Team:", b"Report-Msgid-Bugs-To:")
HEADER = "# CostLab's words. Updated by scripts/words.py; translate what is empty, then run it again."
KEYWORDS = {"t": None, "plural": (1, 2)}
DOMAINS = ("costlab", "errors")
# What makes an error: exceptions, and the helpers that build one, by where their text stands.
SAYERS = {
    "BadInput": 0, "CostLabError": 0, "Conflict": 0, "NoLocalModel": 0, "NoRecording": 0, "NotCountable": 0,
    "NotFound": 0, "TooLarge": 0, "UnknownUnit": 0, "bad": 1, "UsageWarning": 2,
}  # fmt: skip
# What stands inside an error and is said elsewhere: by a helper of ours, by Python's JSON and CSV, by the system.
INSIDE = (
    "no model named {0} in the price tables; near: {1}",
    "this needs {0}: pip install 'costlab[{1}]'",
    "is no column; there are: {0}", "stands twice in the first line", "has {0} cells, the first line {1}",
    "{0}; as bad: line {1} and others", "{0}; as bad: line {1}",
    "a zip archive (or a spreadsheet; save that as CSV)", "packed with gzip",
    "{0}; leave columns of long text (messages) out", "unknown: {0}", "missing: {0}", "unknown: {0}; missing: {1}",
    "say whether cached tokens are inside the input tokens or beside them ({0})",
    "say whether reasoning tokens are inside the output tokens or beside them ({0})",
    "Expecting value", "Expecting property name enclosed in double quotes", "Expecting ',' delimiter",
    "Expecting ':' delimiter", "Illegal trailing comma before end of object",
    "Illegal trailing comma before end of array",
    "Extra data", "Unterminated string starting at", "Invalid control character at", "Invalid \\escape",
    "unexpected end of data", "',' expected after '\"'", "field larger than field limit ({0})",
    "No such file or directory", "Permission denied", "Is a directory", "No space left on device",
    "Read-only file system",
    # Why a unit has no price.
    "no model {0} in the price tables", "no model is named", "source lists 0", "no {0} rate", "no rate for {0}",
)  # fmt: skip


def complaints() -> list[str]:
    """Return the templates of the library's errors, `{0}` where a value stands; the longest first."""
    found = dict.fromkeys(INSIDE)
    for path in sorted((ROOT / "costlab").rglob("*.py")):
        if path.parent.name != "cli":  # the command line speaks English
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    found.update(dict.fromkeys(_complaint(node)))
    rules = yaml.safe_load((ROOT / "pricing" / "media.yml").read_text(encoding="utf-8"))
    found.update(dict.fromkeys(rule["numbers"]["why"] for rule in rules["rules"] if "why" in rule["numbers"]))
    return sorted((one for one in found if _telling(one)), key=lambda one: (-len(one), one))


def _telling(template: str) -> bool:
    """Return whether a template has words enough to be known by: `{0} of {1}` would be found in many a sentence."""
    if "}{" in template:  # nobody can say where one value ends and the next begins
        return False
    words = re.sub(r"\{\d\}", "", template)
    return bool(re.search("[a-z]{2}", words)) and ("{" not in template or len(re.findall("[A-Za-z]", words)) >= 5)


def _complaint(call: ast.Call) -> list[str]:
    """Return the texts that a call makes an error of; none for other calls."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "__init__" and call.args:
        return _texts(call.args[0])
    place = SAYERS.get(name)
    whys = [text for word in call.keywords if word.arg == "why" for text in _texts(word.value)]
    return whys + (_texts(call.args[place]) if place is not None and len(call.args) > place else [])


def _texts(node: ast.expr) -> list[str]:
    """Return the texts of an expression: of an f-string, of one that is cut to a length, of either of two."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        holes = count()
        return ["".join(str(p.value) if isinstance(p, ast.Constant) else f"{{{next(holes)}}}" for p in node.values)]
    if isinstance(node, ast.Subscript):
        return _texts(node.value)
    return _texts(node.body) + _texts(node.orelse) if isinstance(node, ast.IfExp) else []


def extracted(domain: str) -> Catalog:
    """Return every text of a domain."""
    if domain == "costlab":
        return asked_for()
    found = Catalog(project="CostLab", charset="utf-8")
    for text in complaints():
        found.add(text)
    return found


def asked_for() -> Catalog:
    """Return every text that the code asks for; no line numbers, so that a diff shows words only."""
    found = Catalog(project="CostLab", charset="utf-8")
    sources = [("costlab", ROOT / "costlab"), ("", ROOT)]
    for _, folder in sources:
        method = [("**.py", "python")] if folder != ROOT else [("app.py", "python")]
        keep = None if folder != ROOT else (lambda path: Path(path) == ROOT)
        for _, _, text, _, _ in extract_from_dir(
            folder, method, keywords=KEYWORDS, comment_tags=(), directory_filter=keep
        ):
            found.add(text)
    return found


def catalogue(language: str, domain: str) -> Catalog:
    """Return a language's catalogue, brought up to date with the code."""
    path = po(language, domain)
    held = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language, charset="utf-8")
    held.update(extracted(domain), no_fuzzy_matching=True)
    held.project, held.version, held.header_comment, held.fuzzy = "CostLab", "1", HEADER, False
    held.obsolete.clear()
    return held


def po(language: str, domain: str) -> Path:
    """Return the path of a language's source file."""
    return LOCALES / language / "LC_MESSAGES" / f"{domain}.po"


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


def problems(language: str, domain: str) -> list[str]:
    """Return what is wrong with a language's files; nothing is changed."""
    catalog = catalogue(language, domain)
    found = []
    for message in catalog:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(texts) or message.fuzzy:
            found.append(f"{language}: no translation of {message.id!r}")
    source, compiled = written(catalog)
    path = po(language, domain)
    if not path.exists() or path.read_bytes() != source:
        found.append(f"{language}: {domain}.po is not up to date; run scripts/words.py")
    if not path.exists() or path.with_suffix(".mo").read_bytes() != compiled:
        found.append(f"{language}: {domain}.mo is not compiled from {domain}.po; run scripts/words.py")
    return found


def main() -> int:
    """Update the catalogues, or check them; returns the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    check = options.parse_args().check
    wrong = hidden()
    templates = "".join(f"{one}\n" for one in complaints())
    if check and TEMPLATES.read_text(encoding="utf-8") != templates:
        wrong.append("errors.txt is not up to date; run scripts/words.py")
    elif not check:
        TEMPLATES.write_text(templates, encoding="utf-8")
    languages = sorted(path.name for path in LOCALES.iterdir() if path.is_dir())
    for language, domain in product(languages, DOMAINS):
        if not check:
            source, compiled = written(catalogue(language, domain))
            po(language, domain).parent.mkdir(parents=True, exist_ok=True)
            po(language, domain).write_bytes(source)
            po(language, domain).with_suffix(".mo").write_bytes(compiled)
        wrong += problems(language, domain)
    print("\n".join(wrong) or "catalogues are complete", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
