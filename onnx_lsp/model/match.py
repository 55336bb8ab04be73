"""Rules without Python: what the `[match]` table of a card says, looked for in a model.

Every key is one condition; all given ones must hold. Conditions of nodes pick nodes, those of values pick inputs,
outputs, weights or results, those of models the model itself. A card has one case, which tells what was found:

    [match]
    value = "input"          # node | value kinds: input, output, weight, result | model
    dynamic = true

Keys of nodes: `op`, `op-not`, `domain`, `domain-not` (lists of patterns), `attributes` (a table: what each must be, a
list for one of several; `true` and `false` ask whether it is there at all). Keys of values: `type`, `type-not` (element
types), `rank-above`, `rank-below`, `dims` (a list of numbers and patterns), `dim-above`, `dynamic`, `name`, `name-not`
(patterns), `bytes-above`. Keys of models: `opset-above`, `opset-below`, `ir-above`, `ir-below`, `missing` (metadata keys,
or `producer_name`, `doc_string`, `model_version`). The fields of messages: `{node}`, `{op}`, `{domain}`, `{name}`,
`{kind}`, `{type}`, `{dims}`, `{rank}`, `{opset}`, `{ir}`, `{missing}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from onnx_lsp.checks import Report
from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model, Node, attribute_value
from onnx_lsp.model.shapes import Shapes, TensorType
from onnx_lsp.model.sizes import byte_size

NODE_KEYS = frozenset({"op", "op-not", "domain", "domain-not", "attributes"})
VALUE_KEYS = frozenset(
    {"type", "type-not", "rank-above", "rank-below", "dims", "dim-above", "dynamic", "name", "name-not", "bytes-above"}
)
MODEL_KEYS = frozenset({"opset-above", "opset-below", "ir-above", "ir-below", "missing"})
KINDS = ("input", "output", "weight", "result")
KEYS = NODE_KEYS | VALUE_KEYS | MODEL_KEYS | {"value"}
ABOUT_ITSELF = ("producer_name", "doc_string", "model_version")


class MatchError(ValueError):
    """A `[match]` table that cannot be used; the message says why."""


def find(match: dict, model: Model, shapes: Shapes, report: Report, case: str) -> None:
    """Reports everything in the model that fits a card's table.

    Raises:
        MatchError: the table has a key that does not exist, or keys that do not go together.
    """
    validate(match)
    if "value" in match:
        found = _values(match, model, shapes)
    elif NODE_KEYS & set(match):
        found = _nodes(match, model)
    else:
        found = _of_model(match, model)
    for at, fields in found:
        report(case, at, **fields)


def validate(match: dict) -> None:
    """Raises MatchError for a table that cannot be used."""
    from difflib import get_close_matches

    for key in match:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, 1)
            raise MatchError(f"[match] has no key `{key}`" + (f"; did you mean `{close[0]}`?" if close else ""))
    groups = [keys for keys in (NODE_KEYS, VALUE_KEYS, MODEL_KEYS) if keys & set(match)]
    if len(groups) > 1 or not match:
        raise MatchError("[match] needs conditions, all of one kind: nodes, values or the model")
    if (VALUE_KEYS & set(match)) and match.get("value") not in KINDS or match.get("value", "input") not in KINDS:
        raise MatchError(f"`value` must be one of {', '.join(KINDS)}")
    if "value" in match and groups and groups[0] is not VALUE_KEYS:
        raise MatchError("`value` goes with conditions of values only")


def _listed(patterns: object) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _fits(text: str, match: dict, key: str) -> bool:
    """Whether a text fits the patterns of a key, and none of its `-not`."""
    wanted, unwanted = match.get(key), match.get(f"{key}-not")
    if wanted is not None and not any(fnmatchcase(text, pattern) for pattern in _listed(wanted)):
        return False
    return unwanted is None or not any(fnmatchcase(text, pattern) for pattern in _listed(unwanted))


Found = Iterator[tuple[object, dict[str, object]]]


def _nodes(match: dict, model: Model) -> Found:
    for node in model.nodes():
        domain = node.domain or "ai.onnx"
        if (node.domain, node.op) in model.function_ops:
            continue
        if _fits(node.op, match, "op") and _fits(domain, match, "domain") and _has(node, match.get("attributes", {})):
            yield node, {"node": node.title(), "op": node.op, "domain": domain, "name": node.name}


def _has(node: Node, wanted: dict[str, object]) -> bool:
    """Whether the node's attributes are as the table says. Those that are not there, or refer to a call, have no value."""
    given = node.attrs if wanted else {}
    for name, value in wanted.items():
        if isinstance(value, bool):
            if (name in given) != value:
                return False
        elif name not in given or given[name].ref_attr_name:
            return False
        else:
            found = _plain(attribute_value(given[name]))
            if found != value and not (isinstance(value, list) and found in value):
                return False
    return True


def _plain(value: object) -> object:
    """A value of an attribute as TOML has it: text where onnx has bytes."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _values(match: dict, model: Model, shapes: Shapes) -> Found:
    kind = match["value"]
    for at, name, given in _candidates(kind, model, shapes):
        if given is None or not _fits(name, match, "name") or not _fits(_type(given), match, "type"):
            continue
        rank, dims = given.rank, given.dims
        dynamic = None if dims is None else any(not isinstance(dim, int) for dim in dims)
        if "dynamic" in match and dynamic != match["dynamic"]:
            continue
        if not _between(rank, match, "rank") or "dims" in match and not _shaped(dims, match["dims"]):
            continue
        if not _between(max((dim for dim in dims or () if isinstance(dim, int)), default=None), match, "dim"):
            continue
        if "bytes-above" in match and (dynamic is not False or byte_size(given.element, dims) <= match["bytes-above"]):
            continue
        shown = "?" if dims is None else [dim if dim is not None else "?" for dim in dims]
        yield at, {"name": name, "kind": kind, "type": _type(given), "dims": str(shown).replace("'", ""), "rank": rank}


def _shaped(dims: tuple[int | str | None, ...] | None, wanted: list[int | str]) -> bool:
    """Whether a shape is the wanted one: numbers for numbers, patterns for names; `*` for anything."""
    if dims is None or len(dims) != len(wanted):
        return False
    pairs = zip(dims, wanted, strict=True)
    return all(dim == want or isinstance(want, str) and fnmatchcase(str(dim or ""), want) for dim, want in pairs)


def _type(given: TensorType) -> str:
    names = proto.TensorProto.DataType
    return names.Name(given.element).lower() if given.element in names.values() else "undefined"


def _candidates(kind: str, model: Model, shapes: Shapes) -> Iterator[tuple[object, str, TensorType | None]]:
    graph = model.graph
    if kind in ("input", "output"):
        names: Iterable[str] = graph.inputs if kind == "input" else graph.outputs
        for name in names:
            if kind == "output" or name not in graph.initializers:
                yield graph.place(kind, name), name, shapes.type(graph, name)
        return
    for scope in model.scopes:
        if kind == "weight":
            for name, tensor in scope.initializers.items():
                yield scope.place("initializer", name), name, TensorType(tensor.data_type, tuple(tensor.dims))
            continue
        for node in scope.nodes:
            yield from ((node, name, shapes.type(scope, name)) for name in node.outputs if name)


def _between(number: int | None, match: dict, what: str) -> bool:
    """Whether a number is above and below what the table says; an unknown one never is."""
    above, below = match.get(f"{what}-above"), match.get(f"{what}-below")
    if above is None and below is None:
        return True
    return number is not None and (above is None or number > above) and (below is None or number < below)


def _of_model(match: dict, model: Model) -> Found:
    message = model.proto
    opset, ir = model.opsets.get("", 0), message.ir_version
    known = {entry.key for entry in message.metadata_props if entry.value}
    known |= {name for name in ABOUT_ITSELF if getattr(message, name)}
    known |= {"doc_string"} if message.graph.doc_string else set()
    missing = [name for name in _listed(match.get("missing", ())) if name not in known]
    if not _between(opset, match, "opset") or not _between(ir, match, "ir") or "missing" in match and not missing:
        return
    yield None, {"opset": opset, "ir": ir, "missing": "`, `".join(missing)}
