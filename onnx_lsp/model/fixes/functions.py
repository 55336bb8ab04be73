"""Repairs of functions and of the attributes of nodes."""

from __future__ import annotations

from onnx_lsp.model.calls import key
from onnx_lsp.model.fixes.draft import Draft, fix
from onnx_lsp.model.fixes.header import plain


@fix("ONX053", "drop")
def drop_functions(draft: Draft, at: str, *, functions: tuple[tuple[str, str, str], ...]) -> None:
    """Removes functions, given by domain, name and overload, and the import of a domain that only they had."""
    gone = {scope.path for scope in draft.scopes.values() if scope.is_function and key(scope) in set(map(tuple, functions))}
    wanted = {tuple(item) for item in functions}
    places = [
        number
        for number, item in enumerate(draft.message.functions)
        if (plain(item.domain), item.name, item.overload) in wanted
    ]
    for number in reversed(places):
        del draft.message.functions[number]
    used = {plain(node.proto.domain) for scope in draft.scopes.values() for node in scope.nodes if scope.root.path not in gone}
    used |= {plain(item.domain) for item in draft.message.functions} | {""}
    domains = {domain for domain, _, _ in wanted} - used
    imports = draft.message.opset_import
    for number in reversed([number for number, item in enumerate(imports) if plain(item.domain) in domains]):
        del imports[number]


@fix("ONX033", "drop")
def drop_attribute(draft: Draft, at: str, *, index: int, name: str) -> None:
    """Removes an attribute from a node."""
    attributes = draft.scope(at).nodes[index].proto.attribute
    for number in reversed([number for number, item in enumerate(attributes) if item.name == name]):
        del attributes[number]
