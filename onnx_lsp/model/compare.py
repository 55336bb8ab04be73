"""What differs between two models: nodes, types, weights; whatever their values are called and however they are stored.

Nodes are paired by what they are, then by their names. Values that pairs write are the same value, so that a rename is
one remark and not a difference of every node behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class _Rest:
    """The positions on both sides that have no partner yet."""

    def __init__(self, left, right) -> None:
        self.left, self.right = list(left), list(right)
        self.pairs: list[tuple[int, int]] = []

    def take_unique(self, of_left: list, of_right: list) -> None:
        """Pairs up what has a key that occurs once on each side; an empty key is none."""
        tables: list[dict] = [{}, {}]
        for table, rest, keys in ((tables[0], self.left, of_left), (tables[1], self.right, of_right)):
            for number in rest:
                table.setdefault(keys[number], []).append(number)
        known = tables[1]
        self._take([(x[0], known[key][0]) for key, x in tables[0].items() if key and len(x) == len(known.get(key, ())) == 1])

    def take_in_order(self, of_left: list, of_right: list) -> None:
        """Pairs up equal keys that stand in the same order."""
        found = align([of_left[x] for x in self.left], [of_right[y] for y in self.right])
        self._take([(self.left[x], self.right[y]) for x, y in found])

    def _take(self, found: list[tuple[int, int]]) -> None:
        self.pairs += found
        gone = [{pair[side] for pair in found} for side in (0, 1)]
        self.left = [number for number in self.left if number not in gone[0]]
        self.right = [number for number in self.right if number not in gone[1]]


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
        """The differences of two graphs, then of those inside. `around`: old -> new names of values of the graphs around."""
        same = dict(around)
        yield from self._inputs(old, new, same)
        pairs = [(old.nodes[x], new.nodes[y]) for x, y in self._pairs(old.nodes, new.nodes)]
        yield from self._weights(old, new, pairs, same)
        for left, right in pairs:
            same.update(zip(left.outputs, right.outputs))  # noqa: B905 (a changed node may have fewer)
        yield from self._outputs(old, new, same)
        yield from self._types(old, new, same)
        known = {id(node) for pair in pairs for node in pair}
        for node in old.nodes:
            if id(node) not in known:
                yield Change(REMOVED, old.path, "node", self._shown(self.before, node), before=node.path)
        for node in new.nodes:
            if id(node) not in known:
                yield Change(ADDED, new.path, "node", self._shown(self.after, node), after=node.path)
        for left, right in pairs:
            yield from self._node(left, right, same)
        places = [right.index for _, right in pairs]
        if places != sorted(places):
            yield Change(CHANGED, new.path, "order", "nodes", "they stand in another order")
        renamed = sum(1 for pair in pairs for a, b in zip(*(node.outputs for node in pair)) if a != b)  # noqa: B905
        if renamed:
            yield Change(CHANGED, new.path, "name", f"{renamed} values", "they have other names")
        for left, right in pairs:
            for inside in zip(left.bodies, right.bodies):  # noqa: B905 (another number is a change of the node)
                yield from self._scope(*inside, same)

    def _shown(self, side: _Side, node: Node) -> str:
        words = side.words(node)
        line = side.line(node)
        return f"{line} <{', '.join(words)}>" if words else line

    def _inputs(self, old: Scope, new: Scope, same: dict[str, str]) -> Iterator[Change]:
        left, right = _declared(old, "input"), _declared(new, "input")
        pairs = [(name, name) for name in left if name in right]
        if len(left) == len(right):  # what stands at the same place under another name was renamed
            pairs += [(a, b) for a, b in zip(left, right, strict=True) if a not in right and b not in left]
        same.update(pairs)
        yield from self._values("input", pairs, left, right, old, new)

    def _outputs(self, old: Scope, new: Scope, same: dict[str, str]) -> Iterator[Change]:
        left, right = _declared(old, "output"), _declared(new, "output")
        pairs = [(name, same.get(name, name)) for name in left if same.get(name, name) in right]
        paired = {name for pair in pairs for name in pair}
        pairs += [(name, name) for name in left if name in right and name not in paired]
        yield from self._values("output", pairs, left, right, old, new)

    @staticmethod
    def _values(what: str, pairs: list, left: dict, right: dict, old: Scope, new: Scope) -> Iterator[Change]:
        gone, fresh = set(left), set(right)
        for name, other in pairs:
            gone.discard(name)
            fresh.discard(other)
            # How values inside are called is nobody's interface.
            details = [f"renamed from `{name}`"] if name != other and new.owner is None else []
            if left[name] != right[other]:
                details.append(f"{left[name] or 'no type'} -> {right[other] or 'no type'}")
            if details:
                paths = old.place(what, name), new.place(what, other)
                yield Change(CHANGED, new.path, what, other, ", ".join(details), *paths)
        for name in filter(gone.__contains__, left):
            yield Change(REMOVED, old.path, what, f"{left[name]} {name}".strip(), before=old.place(what, name))
        for name in filter(fresh.__contains__, right):
            yield Change(ADDED, new.path, what, f"{right[name]} {name}".strip(), after=new.place(what, name))
        order = dict(pairs)
        if not gone and not fresh and [order[name] for name in left] != list(right):
            yield Change(CHANGED, new.path, "order", f"{what}s", "they stand in another order")

    def _weights(self, old: Scope, new: Scope, nodes: list[tuple[Node, Node]], same: dict[str, str]) -> Iterator[Change]:
        left, right = dict(old.initializers), dict(new.initializers)
        pairs = [(name, name) for name in left if name in right]
        for name, _ in pairs:
            del left[name], right[name]
        renamed = [*self._by_content(left, right), *_by_reader(left, right, nodes)]
        pairs += renamed
        same.update(pairs)
        for name, other in pairs:
            yield from self._tensor(name, other, old, new)
        for name, item in left.items():
            yield self._alone(REMOVED, name, item, old)
        for name, item in right.items():
            yield self._alone(ADDED, name, item, new)
        if renamed:
            yield Change(CHANGED, new.path, "name", f"{len(renamed)} initializers", "they have other names")

    def _by_content(self, left: dict, right: dict) -> list[tuple[str, str]]:
        """Takes out the pairs of initializers with the same data."""
        alike: dict[tuple, list[str]] = {}
        for name, item in right.items() if self.weights else ():
            alike.setdefault(self._content(self.after, item), []).append(name)
        pairs = []
        for name, item in list(left.items()):
            if names := alike.get(self._content(self.before, item)):
                pairs.append((name, names.pop(0)))
                del left[name], right[pairs[-1][1]]
        return pairs

    @staticmethod
    def _content(side: _Side, item: proto.TensorProto) -> tuple:
        return item.data_type, tuple(item.dims), side.digest(item)

    @staticmethod
    def _alone(kind: str, name: str, item: proto.TensorProto, scope: Scope) -> Change:
        path = scope.place("initializer", name)
        places = {"before": path} if kind == REMOVED else {"after": path}
        return Change(kind, scope.path, "initializer", f"{tensor(item.data_type, item.dims)} {name}", **places)

    def _tensor(self, name: str, other: str, old: Scope, new: Scope) -> Iterator[Change]:
        left, right = old.initializers[name], new.initializers[other]
        kinds = [tensor(item.data_type, item.dims) for item in (left, right)]
        digests = [self.before.digest(left), self.after.digest(right)] if kinds[0] == kinds[1] else []
        if None in digests:
            detail = "the weights could not be read"
        elif digests:
            detail = f"the weights differ ({kinds[1]})" if digests[0] != digests[1] else ""
        else:
            detail = f"{kinds[0]} -> {kinds[1]}"
        if detail:
            places = old.place("initializer", name), new.place("initializer", other)
            yield Change(CHANGED, new.path, "initializer", other, detail, *places)

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
        """Which nodes are the same: that read alike, or are of one kind in the same order, or have a name in common."""
        rest = _Rest(range(len(old)), range(len(new)))
        sides = (self.before, old), (self.after, new)
        rest.take_unique(*([self._full(side, node) for node in nodes] for side, nodes in sides))
        if rest.left and rest.right:
            own = [side.own_keys(nodes) for side, nodes in sides]
            rest.take_in_order(*(side.near_keys(nodes, keys) for (side, nodes), keys in zip(sides, own, strict=True)))
            rest.take_in_order(*own)
            rest.take_unique(*([node.name and (node.op, node.name) for node in nodes] for nodes in (old, new)))
            rest.take_unique(*([next(filter(None, node.outputs), "") for node in nodes] for nodes in (old, new)))
        return sorted(rest.pairs)

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


def _by_reader(left: dict, right: dict, nodes: list[tuple[Node, Node]]) -> list[tuple[str, str]]:
    """Takes out the pairs of initializers of one type that the same nodes read at the same place."""
    pairs = []
    for before, after in nodes:
        for name, other in zip(before.inputs, after.inputs):  # noqa: B905
            if name in left and other in right:
                a, b = left[name], right[other]
                if a.data_type == b.data_type and a.dims == b.dims:
                    pairs.append((name, other))
                    del left[name], right[other]
    return pairs


def _declared(scope: Scope, what: str) -> dict[str, str]:
    """Name -> type of a graph's inputs or outputs; those of functions have no type."""
    values = getattr(scope.proto, what)
    return dict((item, "") if isinstance(item, str) else (item.name, type_of(item.type)) for item in values)


def _opsets(model: proto.ModelProto) -> dict[str, int]:
    return {"" if item.domain == "ai.onnx" else item.domain: item.version for item in model.opset_import}


def _field(scope: str, what: str, name: str, old: object, new: object) -> Iterator[Change]:
    if old != new:
        yield Change(CHANGED, scope, what, name, f"{_short(old)} -> {_short(new)}")


def _short(value: object) -> str:
    text = " ".join(str(value).split()) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
