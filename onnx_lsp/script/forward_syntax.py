"""What each kind of statement and expression inside `forward` is to a `forward.Walk`: one small function per kind."""

from __future__ import annotations

import re

from onnx_lsp.script import kinds
from onnx_lsp.script.eval_state import Layer
from onnx_lsp.script.forward_calls import tensor_attribute, tensor_method, torch_call
from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.kinds import CONST, DIM, EACH, LAYER, METHOD, PLAIN, REF, SHAPE, TUPLE, UNKNOWN, Kind
from onnx_lsp.script.source import Source

# A condition with one of these tells exports, or training, from the rest: its author has thought of them.
GUARD = re.compile(r"is_tracing|is_scripting|is_compiling|onnx|export|trac(?:e|ing)|training|torchscript|jit|deploy")


def shortened(source: Source, node: Node) -> str:
    text = " ".join(source.of(node).split())
    return text if len(text) <= 50 else text[:49] + "…"


def item(kind: Kind, number: int) -> Kind:
    """One item of what is unpacked."""
    if kind.name == TUPLE:
        return kind.items[number] if number < len(kind.items) else UNKNOWN
    if kind.name == SHAPE:
        return Kind(DIM, batch=kind.batch and number == 0)
    return kinds.tensor() if kind.is_tensor else UNKNOWN


# Statements


def _expression_statement(walk, node: Node, scope) -> None:
    for child in node.named_children:
        if child.type == "assignment":
            _assignment(walk, child, scope)
        elif child.type == "augmented_assignment":
            left = child.child_by_field_name("left")
            right = walk.expression(child.child_by_field_name("right"), scope)
            if left.type == "identifier":
                walk.assign(left, kinds.calculated(walk.expression(left, scope), right), scope)
            else:
                walk.assign(left, right, scope)
        elif not scope.source.of(child).startswith(("print(", "log", "warnings.")):
            walk.expression(child, scope)


def _assignment(walk, node: Node, scope) -> Kind:
    right = node.child_by_field_name("right")
    if right is None:
        return UNKNOWN
    kind = _assignment(walk, right, scope) if right.type == "assignment" else walk.expression(right, scope)
    walk.assign(node.child_by_field_name("left"), kind, scope)
    return kind


def _return(walk, node: Node, scope) -> None:
    value = first_expression(node)
    scope.returned.append(walk.expression(value, scope) if value is not None else PLAIN)
    scope.over = True


def _leave(walk, node: Node, scope) -> None:
    scope.over = True


def _if(walk, node: Node, scope) -> None:
    clauses = node.children_by_field_name("alternative")
    ends = []
    quiet = decided = False
    for arm in (node, *(clause for clause in clauses if clause.type == "elif_clause")):
        test, block = arm.child_by_field_name("condition"), arm.child_by_field_name("consequence")
        quiet = quiet or GUARD.search(scope.source.of(test)) is not None
        walk.quiet += quiet
        truth = walk.condition(test, scope)
        walk.quiet -= quiet
        if truth is not False:
            ends.append(walk.branch(lambda block=block: walk.block(block, scope), scope, quiet))
        if truth is True:
            decided = True
            break
    if not decided:
        last = next((c.child_by_field_name("body") for c in clauses if c.type == "else_clause"), None)
        ends.append(walk.branch(lambda: walk.block(last, scope), scope, quiet))
    _merge(scope, ends)
    walk.quiet += quiet and any(over for _, over in ends)  # to the end of this block: an export may not come there


def _merge(scope, ends: list[tuple[dict[str, Kind], bool]]) -> None:
    alive = [names for names, over in ends if not over]
    if not alive:
        scope.over = True
        return
    merged = dict(alive[0])
    for names in alive[1:]:
        for name in {**merged, **names}:
            merged[name] = kinds.either(merged.get(name, UNKNOWN), names.get(name, UNKNOWN))
    scope.names = merged


def _for(walk, node: Node, scope) -> None:
    source = walk.expression(node.child_by_field_name("right"), scope)
    element = elements(source)

    def follow() -> None:
        walk.assign(node.child_by_field_name("left"), element, scope)
        walk.block(node.child_by_field_name("body"), scope)

    names, _ = walk.branch(follow, scope, False)
    _merge(scope, [(scope.names, False), (names, False)])


def _while(walk, node: Node, scope) -> None:
    walk.condition(node.child_by_field_name("condition"), scope)
    names, _ = walk.branch(lambda: walk.block(node.child_by_field_name("body"), scope), scope, False)
    _merge(scope, [(scope.names, False), (names, False)])


def _with(walk, node: Node, scope) -> None:
    walk.block(node.child_by_field_name("body"), scope)


def _try(walk, node: Node, scope) -> None:
    walk.block(node.child_by_field_name("body"), scope)


def elements(kind: Kind) -> Kind:
    """What iterating over a kind gives."""
    if kind.name == LAYER:
        return kinds.modules(_inside(kind.layers))
    if kind.name == EACH:
        return kind.items[0]
    if kind.name == TUPLE and kind.items:
        result = kind.items[0]
        for other in kind.items[1:]:
            result = kinds.either(result, other)
        return result
    return kinds.tensor() if kind.is_tensor else UNKNOWN


def _inside(layers: list[Layer]) -> list[Layer]:
    """The modules of a `ModuleList` or `Sequential`; of a plain list, which is its modules, those."""
    found = []
    for layer in layers:
        if layer.callee in ("torch.nn.ModuleList", "torch.nn.Sequential"):
            found += [part for parts in layer.parts.values() for part in parts]
        else:
            found.append(layer)
    return found


STATEMENTS = {
    "expression_statement": _expression_statement,
    "return_statement": _return,
    "raise_statement": _leave,
    "break_statement": _leave,
    "continue_statement": _leave,
    "if_statement": _if,
    "for_statement": _for,
    "while_statement": _while,
    "with_statement": _with,
    "try_statement": _try,
}


# Expressions


def _identifier(walk, node: Node, scope) -> Kind:
    name = scope.source.of(node)
    if name in scope.names:
        return scope.names[name]
    if name == scope.self_name:
        return kinds.modules([scope.layer])
    found = scope.frame.lookup(name)
    return kinds.of_value(found) if found is not None else kinds.reference(name)


def _attribute(walk, node: Node, scope) -> Kind:
    base = walk.expression(node.child_by_field_name("object"), scope)
    return _attribute_of(walk, base, scope.source.of(node.child_by_field_name("attribute")))


def _attribute_of(walk, base: Kind, name: str) -> Kind:
    if base.name == LAYER and len(base.layers) == 1:
        return walk.attribute_of(walk.reach.opened(base.layers[0]), name)
    if base.name == REF:
        return kinds.reference(f"{base.text}.{name}")
    return tensor_attribute(base, name) if base.is_tensor else UNKNOWN


def _call(walk, node: Node, scope) -> Kind:
    function = node.child_by_field_name("function")
    base, name = UNKNOWN, ""
    if function.type == "attribute":
        base = walk.expression(function.child_by_field_name("object"), scope)
        name = scope.source.of(function.child_by_field_name("attribute"))
    given = walk.arguments(node.child_by_field_name("arguments"), scope)
    if base.is_tensor:
        return tensor_method(walk, base, name, given, node, scope)
    callee = _attribute_of(walk, base, name) if name else walk.expression(function, scope)
    if callee.name == LAYER:
        return walk.call_layers(callee.layers, given, node, scope)
    if callee.name == METHOD:
        return walk.function(callee.function, given, callee.layers[0])
    if callee.name == kinds.FUNCTION:
        return walk.function(callee.function, given, None, scope.source)
    if callee.name == REF:
        imported = walk.imported(callee.text, given, scope)
        return torch_call(walk, callee.text, given, node, scope) if imported is None else imported
    return UNKNOWN


def _comparison(walk, node: Node, scope) -> Kind:
    operands = [walk.expression(child, scope) for child in node.named_children if child.type != "comment"]
    operators = {scope.source.of(child) for child in node.children if not child.is_named}
    if operators & {"is", "is not", "in", "not in"}:
        return PLAIN
    if any(kind.is_tensor for kind in operands):
        return kinds.tensor() if len(operands) == 2 else UNKNOWN
    return UNKNOWN


def _boolean(walk, node: Node, scope) -> Kind:
    left_node = node.child_by_field_name("left")
    quiet = GUARD.search(scope.source.of(left_node)) is not None
    left = walk.expression(left_node, scope)
    walk.quiet += quiet
    if left.is_tensor:
        walk.event("branch", left_node, scope, shortened(scope.source, left_node))
    right = walk.expression(node.child_by_field_name("right"), scope)
    walk.quiet -= quiet
    return right if right.is_tensor and not quiet else UNKNOWN


def _not(walk, node: Node, scope) -> Kind:
    inner = walk.expression(node.child_by_field_name("argument"), scope)
    if inner.name == CONST:
        return kinds.constant(not inner.value)
    return inner if inner.is_tensor else PLAIN


def _binary(walk, node: Node, scope) -> Kind:
    left = walk.expression(node.child_by_field_name("left"), scope)
    return kinds.calculated(left, walk.expression(node.child_by_field_name("right"), scope))


def _unary(walk, node: Node, scope) -> Kind:
    inner = walk.expression(node.child_by_field_name("argument"), scope)
    if inner.name == CONST and type(inner.value) in (int, float) and scope.source.of(node).startswith("-"):
        return kinds.constant(-inner.value)
    return inner if inner.is_tensor else UNKNOWN


def _subscript(walk, node: Node, scope) -> Kind:
    base = walk.expression(node.child_by_field_name("value"), scope)
    keys = node.children_by_field_name("subscript")
    found = [walk.expression(key, scope) for key in keys]
    if base.is_tensor:
        return kinds.tensor(base.batch and scope.source.of(keys[0]) in (":", "..."))
    only = found[0].value if len(found) == 1 and found[0].name == CONST else None
    if base.name == LAYER:
        return kinds.modules(_inside(base.layers))
    if base.name == SHAPE:
        is_slice = keys[0].type == "slice"
        return Kind(SHAPE) if is_slice else Kind(DIM, batch=base.batch and only == 0 and only is not False)
    if base.name == TUPLE and type(only) is int and -len(base.items) <= only < len(base.items):
        return base.items[only]
    return UNKNOWN


def _sequence(walk, node: Node, scope) -> Kind:
    children = [child for child in node.named_children if child.type != "comment"]
    found = tuple(walk.expression(child, scope) for child in children)
    return UNKNOWN if any(child.type == "list_splat" for child in children) else Kind(TUPLE, items=found)


def _conditional(walk, node: Node, scope) -> Kind:
    yes, test, no = [child for child in node.named_children if child.type != "comment"][:3]
    quiet = GUARD.search(scope.source.of(test)) is not None
    walk.quiet += quiet
    truth = walk.condition(test, scope)
    taken = ([yes] if truth is not False else []) + ([no] if truth is not True else [])
    results = [walk.expression(arm, scope) for arm in taken]
    walk.quiet -= quiet
    return results[0] if len(results) == 1 else kinds.either(*results)


def _comprehension(walk, node: Node, scope) -> Kind:
    saved = dict(scope.names)
    for child in node.named_children:
        if child.type == "for_in_clause":
            items = walk.expression(child.child_by_field_name("right"), scope)
            walk.assign(child.child_by_field_name("left"), elements(items), scope)
        elif child.type == "if_clause":
            walk.condition(first_expression(child), scope)
    walk.expression(node.child_by_field_name("body"), scope)
    scope.names = saved
    return UNKNOWN


def _inner(walk, node: Node, scope) -> Kind:
    return walk.expression(first_expression(node), scope)


def _number(walk, node: Node, scope) -> Kind:
    try:
        text = scope.source.of(node)
        return kinds.constant(int(text, 0) if node.type == "integer" else float(text))
    except ValueError:
        return UNKNOWN


def _string(walk, node: Node, scope) -> Kind:
    return kinds.constant(scope.source.of(node)) if node.child_count <= 3 else PLAIN


EXPRESSIONS = {
    "identifier": _identifier,
    "attribute": _attribute,
    "call": _call,
    "comparison_operator": _comparison,
    "boolean_operator": _boolean,
    "not_operator": _not,
    "binary_operator": _binary,
    "unary_operator": _unary,
    "subscript": _subscript,
    "tuple": _sequence,
    "list": _sequence,
    "expression_list": _sequence,
    "conditional_expression": _conditional,
    "list_comprehension": _comprehension,
    "generator_expression": _comprehension,
    "parenthesized_expression": _inner,
    "integer": _number,
    "float": _number,
    "string": _string,
    "true": lambda walk, node, scope: kinds.constant(True),
    "false": lambda walk, node, scope: kinds.constant(False),
    "none": lambda walk, node, scope: kinds.constant(None),
}
