"""Repairs of what stands at the top of a model: versions, imports, names, metadata."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, fix


def holder(draft: Draft, at: str):
    """The ModelProto, or the FunctionProto at a path: what has opset imports."""
    return draft.container(at) if at else draft.message


def plain(domain: str) -> str:
    """The domain as the index writes it: ai.onnx is empty."""
    return "" if domain == "ai.onnx" else domain


@fix("ONX003", "add")
def add_import(draft: Draft, at: str, *, domain: str, version: int) -> None:
    """Imports a domain that nodes use."""
    holder(draft, at).opset_import.add(domain=domain, version=version)


@fix("ONX004", "drop")
def drop_repeated_import(draft: Draft, at: str, *, domain: str, keep: int) -> None:
    """Leaves one import of the domain, of the version `keep`."""
    imports = holder(draft, at).opset_import
    places = [number for number, item in enumerate(imports) if plain(item.domain) == domain]
    imports[places[0]].version = keep
    for number in reversed(places[1:]):
        del imports[number]


@fix("ONX005", "drop")
def drop_imports(draft: Draft, at: str, *, domains: tuple[str, ...]) -> None:
    """Removes imports that no node needs."""
    imports = holder(draft, at).opset_import
    for number in reversed([number for number, item in enumerate(imports) if item.domain in domains]):
        del imports[number]


@fix("ONX006", "set")
def set_ir_version(draft: Draft, at: str, *, to: int) -> None:
    """Declares the IR version that the model needs."""
    draft.message.ir_version = to


@fix("ONX008", "name")
def name_graphs(draft: Draft, at: str, *, paths: tuple[str, ...]) -> None:
    """Gives unnamed graphs their place as name."""
    for path in paths:
        draft.container(path).name = "main_graph" if path == "graph" else path.rpartition(".")[2]


@fix("ONX009", "drop")
def drop_repeated_metadata(draft: Draft, at: str, *, key: str) -> None:
    """Keeps the last entry of that key."""
    entries = draft.message.metadata_props
    places = [number for number, item in enumerate(entries) if item.key == key]
    for number in reversed(places[:-1]):
        del entries[number]


@fix("RUN002", "lower")
def lower_ir_version(draft: Draft, at: str, *, to: int) -> None:
    """Declares an older IR version; the check made sure that nothing in the model needs a newer one."""
    draft.message.ir_version = to
