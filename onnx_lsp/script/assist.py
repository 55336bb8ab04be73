"""What an editor can say and offer at an export call: hover, completion, inlay hints. Pure; positions are byte offsets."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lsp import tables
from onnx_lsp.script import torch_api
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.source import Span
from onnx_lsp.script.written import answers, name_of, operators, opset_of
from onnx_lsp.targets import limits
from onnx_lsp.targets import parse as parse_target

OPSETS = range(9, 29)


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to insert. `kind` is `argument`, `name` or `value`."""

    label: str
    insert: str
    detail: str
    kind: str
    documentation: str = ""


def hover(script, offset: int) -> tuple[Span, str] | None:
    """What the argument, or the call in `forward()`, at this place does, as Markdown, and its span."""
    for call in script.calls:
        for argument in call.arguments.values():
            if argument.splat:
                continue
            node = argument.keyword or argument.node
            if node.start_byte <= offset <= node.end_byte and argument.name in descriptions():
                name = argument.keyword.child_by_field_name("name") if argument.keyword else argument.node
                if offset <= name.end_byte or not argument.node.named_child_count:
                    return (node.start_byte, node.end_byte), describe(call, argument.name, script.settings.targets)
    return _written(script, offset)


def _written(script, offset: int) -> tuple[Span, str] | None:
    """What a call of torch in a reachable `forward()` becomes, and what the targets of the project do with that."""
    for call in script.calls:
        for event in (event for walk in call.walks for event in walk.events if event.what == "call"):
            function = event.node.child_by_field_name("function") or event.node
            name = name_of(event)
            if name and event.source is call.source and function.start_byte <= offset <= function.end_byte:
                text = _becomes(name, call, script.settings.targets)
                return ((function.start_byte, function.end_byte), text) if text else None
    return None


def _becomes(name: str, call: ExportCall, targets: tuple[str, ...]) -> str:
    opset = opset_of(call)
    revisions = {op: tables.revision("", op, opset) for op in operators(name, call.exporter)} if opset and call.exporter else {}
    if not revisions:
        return ""
    shown = ", ".join(f"`{op}` (opset {since})" for op, since in revisions.items())
    lines = [f"becomes {shown} in the {call.exporter} exporter at opset {opset}"]
    for op, _, target, answer in answers(name, call, targets):
        lines.append(f"- {target.label}: `{op}` {answer.verdict.value}{'' if answer.sure else ' (the table is not sure)'}")
    return "\n".join(lines)


def describe(call: ExportCall, name: str, targets: tuple[str, ...] = ()) -> str:
    """What one argument does, as Markdown; of an opset also what the targets of the project say of it."""
    exporter = {"new": "new exporter", "legacy": "legacy exporter", None: "exporter not known"}[call.exporter]
    text = descriptions()[name]
    lines = [f"**`{name}`** · torch {_version(call.torch)}, {exporter}", "", text["does"]]
    if call.exporter and (extra := text.get(call.exporter)):
        lines += ["", extra]
    lines += _status(call, name)
    if name == "opset_version" and (value := call.get(name)) is not None and isinstance(value.constant, int):
        lines += ["", loads(value.constant, targets)]
    return "\n".join(lines)


def _status(call: ExportCall, name: str) -> list[str]:
    """Since when it exists, whether it is deprecated, whether the exporter in use reads it."""
    facts = torch_api.table()["parameters"].get(name, {})
    lines = []
    if call.exporter and torch_api.within(call.torch, facts.get(f"unread_by_{call.exporter}", "99.0..")):
        lines += ["", f"**Not read** by the {call.exporter} exporter."]
    if torch_api.within(call.torch, facts.get("deprecated", "99.0..")):
        lines += ["", f"Deprecated since torch {facts['deprecated'].partition('..')[0]}."]
    since, _, last = facts.get("torch", "..").partition("..")
    if torch_api.number(since or "0.0") > torch_api.number(torch_api.table()["versions"][0]):
        lines += ["", f"Since torch {since}."]
    if last:
        lines += ["", f"Removed after torch {last}."]
    if "default" in facts:
        lines += ["", f"Default: `{facts['default']}`."]
    return lines


def loads(opset: int, targets: tuple[str, ...] = ()) -> str:
    """Which runtimes load a model of this opset, from `rules/targets/versions.toml`; and which targets of the project do not."""
    versions = tables.read("versions")
    parts = []
    for section, title in (("onnxruntime", "onnxruntime"), ("tensorrt", "TensorRT")):
        first = next((name for name, facts in versions[section].items() if facts["opset"] >= opset), None)
        newest = list(versions[section])[-1]
        parts.append(f"{title} ≥ {first}" if first else f"no {title} up to {newest}")
    limited = [(target.label, limits(target)) for target in map(parse_target, targets)]
    above = [f"{label} loads opsets up to {bounds.max_opset}" for label, bounds in limited if bounds.max_opset and opset > bounds.max_opset]
    return f"Opset {opset} is loaded by {', '.join(parts)}." + (f" **{', '.join(above)}.**" if above else "")


def descriptions() -> dict:
    """The texts of `rules/targets/torch-arguments.toml`."""
    return tables.read("torch-arguments")


def complete(script, offset: int) -> list[Offer]:
    """What can stand at this place of an export call: arguments, opsets, or names of inputs and outputs as keys."""
    script, call = _call_at(script, offset)
    if call is None:
        return []
    argument = next(
        (item for item in call.arguments.values() if item.keyword and _within(item.keyword, offset) and not item.splat), None
    )
    if argument is None or offset <= argument.keyword.child_by_field_name("name").end_byte:
        return _arguments(call, offset)
    if argument.name == "opset_version":
        return _opsets(call, script.settings.targets)
    if argument.name == "dynamic_axes":
        return _keys(script, call, offset)
    return []


def _call_at(script, offset: int):
    """The script as it would be with something written at this place, and the call around it or None."""
    from onnx_lsp.script.syntax import parse

    data = script.source.data
    texts = [b""]
    if data[:offset].rstrip()[-1:] in (b"(", b",", b"=", b"{", b":"):
        texts = [b"_", b"_)"]
    for text in texts:
        if text:
            whole = (data[:offset] + text + data[offset:]).decode("utf-8", "surrogatepass")
            script = parse(whole, script.path, script.settings, script.workspace)
        inside = [call for call in script.calls if call.list_node.start_byte < offset < call.list_node.end_byte]
        if inside:
            return script, inside[-1]
    return script, None


def _within(node, offset: int) -> bool:
    return node.start_byte <= offset <= node.end_byte


def _arguments(call: ExportCall, offset: int) -> list[Offer]:
    node = call.source.node_at(offset, offset)
    if node is not None and node.type in ("string", "string_content", "comment", "integer"):
        return []
    taken = {name for name, item in call.arguments.items() if not (item.keyword and _within(item.keyword, offset))}
    known = torch_api.arguments(call.torch) or frozenset(descriptions())
    unread = {
        name for name, facts in torch_api.table()["parameters"].items()
        if call.exporter and torch_api.within(call.torch, facts.get(f"unread_by_{call.exporter}", "99.0.."))
    }  # fmt: skip
    names = [name for name in descriptions() if name in known and name not in taken | unread | {"model", "args", "f"}]
    return [Offer(f"{name}=", f"{name}=", "torch.onnx.export", "argument", describe(call, name)) for name in names]


def _opsets(call: ExportCall, targets: tuple[str, ...]) -> list[Offer]:
    facts = torch_api.table()["exporter"].get(_version(call.torch), {})
    low, high = facts.get("legacy_min", 7), facts.get("legacy_max", 20)
    if call.exporter == "new":
        low, high = facts.get("new_floor", 18), 25
    return [Offer(str(opset), str(opset), "opset", "value", loads(opset, targets)) for opset in OPSETS if low <= opset <= high]


def _keys(script, call: ExportCall, offset: int) -> list[Offer]:
    """Names that are not keys yet; without quotes where the cursor already stands inside some."""
    node = script.source.node_at(offset, offset)
    quoted = node is not None and node.type in ("string", "string_content", "string_end", "string_start")
    names = [(name, "input") for name in call.input_names or ()] + [(name, "output") for name in call.output_names or ()]
    return [Offer(name, name if quoted else f'"{name}"', f"{kind} of the model", "name") for name, kind in names]


def inlays(script) -> list[tuple[int, str]]:
    """What a call leaves unsaid: its exporter, and the opset that will be asked of it; at the end of the callee."""
    found = []
    for call in script.calls:
        if call.exporter is None:
            continue
        opsets = " or ".join(map(str, _unsaid_opsets(call)))
        label = f"{call.exporter} exporter" + (f", opset {opsets}" if opsets else "")
        found.append((call.node.child_by_field_name("function").end_byte, label))
    return found


def _unsaid_opsets(call: ExportCall) -> list[int]:
    """The opsets that may be asked, as far as the call does not say them: what a variable holds, or the default."""
    value, argument = call.get("opset_version"), call.arguments.get("opset_version")
    if value is None or call.given("opset_version") is False:
        facts = torch_api.table()["exporter"].get(_version(call.torch), {})
        return [opset for opset in [facts.get(f"{call.exporter}_default")] if opset]
    written = argument is not None and argument.node.type == "integer"
    opsets = [] if written else value.constants or []
    return sorted(set(opsets)) if all(type(opset) is int for opset in opsets) else []


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
