"""What is asked for on the command line: providers, dimensions."""

from __future__ import annotations

import os

import pytest

from onnx_lsp.actions import dims
from onnx_lsp.actions.providers import Provider, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CPU", Provider("CPU")),
        ("CUDA:device_id=1,use_tf32=0", Provider("CUDA", "", (("device_id", "1"), ("use_tf32", "0")))),
        ("./libfoo.so", Provider("libfoo", os.path.abspath("libfoo.so"))),
        ("ggml=/x/libggml.so:partial=1", Provider("ggml", "/x/libggml.so", (("partial", "1"),))),
        ("OpenVINO@/venv/bin/python", Provider("OpenVINO", python="/venv/bin/python")),
    ],
)
def test_providers(text: str, expected: Provider) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "=x.so", "CPU:=1,a=2"])
def test_not_a_provider(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("batch=1,8", (1, 8)), ("seq=16..100", (16, 32, 64, 100)), ("input:1=576", (576,)), ("n=1,1..4", (1, 2, 4))],
)
def test_dims(text: str, expected: tuple[int, ...]) -> None:
    assert list(dims.parse_dims([text]).values()) == [expected]


@pytest.mark.parametrize("text", ["batch", "batch=", "=3", "batch=-1", "batch=8..1", "batch=0..4", "batch=x"])
def test_not_a_dim(text: str) -> None:
    with pytest.raises(ValueError, match="batch=1,8"):
        dims.parse_dims([text])


def test_sweep() -> None:
    cases = dims.sweep({"batch": (1, 8), "seq": (16, 32)})
    assert [dims.label(case) for case in cases] == [
        "batch=1 seq=16",
        "batch=1 seq=32",
        "batch=8 seq=16",
        "batch=8 seq=32",
    ]
    assert dims.sweep({}) == [{}]
    with pytest.raises(ValueError, match="25 combinations"):
        dims.sweep({"a": (1, 2, 3, 4, 5), "b": (1, 2, 3, 4, 5)})
