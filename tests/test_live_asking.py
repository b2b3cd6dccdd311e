"""What is kept of a request: a message that was sent before is known again, one that was changed is not."""

from __future__ import annotations

from typing import Any

from costlab.live.asking import Keeper


def said(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def test_a_request_that_begins_as_the_last_one_did_is_known() -> None:
    keeper = Keeper()
    first = keeper.all([said("one"), said("two")])
    again = keeper.all([said("one"), said("two"), said("three")])
    assert [mine is theirs for mine, theirs in zip(first, again, strict=False)] == [True, True]
    assert again[2].value == said("three")


def test_a_message_that_its_owner_changed_in_place_is_another() -> None:
    keeper, messages = Keeper(), [said("one"), said("two")]
    first = keeper.all(messages)
    messages[0]["content"][0]["text"] = "ONE"
    changed, same = keeper.all(messages)
    assert (changed.value, first[0].value) == (said("ONE"), said("one"))
    assert same is first[1]


def test_two_agents_in_turn_keep_their_own_messages() -> None:
    keeper = Keeper()
    for _ in range(2):
        assert [one.value for one in keeper.all([said("chief"), said("task")])] == [said("chief"), said("task")]
        assert [one.value for one in keeper.all([said("clerk")])] == [said("clerk")]


def test_a_key_in_a_message_is_never_kept_also_the_second_time() -> None:
    keeper = Keeper(("sk-planted-key",))
    for _ in range(2):
        (kept,) = keeper.all([said("my key is sk-planted-key")])
        assert "sk-planted-key" not in str(kept.value)


def test_a_picture_is_seen_each_time() -> None:
    linked = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}
    keeper = Keeper()
    assert [len(keeper.all([linked])[0].pictures) for _ in range(2)] == [1, 1]
