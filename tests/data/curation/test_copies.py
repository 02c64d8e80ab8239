from amgan.data.curation.copies import Copies, found_copies
from amgan.data.labels import Labels, split_of


def test_copies_of_which_nobody_says_whom_they_show_are_the_first_of_them() -> None:
    found = found_copies([("z", "1"), ("m/a", "1"), ("b", "2"), ("k", None), ("l", None)], {})
    assert found.count == 1 and found.apart is None
    assert {path: labels.settled(path) for path, labels in found.people.items()} == {
        path: Labels(identity="m/a", split=split_of("m/a")) for path in ("m/a", "z")
    }


def test_a_copy_is_who_the_labels_say_another_is() -> None:
    people = {"b": Labels(40, identity="anna", split="test"), "c": Labels(41)}
    found = found_copies([(path, "1") for path in "abc"], people)
    assert (found.count, found.apart) == (2, None)
    assert found.people == {
        "a": Labels(identity="anna", split="test"),
        "c": Labels(41, identity="anna", split="test"),
    }


def test_labels_that_put_copies_apart_are_told_and_kept() -> None:
    people = {"b": Labels(identity="anna", split="test"), "c": Labels(identity="maria", split="train")}
    assert found_copies([("a", "2"), ("b", "1"), ("c", "1")], people) == Copies(1, {}, ("b", "c"))
    assert found_copies([("b", "1"), ("c", "2")], people) == Copies(0, {}, None)
