"""What differs between two models: nodes, types, weights; whatever their values are called and however they are stored.

Nodes are paired by what they are, then by their names. Values that pairs write are the same value, so that a rename is
one remark and not a difference of every node behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from onnx_lsp.model import proto
from onnx_lsp.model.align import align
from onnx_lsp.model.graph import GRAPH, GRAPHS, Model, Node, Scope
from onnx_lsp.model.text.attributes import Attributes
from onnx_lsp.model.text.extras import to_json
from onnx_lsp.model.text.payload import Hasher
from onnx_lsp.model.text.style import VIEW, Weights
from onnx_lsp.model.text.tensors import Tensors
from onnx_lsp.model.text.words import Names, operator, tensor, type_of

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
HEADER = ("ir_version", "producer_name", "producer_version", "domain", "model_version")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: added, removed or changed.
        scope: the path of the graph or function; empty for the model itself.
        what: opset, metadata, function, input, output, initializer, node, value or order.
        item: the item as text, as it is now, or was if it is gone.
        detail: what changed in it.
        before, after: its paths in the two models, where it has some.
    """

    kind: str
    scope: str
    what: str
    item: str
    detail: str = ""
    before: str = ""
    after: str = ""


def compare(before: Model, after: Model, weights: bool = True) -> list[Change]:
    """Every difference, in order: the model, its graph from outside in, its functions.

    Args:
        weights: read and compare the data of all tensors; else only their types.
    """
    return list(_Comparison(before, after, weights).changes())


class _Side:
    """One of the two models, with what is asked of it often."""

    def __init__(self, model: Model, weights: bool) -> None:
        self.model = model
        self.hasher = Hasher(model.skeleton)
        self.weights = weights
        style = replace(VIEW, weights=Weights.DIGEST if weights else Weights.NONE)
        self.attributes = Attributes(style, Tensors(model.skeleton, style))
        self.names = Names()
        self._words: dict[str, tuple[str, ...]] = {}

    def words(self, node: Node) -> tuple[str, ...]:
        """The node's attributes but its bodies, as text, in order of their names."""
        found = self._words.get(node.path)
        if found is None:
            plain = [item for item in node.proto.attribute if item.type not in (GRAPH, GRAPHS) or item.ref_attr_name]
            found = tuple(sorted(self.attributes.write(item) or f"{item.name} = {to_json(item)}" for item in plain))
            self._words[node.path] = found
        return found

    def line(self, node: Node) -> str:
        """The node as text, without its name and attributes."""
        outputs, inputs = (", ".join([self.names[name] for name in side]) for side in (node.outputs, node.inputs))
        op = operator(node.domain, node.op, node.proto.overload)
        return f"{outputs} = {op}({inputs})"

    def digest(self, item: proto.TensorProto) -> str | None:
        return self.hasher.digest(item) if self.weights else ""

    def own_keys(self, nodes: list[Node]) -> list[tuple]:
        """What each node is, whatever it and its values are called."""
        return [
            (node.domain, node.op, node.proto.overload, self.words(node), len(node.inputs), len(node.outputs),
             tuple(tensor(item.data_type, item.dims) for item in _initializers(node)))
            for node in nodes
        ]  # fmt: skip

    def near_keys(self, nodes: list[Node], own: list[tuple]) -> list[int]:
        """What each node is, what it reads from and what reads it."""
        known = {id(node): hash(key) for node, key in zip(nodes, own, strict=True)}
        keys = []
        for node, key in zip(nodes, own, strict=True):
            scope = node.scope
            above = tuple(known.get(id(scope.producers.get(name)), 0) for name in node.inputs)
            readers = [scope.consumers.get(name, ()) for name in node.outputs if name]
            below = tuple(sorted(known.get(id(reader), 0) for group in readers for reader in group))
            keys.append(hash((key, above, below)))
        return keys


def _initializers(node: Node) -> Iterator[proto.TensorProto]:
    for name in node.inputs:
        home = node.scope.home(name) if name else None
        if home is not None and name in home.initializers:
            yield home.initializers[name]


class _Comparison:
    def __init__(self, before: Model, after: Model, weights: bool) -> None:
        self.before, self.after = _Side(before, weights), _Side(after, weights)
        self.weights = weights

    def changes(self) -> Iterator[Change]:
        old, new = self.before.model.proto, self.after.model.proto
        for name in HEADER:
            yield from _field("", "model", name, getattr(old, name), getattr(new, name))
        yield from self._table("opset", _opsets(old), _opsets(new))
        metadata = [{item.key: item.value for item in side.metadata_props} for side in (old, new)]
        yield from self._table("metadata", *metadata)
        yield from self._scope(self.before.model.graph, self.after.model.graph, {})
        functions = [{scope.path: scope for scope in side.model.functions} for side in (self.before, self.after)]
        for path in [*functions[0], *(path for path in functions[1] if path not in functions[0])]:
            old_scope, new_scope = functions[0].get(path), functions[1].get(path)
            if old_scope is None or new_scope is None:
                yield Change(ADDED if old_scope is None else REMOVED, "", "function", path)
            else:
                yield from self._scope(old_scope, new_scope, {})

    @staticmethod
    def _table(what: str, old: dict, new: dict) -> Iterator[Change]:
        for key in [*old, *(key for key in new if key not in old)]:
            if key not in new:
                yield Change(REMOVED, "", what, f'"{key}": {_short(old[key])}')
            elif key not in old:
                yield Change(ADDED, "", what, f'"{key}": {_short(new[key])}')
            elif old[key] != new[key]:
                yield Change(CHANGED, "", what, f'"{key}"', f"{_short(old[key])} -> {_short(new[key])}")

    def _scope(self, old: Scope, new: Scope, around: dict[str, str]) -> Iterator[Change]:
        """The differences of two graphs. `around`: old -> new names of the values of the graphs around them."""
        same = dict(around)
        yield from self._interface(old, new, same)
        yield from self._weights(old, new, same)
        pairs = self._pairs(old.nodes, new.nodes)
        for x, y in pairs:
            same.update(zip(old.nodes[x].outputs, new.nodes[y].outputs))  # noqa: B905 (a changed node may have fewer)
        yield from self._types(old, new, same)
        left, right = {x for x, _ in pairs}, {y for _, y in pairs}
        for x, node in enumerate(old.nodes):
            if x not in left:
                yield Change(REMOVED, old.path, "node", self._shown(self.before, node), before=node.path)
        for y, node in enumerate(new.nodes):
            if y not in right:
                yield Change(ADDED, new.path, "node", self._shown(self.after, node), after=node.path)
        for x, y in pairs:
            yield from self._node(old.nodes[x], new.nodes[y], same)
        yield from self._order(pairs, old, new)
        renamed = sum(1 for x, y in pairs for a, b in zip(old.nodes[x].outputs, new.nodes[y].outputs) if a != b)  # noqa: B905
        if renamed:
            yield Change(CHANGED, new.path, "value", f"{renamed} values", "they have other names")

    def _shown(self, side: _Side, node: Node) -> str:
        words = side.words(node)
        line = side.line(node)
        return f"{line} <{', '.join(words)}>" if words else line

    def _interface(self, old: Scope, new: Scope, same: dict[str, str]) -> Iterator[Change]:
        for what in ("input", "output"):
            sides = []
            for scope in (old, new):
                values = getattr(scope.proto, what)
                named = [(item, "") if isinstance(item, str) else (item.name, type_of(item.type)) for item in values]
                sides.append(dict(named))
            yield from self._values(what, *sides, old, new, same)

    def _values(self, what: str, left: dict, right: dict, old: Scope, new: Scope, same: dict) -> Iterator[Change]:
        gone, fresh = [name for name in left if name not in right], [name for name in right if name not in left]
        kept = [(name, name) for name in left if name in right]
        if len(left) == len(right):  # what stands at the same place under another name was renamed
            places = dict(zip(left, right, strict=True))
            kept += [(name, places[name]) for name in gone if places[name] in fresh]
            gone = [name for name in gone if places[name] not in fresh]
            fresh = [name for name in fresh if name not in {name for _, name in kept}]
        for name, other in kept:
            if what == "input":
                same[name] = other
            details = [f"renamed from `{name}`"] if name != other else []
            details += [f"{left[name] or 'no type'} -> {right[other] or 'no type'}"] if left[name] != right[other] else []
            if details:
                paths = old.place(what, name), new.place(what, other)
                yield Change(CHANGED, new.path, what, other, ", ".join(details), *paths)
        for name in gone:
            yield Change(REMOVED, old.path, what, f"{left[name]} {name}".strip(), before=old.place(what, name))
        for name in fresh:
            yield Change(ADDED, new.path, what, f"{right[name]} {name}".strip(), after=new.place(what, name))
        if not gone and not fresh and [right_name for _, right_name in sorted(kept, key=lambda pair: list(left).index(pair[0]))] != list(right):
            yield Change(CHANGED, new.path, "order", f"{what}s", "they stand in another order")

    def _weights(self, old: Scope, new: Scope, same: dict[str, str]) -> Iterator[Change]:
        left, right = dict(old.initializers), dict(new.initializers)
        for name in [name for name in left if name in right]:
            same[name] = name
            yield from self._tensor(name, left.pop(name), right.pop(name), old, new)
        alike: dict[tuple, list[str]] = {}
        for name, item in right.items():
            alike.setdefault(self._content(self.after, item), []).append(name)
        renamed = 0
        for name, item in left.items():
            names = alike.get(self._content(self.before, item)) if self.weights else None
            if names:
                same[name] = names.pop(0)
                renamed += 1
                del right[same[name]]
            else:
                yield self._alone(REMOVED, name, item, old)
        for name, item in right.items():
            yield self._alone(ADDED, name, item, new)
        if renamed:
            yield Change(CHANGED, new.path, "initializer", f"{renamed} initializers", "they have other names")

    @staticmethod
    def _content(side: _Side, item: proto.TensorProto) -> tuple:
        return item.data_type, tuple(item.dims), side.digest(item)

    @staticmethod
    def _alone(kind: str, name: str, item: proto.TensorProto, scope: Scope) -> Change:
        path = scope.place("initializer", name)
        places = {"before": path} if kind == REMOVED else {"after": path}
        return Change(kind, scope.path, "initializer", f"{tensor(item.data_type, item.dims)} {name}", **places)

    def _tensor(self, name: str, left, right, old: Scope, new: Scope) -> Iterator[Change]:
        kinds = [tensor(item.data_type, item.dims) for item in (left, right)]
        if kinds[0] != kinds[1]:
            detail = f"{kinds[0]} -> {kinds[1]}"
        elif (digest := self.before.digest(left)) == self.after.digest(right) and digest is not None:
            return
        elif None in (digest, self.after.digest(right)):
            detail = "the weights could not be read"
        else:
            detail = f"the weights differ ({kinds[1]})"
        yield Change(
            CHANGED, new.path, "initializer", name, detail, old.place("initializer", name), new.place("initializer", name)
        )

    def _types(self, old: Scope, new: Scope, same: dict[str, str]) -> Iterator[Change]:
        tables = [{item.name: type_of(item.type) for item in scope.proto.value_info} for scope in (old, new)]
        left, right = {same.get(name, name): kind for name, kind in tables[0].items()}, tables[1]
        for name in left:
            if name in right and left[name] != right[name]:
                path = new.place("value_info", name)
                yield Change(CHANGED, new.path, "value", name, f"{left[name]} -> {right[name]}", after=path)
        for kind, count in ((REMOVED, len(left.keys() - right)), (ADDED, len(right.keys() - left))):
            if count:
                yield Change(kind, new.path, "value", f"declared types of {count} values")

    def _pairs(self, old: list[Node], new: list[Node]) -> list[tuple[int, int]]:
        """Which nodes are the same: those that read alike, those of the same kind in the same order, those named alike."""
        pairs: list[tuple[int, int]] = []
        left, right = list(range(len(old))), list(range(len(new)))

        def once(of_left: Callable, of_right: Callable) -> None:
            tables = [{}, {}]
            for table, numbers, key in ((tables[0], left, of_left), (tables[1], right, of_right)):
                for number in numbers:
                    table.setdefault(key(number), []).append(number)
            found = [(x[0], tables[1][key][0]) for key, x in tables[0].items() if key and len(x) == len(tables[1].get(key, ())) == 1]
            take(found)

        def take(found: list[tuple[int, int]]) -> None:
            pairs.extend(found)
            gone = [{pair[side] for pair in found} for side in (0, 1)]
            left[:] = [number for number in left if number not in gone[0]]
            right[:] = [number for number in right if number not in gone[1]]

        def in_order(of_left: list, of_right: list) -> None:
            found = align([of_left[x] for x in left], [of_right[y] for y in right])
            take([(left[x], right[y]) for x, y in found])

        once(lambda x: self._full(self.before, old[x]), lambda y: self._full(self.after, new[y]))
        if left and right:
            own = self.before.own_keys(old), self.after.own_keys(new)
            in_order(self.before.near_keys(old, own[0]), self.after.near_keys(new, own[1]))
            in_order(*own)
        once(lambda x: (old[x].op, old[x].name) if old[x].name else None, lambda y: (new[y].op, new[y].name) if new[y].name else None)
        once(lambda x: next(filter(None, old[x].outputs), None), lambda y: next(filter(None, new[y].outputs), None))
        return sorted(pairs)

    @staticmethod
    def _full(side: _Side, node: Node) -> tuple:
        return node.name, side.line(node), side.words(node)

    def _node(self, old: Node, new: Node, same: dict[str, str]) -> Iterator[Change]:
        details = []
        ops = [operator(node.domain, node.op, node.proto.overload) for node in (old, new)]
        if ops[0] != ops[1]:
            details.append(f"{ops[0]} -> {ops[1]}")
        words = self.before.words(old), self.after.words(new)
        details += [f"- {word}" for word in words[0] if word not in words[1]]
        details += [f"+ {word}" for word in words[1] if word not in words[0]]
        mapped = tuple(same.get(name, name) for name in old.inputs)
        if mapped != new.inputs:
            details.append(f"reads ({', '.join(mapped)}) -> ({', '.join(new.inputs)})")
        if len(old.outputs) != len(new.outputs):
            details.append(f"writes {len(old.outputs)} -> {len(new.outputs)} values")
        labels = [[body.path.rpartition("/")[2] for body in node.bodies] for node in (old, new)]
        if len(labels[0]) != len(labels[1]):
            details.append("its bodies differ in number")
        if details:
            yield Change(CHANGED, new.scope.path, "node", self.after.line(new), "; ".join(details), old.path, new.path)
        for left, right in zip(old.bodies, new.bodies):  # noqa: B905
            yield from self._scope(left, right, same)

    @staticmethod
    def _order(pairs: list[tuple[int, int]], old: Scope, new: Scope) -> Iterator[Change]:
        places = [y for _, y in pairs]
        if places != sorted(places):
            yield Change(CHANGED, new.path, "order", "nodes", "they stand in another order")


def _opsets(model: proto.ModelProto) -> dict[str, int]:
    return {"" if item.domain == "ai.onnx" else item.domain: item.version for item in model.opset_import}


def _field(scope: str, what: str, name: str, old: object, new: object) -> Iterator[Change]:
    if old != new:
        yield Change(CHANGED, scope, what, name, f"{_short(old)} -> {_short(new)}")


def _short(value: object) -> str:
    text = " ".join(str(value).split()) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
