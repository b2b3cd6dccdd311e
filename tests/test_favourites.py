"""The user's own set of models is kept whole, and a file that is no list is named."""

from __future__ import annotations

from pathlib import Path

import pytest

import costlab as cl


def test_kept_and_read(home: Path) -> None:
    assert cl.read_favourites() == ()
    cl.save_favourites(["zai/glm-5.3", "openai/gpt-5-mini"])
    assert cl.read_favourites() == ("zai/glm-5.3", "openai/gpt-5-mini")


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[1]"])
def test_what_is_no_list_of_names_is_refused(home: Path, text: str) -> None:
    (home / "favourites.json").write_text(text, encoding="utf-8")
    with pytest.raises(cl.BadInput, match=r"favourites\.json"):
        cl.read_favourites()


def test_hosts_share_the_last_part_of_the_name(home: Path) -> None:
    table = cl.load_table()
    hosts = cl.hosts_of("deepseek/deepseek-v4-flash", table)
    assert "deepseek/deepseek-v4-flash" in hosts
    assert len(hosts) > 1
    assert {cl.model_part(name) for name in hosts} == {"deepseek-v4-flash"}
