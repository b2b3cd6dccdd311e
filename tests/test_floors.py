"""The architecture diagram, and that the code is what it draws. Adding a room means adding a word to `FLOORS`."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "costlab"

# From the roof down. A room (a module or a package of costlab) imports from floors under its own, never from its own
# floor. Rooms that are planned stand here before they are built.
FLOORS = (
    ("__main__",),
    ("ui", "cli"),  # faces: they use the door and nothing behind it
    ("__init__",),  # the door: names only
    ("door",),  # what it offers beyond what the rooms do by themselves
    ("report",),
    ("charts",),  # DataFrame -> plotly Figure
    ("frames",),  # objects -> pandas
    ("live",),  # agents that run now: names who served a call as importers do
    ("importers", "warehouse"),  # edges that stand on other edges
    ("store", "quoting", "media_quotes", "favourites", "pricebook"),
    ("catalog", "rules", "responses", "tokenizers"),  # edges
    ("files", "languages"),  # edges: home, atomic write, lock, bounded reading; catalogues of words
    ("reconcile", "monitoring", "backtest", "scenario", "replay"),  # from here down: core
    ("projection",),
    ("caching", "cube"),
    ("cost", "models", "edits", "sketching"),
    ("prices", "runs"),
    ("usage", "media"),
    ("money", "words", "errors", "showing", "units", "version"),
)
FACES = {"ui", "cli"}
CORE_BEGINS = next(place for place, floor in enumerate(FLOORS) if "scenario" in floor)
CORE = {room for floor in FLOORS[CORE_BEGINS:] for room in floor}

LEVEL = {room: len(FLOORS) - place for place, floor in enumerate(FLOORS) for room in floor}

# Packages of others, and the only rooms that may import them. What is not named here may be imported nowhere.
FOREIGN = {
    "streamlit": {"ui"},
    "pandas": {"frames", "charts", "ui"},
    "plotly": {"charts"},
    "numpy": {"cube", "projection", "backtest", "scenario", "frames"},
    "PIL": {"live", "ui"},  # charts of tasks; sizes of uploaded pictures
    "smolagents": {"live"},
    "litellm": {"live"},
    "openai": {"live"},
    "httpx": {"live"},
    "rich": {"live"},
    "mcp": {"live"},
    "xllamacpp": {"live"},
    "tiktoken": {"tokenizers"},
    "tokenizers": {"tokenizers"},
    "genai_prices": {"responses", "catalog"},
    "pydantic": {"responses", "rules", "catalog", "importers", "store", "live"},
    "yaml": {"rules", "importers", "scenario"},
    "platformdirs": {"files"},
    "filelock": {"files"},
}
# Loaded with `import costlab`, these would make every command line call slow, or fail where an extra is absent.
HEAVY = ("pandas", "plotly", "numpy", "streamlit", "litellm", "smolagents", "openai", "mcp", "tiktoken", "tokenizers")
WITH_EXTRAS = {"ui", "charts", "frames", "cube", "live", "warehouse"}

# The core knows no files, no clock, no chance and no network; they come in as arguments.
OUTSIDE_CORE = {
    "os", "io", "sys", "pathlib", "shutil", "glob", "tempfile", "time", "random", "secrets", "socket", "ssl", "http",
    "urllib", "subprocess", "threading", "asyncio", "multiprocessing", "sqlite3", "logging", "importlib", "locale",
}  # fmt: skip
OUTSIDE_CALLS = {
    "open", "print", "input", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid4",
}  # fmt: skip

LONGEST_FILE = 420  # lines
LONG_FILES: dict[str, str] = {}  # path from the root -> why it is longer
LONGEST_FUNCTION = 45  # lines of its body, without its docstring
LONG_FUNCTIONS: dict[str, str] = {}  # "path:name" -> why it is longer
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "tools"}

FILES = sorted(PACKAGE.rglob("*.py"))
_each = pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(ROOT)) for f in FILES])


def by_file(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that reads each source file by itself."""
    return pytest.mark.source(_each(test))


def room_of(file: Path) -> str:
    """Return the room of a file: the first name under costlab/."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(file: Path) -> str:
    """Return the module name of a file."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and dotted name of everything that a file imports anywhere, names of `from` imports included."""
    here = dotted(file) if file.name == "__init__.py" else dotted(file).rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here.split(".")[: len(here.split(".")) + 1 - node.level]) if node.level else ""
            source = ".".join(filter(None, (base, node.module)))
            if source != "costlab":  # `from costlab import x` uses x, which may be a room or what the door offers
                yield node.lineno, source
            yield from ((node.lineno, f"{source}.{name.name}") for name in node.names)


def rooms_used(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and room of each import from costlab; `__init__` where only the door itself is used."""
    for line, name in imports(file):
        if name == "costlab":
            yield line, "__init__"
        elif name.startswith("costlab."):
            room = name.split(".")[1]
            yield line, room if room in LEVEL else "__init__"


def test_every_room_is_on_one_floor() -> None:
    rooms = [room for floor in FLOORS for room in floor]
    assert len(rooms) == len(set(rooms))
    assert sorted({room_of(f) for f in FILES} - set(rooms)) == [], "a new room: add its word to FLOORS"


@by_file
def test_imports_go_down(file: Path) -> None:
    room = room_of(file)
    up = [
        f"line {line}: {room} imports {used}"
        for line, used in rooms_used(file)
        if used != room and LEVEL[used] >= LEVEL.get(room, 0)
    ]
    assert up == []


@by_file
def test_faces_use_the_door_only(file: Path) -> None:
    if room_of(file) in FACES:
        behind = {used for _, used in rooms_used(file)} - {"__init__", room_of(file)}
        assert behind == set(), "import it from `costlab`, and let costlab/__init__.py offer it"


@by_file
def test_packages_of_others_stay_in_their_rooms(file: Path) -> None:
    strange = []
    for line, name in imports(file):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or top == "costlab":
            continue
        if room_of(file) not in FOREIGN.get(top, set()):
            strange.append(f"line {line}: {top} in {room_of(file)}")
    assert strange == []


@by_file
def test_core_knows_no_files_clock_or_network(file: Path) -> None:
    if room_of(file) not in CORE:
        return
    outside = [f"line {line}: {name}" for line, name in imports(file) if name.split(".")[0] in OUTSIDE_CORE]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in OUTSIDE_CALLS:
            outside.append(f"line {node.lineno}: {ast.unparse(node.func)}()")
    assert outside == []


def test_modules_of_a_package_have_no_import_cycle() -> None:
    names = {dotted(file): file for file in FILES}
    needs = {
        name: {used for _, used in imports(file) if used in names and used != name and used.count(".") > 1}
        for name, file in names.items()
    }
    while free := [name for name, used in needs.items() if not used & needs.keys()]:
        for name in free:
            del needs[name]
    assert needs == {}


@by_file
def test_no_file_is_named_after_nothing(file: Path) -> None:
    assert not {part.removesuffix(".py") for part in file.relative_to(ROOT).parts} & EMPTY_NAMES


@by_file
def test_files_and_functions_stay_short(file: Path) -> None:
    place = file.relative_to(ROOT).as_posix()
    text = file.read_text(encoding="utf-8")
    length = len(text.splitlines())
    assert (length <= LONGEST_FILE) != (place in LONG_FILES), f"{length} lines; LONG_FILES says why a file is longer"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{place}:{node.name}" not in LONG_FUNCTIONS:
            lines = (node.end_lineno or 0) - node.body[bool(ast.get_docstring(node)) and len(node.body) > 1].lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines; LONG_FUNCTIONS says why one is longer"


@by_file
def test_no_module_state_is_rebound(file: Path) -> None:
    rebound = [n.lineno for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Global)]
    assert rebound == []


def load(*lines: str) -> str:
    """Run lines in a new interpreter at the project's root and return what they print."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_door_loads_nothing_heavy() -> None:
    assert load("import sys, costlab", f"print([m for m in {HEAVY!r} if m in sys.modules])") == "[]"


def test_rooms_without_extras_load_without_them() -> None:
    plain = [dotted(f) for f in FILES if room_of(f) not in WITH_EXTRAS and f.name != "__main__.py"]
    blocked = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))"  # None there makes an import fail
    assert load(blocked, "import importlib", f"for m in {plain!r}: importlib.import_module(m)", "print('ok')") == "ok"


def test_no_name_of_the_door_is_a_room() -> None:
    import costlab

    offered = {name for name, value in vars(costlab).items() if not name.startswith("_") and callable(value)}
    # `costlab.report` is the module as soon as it was imported: a function of that name would be gone then
    assert sorted((offered | set(costlab._WHERE)) & {room_of(f) for f in FILES}) == []
