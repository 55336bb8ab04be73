"""The top of a model: opset imports, the IR version, the graph's name, metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.checks.names import HIDDEN_SINCE
from onnx_lsp.model.checks.runtime import needed_ir
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.signatures import domains, latest_ir

ONLY_VERSION = {"com.microsoft": 1, "com.microsoft.nchwc": 1, "com.ms.internal.nhwc": 1, "ai.onnx.training": 1}


def shown(domain: str) -> str:
    """A domain as a message calls it."""
    return domain or "ai.onnx"


@check("ONX002")
def no_opset(model: Model, report: Report) -> None:
    if not model.proto.opset_import:
        report("none")


def holders(model: Model) -> Iterator[tuple[str, object, list[Scope]]]:
    """Everything that imports opsets: its path (empty for the model), the proto, and the scopes that its imports hold in."""
    yield "", model.proto, [scope for scope in model.scopes if not scope.root.is_function]
    for function in model.functions:
        yield function.path, function.proto, [scope for scope in model.scopes if scope.root is function]


@check("ONX003")
def domain_not_imported(model: Model, report: Report) -> None:
    if not model.proto.opset_import:
        return
    local = {domain for domain, _ in model.function_ops}
    for path, _, scopes in holders(model):
        missing: dict[str, list[Node]] = {}
        for scope in scopes:
            imports = model.imports(scope)
            for node in scope.nodes:
                if node.domain not in imports:
                    missing.setdefault(node.domain, []).append(node)
        for domain, (first, *others) in missing.items():
            related = tuple(report.related(node, f"`{node.op}` is of it too") for node in others[:MAX_RELATED])
            version = model.opsets.get(domain) if path else None
            version = version or ONLY_VERSION.get(domain) or (1 if domain in local else None)
            fields = {"node": first.title(), "domain": shown(domain), "related": related}
            if version:
                edit = ModelEdit("ONX003", "add", path, (("domain", domain), ("version", version)), model.skeleton.digest)
                report("certain", first, version=version, fixes={"add": edit}, **fields)
            else:
                report("unknown", first, **fields)


@check("ONX004")
def imported_twice(model: Model, report: Report) -> None:
    for path, proto, _ in holders(model):
        given: dict[str, list[int]] = {}
        for item in proto.opset_import:
            given.setdefault("" if item.domain == "ai.onnx" else item.domain, []).append(item.version)
        for domain, numbers in given.items():
            if len(numbers) < 2:
                continue
            different = sorted(set(numbers))
            keep = numbers[-1] if len(different) == 1 else different[-1]
            edit = ModelEdit("ONX004", "drop", path, (("domain", domain), ("keep", keep)), model.skeleton.digest)
            listed = " and ".join(map(str, different))
            case = "same" if len(different) == 1 else "different"
            report(case, path or None, domain=shown(domain), versions=listed, keep=keep, count=len(numbers), fixes={"drop": edit})


@check("ONX005")
def unused_import(model: Model, report: Report) -> None:
    for path, proto, scopes in holders(model):
        used = {node.domain for scope in scopes for node in scope.nodes}
        if not path:
            used |= {node.domain for scope in model.scopes for node in scope.nodes} | {domain for domain, _ in model.function_ops}
        unused = [domain for domain in dict.fromkeys(model.imports(scopes[0])) if domain not in used] if scopes else []
        unused = [domain for domain in unused if domain]  # everybody imports ai.onnx, and some loaders want it
        if unused:
            edit = ModelEdit("ONX005", "drop", path, (("domains", tuple(unused)),), model.skeleton.digest)
            listed = ", ".join(f"`{domain}`" for domain in unused)
            report("one" if len(unused) == 1 else "several", path or None, domains=listed, fixes={"drop": edit})


@check("ONX006")
def ir_version(model: Model, report: Report) -> None:
    version, latest = model.proto.ir_version, latest_ir()
    lowest = needed_ir(model)
    if version > latest:
        edit = ModelEdit("ONX006", "set", "", (("to", latest),), model.skeleton.digest)
        report("newer", version=version, latest=latest, to=latest, fixes={"set": edit} if lowest <= latest else {})
    elif version < 1:
        edit = ModelEdit("ONX006", "set", "", (("to", max(lowest, 8)),), model.skeleton.digest)
        report("missing", to=max(lowest, 8), fixes={"set": edit})
    elif version < 8 and model.proto.functions:
        edit = ModelEdit("ONX006", "set", "", (("to", lowest),), model.skeleton.digest)
        report("functions", version=version, to=lowest, fixes={"set": edit})
    elif version < HIDDEN_SINCE and (hidden := [name for name in model.graph.initializers if name not in model.graph.inputs]):
        edit = ModelEdit("ONX006", "set", "", (("to", lowest),), model.skeleton.digest)
        report("initializers", version=version, name=hidden[0], count=len(hidden), to=lowest, fixes={"set": edit})


@check("ONX007")
def opset_unknown(model: Model, report: Report) -> None:
    known = domains()
    for path, proto, _ in holders(model):
        for item in proto.opset_import:
            domain = "" if item.domain == "ai.onnx" else item.domain
            lowest, latest = known.get(domain, (1, 1 << 62))
            fields = {"domain": shown(domain), "version": item.version}
            if item.version > latest:
                report("newer", path or None, latest=latest, **fields)
            elif item.version < lowest:
                report("below", path or None, lowest=lowest, **fields)


@check("ONX008")
def graph_without_name(model: Model, report: Report) -> None:
    unnamed = [scope for scope in model.scopes if not scope.is_function and not scope.proto.name]
    if unnamed:
        first, *others = unnamed
        related = tuple(report.related(scope.path, "this one too") for scope in others[:MAX_RELATED])
        paths = tuple(scope.path for scope in unnamed)
        edit = ModelEdit("ONX008", "name", "", (("paths", paths),), model.skeleton.digest)
        case = "main" if first.path == "graph" else "branch"
        report(case, first.path, place=first.path, related=related, fixes={"name": edit})


@check("ONX009")
def duplicate_metadata(model: Model, report: Report) -> None:
    entries = model.proto.metadata_props
    for key, count in Counter(entry.key for entry in entries).items():
        if count < 2:
            continue
        values = {entry.value for entry in entries if entry.key == key}
        edit = ModelEdit("ONX009", "drop", "", (("key", key),), model.skeleton.digest)
        case = "same" if len(values) == 1 else "different"
        report(case, key=key, count=count, fixes={"drop": edit})

