import pytest

from mita_otel.libraries.patches import Patches


class Parent:
    def greet(self) -> str:
        return "hello"


class Child(Parent):
    pass


def test_what_was_replaced_comes_back() -> None:
    patches = Patches()
    original = Parent.greet
    patches.replace(Parent, "greet", lambda _: lambda _: "replaced")
    assert Parent().greet() == "replaced"

    patches.undo()
    assert Parent.greet is original


def test_an_inherited_method_is_inherited_again() -> None:
    patches = Patches()
    patches.replace(Child, "greet", lambda _: lambda _: "replaced")
    assert Child().greet() == "replaced"

    patches.undo()
    assert "greet" not in vars(Child)


def test_a_method_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError):
        Patches().replace(Parent, "missing", lambda original: original)
