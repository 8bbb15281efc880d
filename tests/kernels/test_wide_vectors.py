"""Wide vectors: kernels compile and give the same where llvmlite's list of attributes cannot be extended."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rooftop import kernels


@pytest.mark.parametrize("attributes", [None, (), frozenset(), ["nounwind"]])
def test_a_list_that_takes_no_attribute_is_left_alone(attributes: object) -> None:
    _, generate = kernels._prefer_512_bits(None)
    context = SimpleNamespace(get_dummy_value=lambda: "nothing")
    assert generate(context, SimpleNamespace(function=SimpleNamespace(attributes=attributes)), None, ()) == "nothing"
    assert generate(context, SimpleNamespace(function=SimpleNamespace()), None, ()) == "nothing"


def test_llvmlites_list_takes_it() -> None:
    _, generate = kernels._prefer_512_bits(None)

    class Attributes(set[str]):
        def add(self, name: str) -> None:
            raise ValueError(f"unknown attribute {name}")

    attributes = Attributes()
    generate(
        SimpleNamespace(get_dummy_value=lambda: None),
        SimpleNamespace(function=SimpleNamespace(attributes=attributes)),
        None,
        (),
    )
    assert attributes == {'"prefer-vector-width"="512"'}
