"""What is shipped: the wheel and its data, ranges and pins that agree, and no word about one machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DATA = ("pricing", "recordings")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` builds it, but with the builder that is there."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("costlab-*.whl")
    return built


def tracked() -> list[Path]:
    """Return the files of the project, as git lists them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def pins(name: str) -> dict[str, Requirement]:
    """Return the requirements of a pin file by name."""
    lines = [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line and line[0] not in "#-"]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def test_wheel_carries_code_data_and_words(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {"costlab/py.typed"}
    for path in tracked():
        place = path.relative_to(ROOT).as_posix()
        if place.startswith("costlab/"):
            expected.add(place)
        elif place.split("/")[0] in DATA:
            expected.add(f"costlab/_data/{place}")
    assert sorted(expected - inside) == []
    assert {name.split("/")[0] for name in inside} == {"costlab", f"costlab-{PROJECT['version']}.dist-info"}
    assert {name.rpartition("/")[2] for name in inside if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_every_catalogue_of_words_is_compiled(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    written = [name for name in inside if name.endswith(".po")]
    assert [name for name in written if f"{name.removesuffix('.po')}.mo" not in inside] == []


def test_wheel_finds_its_own_data(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "COSTLAB_HOME": str(tmp_path / "home")}

    def ask(*words: str) -> list[object]:
        command = [sys.executable, "-m", "costlab", *words, "--json"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        found: list[object] = json.loads(done.stdout)
        return found

    assert ask("prices", "find", "openai/gpt-5-mini")
    assert len(ask("runs")) >= len(list((ROOT / "recordings").glob("*.jsonl")))


def test_core_has_ranges_and_little_else() -> None:
    core = [Requirement(text) for text in PROJECT["dependencies"]]
    assert [r.name for r in core] == ["filelock", "genai-prices", "platformdirs", "pydantic", "pyyaml"]
    assert [str(r) for r in core if [s.operator for s in r.specifier] != [">="]] == []


def test_pins_are_exact_and_within_the_ranges() -> None:
    app, checks = pins("requirements.txt"), pins("requirements-dev.txt")
    for pin in (*app.values(), *checks.values()):
        assert re.fullmatch(r"==[0-9][^,*]*", str(pin.specifier)), f"{pin} is not exact"
        assert pin.url is None
    assert app.keys() & checks.keys() == set()
    extras = PROJECT["optional-dependencies"]
    for text in PROJECT["dependencies"] + extras["app"] + extras["agents"]:
        wanted = Requirement(text)
        pinned = str(app[canonicalize_name(wanted.name)].specifier).removeprefix("==")
        assert wanted.specifier.contains(pinned), f"{wanted} does not allow the pin {pinned}"


def test_lowest_versions_are_read_from_the_ranges() -> None:
    done = subprocess.run([sys.executable, "scripts/lowest.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [text.replace(">=", "==") for text in PROJECT["dependencies"]]


def test_the_project_speaks_of_no_machine() -> None:
    folders = "|".join(("work", "root", "opt/pypi", "opt/wheels"))
    speaks = re.compile(rf"(?<![\w.])/(?:{folders})/|--(?:extra-)?index-url|files\.pythonhosted|pypi\.org/simple")
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".gif", ".mo", ".jpg", ".pdf"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if match := speaks.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert found == []
