"""Model-local functions: given twice, calling themselves, unused, called wrongly, without the opsets they need."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model.calls import call_graph, called, key, keys, loop_of
from onnx_lsp.model.checks.header import shown
from onnx_lsp.model.checks.security import SHIPPED
from onnx_lsp.model.graph import Model, Scope


@check("ONX050")
def duplicate_function(model: Model, report: Report) -> None:
    for (domain, name, _), count in Counter(key(scope) for scope in model.functions).items():
        if count > 1:
            report("twice", f"function({domain}:{name})", name=name, domain=shown(domain), count=count)
    for scope in model.functions:
        for kind, names in (("input", scope.inputs), ("output", scope.outputs)):
            for name, count in Counter(names).items():
                if count > 1:
                    report("parameter", scope.path, kind=kind, name=name, function=scope.proto.name, count=count)
        if not scope.proto.name:
            report("nameless", scope.path, domain=shown(scope.proto.domain))


@check("ONX051")
def recursive_function(model: Model, report: Report) -> None:
    calls = call_graph(model)
    told: set[str] = set()
    for start in calls:
        loop = loop_of(start, calls) if start not in told else None
        if loop:
            told |= set(loop)
            names = " -> ".join(f"`{path[9:-1].partition(':')[2]}`" for path in [*loop, start])
            node = calls[loop[-1]][start]
            report("itself" if len(loop) == 1 else "loop", node, node=node.title(), loop=names, name=node.op)


@check("ONX052")
def opset_clash(model: Model, report: Report) -> None:
    for scope in model.functions:
        imports = model.imports(scope)
        for domain, version in imports.items():
            outer = model.opsets.get(domain)
            if outer is not None and outer != version and _differs(scope, domain, version, outer):
                report("clash", scope.path, name=scope.proto.name, domain=shown(domain), version=version, outer=outer)


def _differs(scope: Scope, domain: str, version: int, outer: int) -> bool:
    """Whether an operator that the function uses is another one in the model's opset."""
    from onnx_lsp.model.signatures import signature

    for node in scope.nodes:
        if node.domain == domain:
            one, other = signature(node.op, domain, version), signature(node.op, domain, outer)
            if one is not None and (other is None or one.since != other.since):
                return True
    return False


@check("ONX053")
def unused_function(model: Model, report: Report) -> None:
    table = keys(model)
    if not table:
        return
    used: set[str] = set()
    waiting = [scope for scope in model.scopes if not scope.root.is_function]
    inside: dict[str, list[Scope]] = {}
    for scope in model.scopes:
        inside.setdefault(scope.root.path, []).append(scope)
    while waiting:
        for node in waiting.pop().nodes:
            target = called(node, table)
            if target is not None and target.path not in used:
                used.add(target.path)
                waiting += inside[target.path]
    unused = [scope for scope in table.values() if scope.path not in used]
    if unused:
        edit = ModelEdit("ONX053", "drop", "", (("functions", tuple(key(scope) for scope in unused)),), model.skeleton.digest)
        related = tuple(report.related(scope.path, "this one too") for scope in unused[1:21])
        case = "one" if len(unused) == 1 else "several"
        report(case, unused[0].path, name=unused[0].proto.name, count=len(unused), related=related, fixes={"drop": edit})


@check("ONX055")
def wrong_call(model: Model, report: Report) -> None:
    table = keys(model)
    domains = {domain for domain, _, _ in table} - SHIPPED
    for node in model.nodes() if table else ():
        target = called(node, table)
        if target is None:
            if (node.domain, node.op) in model.function_ops:
                report("overload", node, node=node.title(), overload=node.proto.overload)
            elif node.domain and node.domain in domains:
                names = [name for domain, name, _ in table if domain == node.domain]
                close = next(iter(get_close_matches(node.op, names, 1, 0.6)), None)
                hint = f"; did you mean `{close}`?" if close else ""
                report("missing", node, node=node.title(), domain=node.domain, name=node.op, hint=hint)
            continue
        for kind, given, declared in (("input", node.inputs, target.inputs), ("output", node.outputs, target.outputs)):
            if len(given) > len(declared):
                report("many", node, node=node.title(), kind=kind, count=len(given), most=len(declared))
        allowed = {*target.proto.attribute, *(item.name for item in target.proto.attribute_proto)}
        names = [item.name for item in node.proto.attribute]
        for name in target.proto.attribute:
            if name not in names:
                report("attribute", node, node=node.title(), name=name)
        for name in names:
            if name not in allowed:
                report("stranger", node, node=node.title(), name=name)


@check("ONX056")
def unknown_reference(model: Model, report: Report) -> None:
    for scope in model.scopes:
        root = scope.root
        known = {*root.proto.attribute, *(item.name for item in root.proto.attribute_proto)} if root.is_function else set()
        for node in scope.nodes:
            for item in node.proto.attribute[:]:
                if item.ref_attr_name and item.ref_attr_name not in known:
                    case = "function" if root.is_function else "graph"
                    report(case, node, node=node.title(), name=item.name, reference=item.ref_attr_name)
