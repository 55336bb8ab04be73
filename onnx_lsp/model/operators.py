"""Nodes against the schemas of their operators: everything that does not fit, node by node.

onnx's checker finds such faults too, one per node and in its own words. So this looks only where it refused the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from onnx_lsp.model import proto
from onnx_lsp.model.graph import ATTRIBUTE_FIELDS, Model, Node
from onnx_lsp.model.signatures import Signature, domains, signature, versions

SEVERAL = 4  # nodes that are written for one later opset: it is the import that is wrong
MANY = 1 << 30  # what schemas give as the number of variadic inputs is 2^31 - 1
VALUES = tuple(ATTRIBUTE_FIELDS.values())
TYPES = proto.AttributeProto.AttributeType


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing about a node that its operator does not allow: the rule and case that say it, with their fields."""

    code: str
    case: str
    node: Node
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class Outdated:
    """An import of an older opset than nodes are written for.

    Attributes:
        path: of the function that imports it; empty for the model.
        domain, version: the import.
        wanted: the first version that all of `nodes` fit.
        nodes: those that do not fit the import.
    """

    path: str
    domain: str
    version: int
    wanted: int
    nodes: tuple[Node, ...]


class Operators:
    """What is wrong with the nodes of a model by themselves.

    Args:
        suspicious: whether anything is known to be wrong; if not, no node is looked at.
    """

    def __init__(self, model: Model, suspicious: bool) -> None:
        self._model = model
        self._suspicious = suspicious

    def of(self, code: str) -> list[Misfit]:
        """The misfits that one rule tells; without those that another opset would mend."""
        later = {node for outdated in self.outdated for node in outdated.nodes}
        return [item for item in self._all if item.code == code and item.node not in later]

    @cached_property
    def outdated(self) -> list[Outdated]:
        """Imports of an opset that is older than the one which several nodes are written for."""
        groups: dict[tuple[str, str], dict[Node, None]] = {}
        for item in self._all:
            root = item.node.scope.root
            groups.setdefault((root.path if root.is_function else "", item.node.domain), {})[item.node] = None
        found = (self._newer(path, domain, list(nodes)) for (path, domain), nodes in groups.items() if len(nodes) >= SEVERAL)
        return [item for item in found if item is not None]

    def _newer(self, path: str, domain: str, nodes: list[Node]) -> Outdated | None:
        imports = self._model.imports(nodes[0].scope)
        best: Outdated | None = None
        for version in range(imports[domain] + 1, domains()[domain][1] + 1):
            fitting = [node for node in nodes if not any(misfits(node, self._model, {**imports, domain: version}))]
            if len(fitting) >= SEVERAL and (best is None or len(fitting) > len(best.nodes)):
                best = Outdated(path, domain, imports[domain], version, tuple(fitting))
        return best

    @cached_property
    def _all(self) -> list[Misfit]:
        found: list[Misfit] = []
        for scope in self._model.scopes if self._suspicious else ():
            imports = self._model.imports(scope)
            for node in scope.nodes:
                found += misfits(node, self._model, imports)
        return found


def misfits(node: Node, model: Model, imports: dict[str, int]) -> Iterator[Misfit]:
    """Everything that is wrong with one node by itself, given its opset imports."""
    domain, known = node.domain, domains()
    if not node.op:
        yield Misfit("ONX030", "nameless", node, {})
        return
    if domain not in imports or domain not in known or (domain, node.op) in model.function_ops:
        return
    lowest, highest = known[domain]
    opset = min(imports[domain], highest)
    if opset < lowest:
        return
    found = signature(node.op, domain, opset)
    if found is None:
        yield _unknown(node, domain, opset)
    elif found.deprecated:
        yield Misfit("ONX031", "deprecated", node, {"opset": opset, "since": found.since})
    else:
        yield from _arity(node, found, opset)
        yield from _attributes(node, found, opset)


def _unknown(node: Node, domain: str, opset: int) -> Misfit:
    history = versions().get((domain, node.op))
    fields: dict[str, object] = {"opset": opset, "domain": domain or "ai.onnx"}
    if history and history[0] > opset:
        return Misfit("ONX030", "later", node, fields | {"since": history[0]})
    names = [name for where, name in versions() if where == domain]
    elsewhere = sorted(where or "ai.onnx" for where, name in versions() if name == node.op)
    if elsewhere and not history:
        return Misfit("ONX030", "elsewhere", node, fields | {"other": elsewhere[0]})
    lowered = {name.lower(): name for name in names}
    close = lowered.get(node.op.lower()) or next(iter(get_close_matches(node.op, names, 1, 0.75)), None)
    if close:
        return Misfit("ONX030", "close", node, fields | {"close": close})
    return Misfit("ONX030", "unknown", node, fields)


def _arity(node: Node, found: Signature, opset: int) -> Iterator[Misfit]:
    for code, names, (least, most), what in (
        ("ONX037", node.inputs, found.inputs, "input"),
        ("ONX038", node.outputs, found.outputs, "output"),
    ):
        count = len(names)
        if not least <= count <= most:
            wanted = _range(least, most)
            fields = {"count": _counted(count, what), "wanted": wanted, "opset": opset}
            yield Misfit(code, "few" if count < least else "many", node, fields)
    for number, name in enumerate(node.inputs[: len(found.optional)]):
        if not name and not found.optional[number]:
            yield Misfit("ONX037", "empty", node, {"parameter": found.parameters[number], "number": number})
    for number, name in enumerate(node.outputs[: len(found.results)]):
        if not name and not found.results[number]:
            yield Misfit("ONX038", "empty", node, {"number": number})


def _range(least: int, most: int) -> str:
    if least == most:
        return f"{least}" if least else "none"
    return f"at least {least}" if most > MANY else f"{least} to {most}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _attributes(node: Node, found: Signature, opset: int) -> Iterator[Misfit]:
    given: set[str] = set()
    for item in node.proto.attribute:
        name = item.name
        if name in given:
            yield Misfit("ONX036", "twice", node, {"name": name})
            continue
        given.add(name)
        if name not in found.attributes:
            yield _stranger(node, name, found, opset)
            continue
        yield from _value(node, item, found.attributes[name][0])
    for name, (_, required) in found.attributes.items():
        if required and name not in given:
            yield Misfit("ONX034", "missing", node, {"name": name, "opset": opset})


def _stranger(node: Node, name: str, found: Signature, opset: int) -> Misfit:
    fields = {"name": name, "opset": opset}
    if name in found.parameters:
        return Misfit("ONX033", "input", node, fields)
    close = next(iter(get_close_matches(name, found.attributes, 1, 0.7)), None)
    if close:
        return Misfit("ONX033", "close", node, fields | {"close": close})
    return Misfit("ONX033", "unknown", node, fields)


def _value(node: Node, item: proto.AttributeProto, wanted: int) -> Iterator[Misfit]:
    if item.type and item.type != wanted:
        fields = {"name": item.name, "given": _type(item.type), "wanted": _type(wanted)}
        yield Misfit("ONX035", "type", node, fields)
        return
    if item.ref_attr_name:
        return
    held = [name for name in VALUES if (len(getattr(item, name)) if name in LISTS else item.HasField(name))]
    field = ATTRIBUTE_FIELDS[wanted]
    if len(held) > 1:
        yield Misfit("ONX036", "several", node, {"name": item.name, "fields": ", ".join(f"`{name}`" for name in held)})
    elif held and held[0] != field:
        yield Misfit("ONX035", "field", node, {"name": item.name, "given": held[0], "wanted": field})
    elif not item.type and held:
        yield Misfit("ONX035", "untyped", node, {"name": item.name, "wanted": _type(wanted)})


LISTS = frozenset({"floats", "ints", "strings", "tensors", "graphs", "sparse_tensors", "type_protos"})


def _type(number: int) -> str:
    """`INTS` as a person says it: `a list of ints`."""
    name = TYPES.Name(number).lower() if number in TYPES.values() else f"type {number}"
    return f"a list of {name}" if name.endswith("s") else f"a {name}" if name[0] not in "aeiou" else f"an {name}"
