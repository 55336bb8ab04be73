"""Repairs of initializers."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, fix


@fix("ONX014", "drop")
def drop_repeats(draft: Draft, at: str, *, name: str) -> None:
    """Keeps the last initializer of that name."""
    container = draft.container(at)
    places = [number for number, item in enumerate(container.initializer) if item.name == name]
    for number in reversed(places[:-1]):
        del container.initializer[number]


@fix("OPT001", "drop")
def drop_initializers(draft: Draft, at: str, *, names: tuple[str, ...]) -> None:
    """Removes initializers, and what is declared about them."""
    container = draft.container(at)
    for field in (container.initializer, container.value_info):
        for number in reversed([number for number, item in enumerate(field) if item.name in names]):
            del field[number]
    annotations = container.quantization_annotation
    for number in reversed([number for number, item in enumerate(annotations) if item.tensor_name in names]):
        del annotations[number]
