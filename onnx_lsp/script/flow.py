"""Follows a script's statements, as far as they bear on its export calls, and records every export call it comes to.

The module is followed from its first statement; calls of its own functions are followed into them with the values at
hand, so that parameters are what the callers pass. A function that exports, or leads to one that does, and that nobody
calls in sight is followed by itself: its parameters are then their defaults, or unknown. Branches are both taken,
unless a condition is surely true or false, and their states merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from onnx_lsp.script import evaluate as ev
from onnx_lsp.script import library
from onnx_lsp.script.containers import elements, held, with_attribute, with_item, with_loose_attributes
from onnx_lsp.script.eval_state import TRAIN, Layer, picture, set_mode
from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.lightning import TO_ONNX, export_arguments, is_lightning, loads
from onnx_lsp.script.operators import truth_of_atom
from onnx_lsp.script.parameters import Arguments, bind_parameters, combined, frozen_arguments, open_arguments
from onnx_lsp.script.source import Source
from onnx_lsp.script.state import Frame, State, contents, either, frozen, loosened_content, merge
from onnx_lsp.script.statements import STATEMENTS
from onnx_lsp.script.values import (
    UNKNOWN,
    Cell,
    Class,
    Const,
    Function,
    Made,
    Map,
    Obj,
    Partial,
    Ref,
    Value,
    const,
    join,
)  # fmt: skip
from onnx_lsp.script.watched import watched

DEEPEST_CALL = 8
# How often one function is followed: one that leads to an export more often than others.
MOST_CALLS, MOST_CALLS_EXPORTING = 12, 64
TRANSPARENT = ("torch.", "staticmethod", "classmethod", "property", "functools.", "click.", "typer.", "hydra.", "abc.")
ASSIGNED = re.compile(rb"\bself\.(\w+)(?:\s*:[^=\n]+)?\s*[-+*/|]?=(?!=)")
EXPORTS = ("torch.onnx.export", "torch.onnx.utils.export")


class Observation:
    """A call as it was come to once: which function, its arguments, and what a method was called on, all frozen.

    `layers` is what an export call exports, as far as it is known.
    """

    __slots__ = ("node", "callee", "arguments", "owner", "layers")

    def __init__(self, node: Node, callee: str, arguments: Arguments, owner: Value | None = None) -> None:
        self.node, self.callee, self.arguments, self.owner = node, callee, arguments, owner
        self.layers: list[Layer] | None = None


class Flow:
    """Follows one script. `run` gives the export calls by their span, each with all its observations."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.steps = 0
        self.depth = 0
        self.loops = 0
        self.unrolled = 1
        self.active: list[tuple[int, int]] = []
        self.visited: set[int] = set()
        self.entered: dict[int, int] = {}
        self.wanted: set[int] = set()
        self.observations: dict[tuple[int, int], list[Observation]] = {}
        self.uses: dict[tuple[int, int], list[Observation]] = {}
        self.functions: dict[int, Function] = {}
        self.module = Frame(State({}, {}), None, None, ())

    def run(self, wanted: list[Node]) -> dict[tuple[int, int], list[Observation]]:
        """Follows the module, then each of the `wanted` functions that it did not lead to."""
        self.wanted = {node.start_byte for node in wanted}
        self._guarded(lambda: self.block(self.source.statements, self.module))
        self.module.state.dead = False
        self.also(wanted)
        return self.observations

    def also(self, wanted: list[Node]) -> None:
        """Follows each of these functions that nothing led to so far; the module has been followed."""
        for node in wanted:
            function = self.functions.get(node.start_byte)
            if function is not None and node.start_byte not in self.visited:
                self._guarded(lambda function=function: self.root(function, self.module))

    def _guarded(self, follow: Callable[[], object]) -> None:
        try:
            follow()
        except RecursionError:  # a text nested deeper than the counters foresee: what was found so far stays
            self.depth, self.loops, self.unrolled = 0, 0, 1
            self.active.clear()

    def root(self, function: Function, module: Frame) -> None:
        """Follows a function that nobody calls in sight."""
        frame = Frame(State({}, module.state.heap.copy()), module, None, (-function.node.start_byte,))
        if function.owner is not None:
            function = Function(function.node, function.frame, function.owner, self.instance(function.owner, frame))
        self.invoke(function, None, function.node, frame)

    def instance(self, cls: Class, frame: Frame) -> Value:
        """An object of a class whose construction is not in sight: `__init__` with unknown arguments.

        What its other methods assign may have changed since.
        """
        made = frame.new(Obj(cls, {}, cls.node), cls.node, "self")
        init = cls.find("__init__")
        if init is not None and isinstance(init.only, Function):
            self.invoke(Function(init.only.node, init.only.frame, cls, made), None, cls.node, frame)
            changing = self._assigned_later(cls, init.only.node)
            self.change(made, lambda atom: with_loose_attributes(atom, changing), frame)
        set_mode(made, None, frame.state.heap)
        return made

    def _assigned_later(self, cls: Class, init: Node) -> set[str]:
        """The attributes that a class and its bases of this file assign outside `__init__`."""
        nodes = [base.node for base in cls.lineage() if isinstance(base, Class)]
        found = (match for node in nodes for match in ASSIGNED.finditer(self.source.data, node.start_byte, node.end_byte))
        return {match[1].decode() for match in found if not init.start_byte <= match.start() < init.end_byte}

    evaluate = ev.evaluate

    # Statements

    def block(self, statements: list[Node], frame: Frame) -> None:
        for statement in statements:
            if frame.state.dead:
                return
            handler = STATEMENTS.get(statement.type)
            if handler is not None:
                handler(self, statement, frame)

    def body(self, node: Node, field: str, frame: Frame) -> None:
        """Follows the block in a field of a compound statement."""
        block = node.child_by_field_name(field)
        if block is not None:
            self.block(block.children, frame)

    def branch(self, frame: Frame, start: State, follow: Callable[[], object]) -> State:
        """The state after `follow` from a copy of `start`; the frame's own state is left as it was."""
        kept, frame.state = frame.state, start.copy()
        follow()
        result, frame.state = frame.state, kept
        return result

    def narrowed(self, test: Node, truth: bool, frame: Frame, expression: Node) -> Value:
        """An expression's value where a condition holds, or does not."""
        kept = frame.state
        frame.state = kept.copy()
        self.narrow(test, truth, frame)
        value = self.evaluate(expression, frame)
        kept.heap = {**frame.state.heap, **kept.heap}
        frame.state = kept
        return value

    def narrow(self, test: Node, truth: bool, frame: Frame) -> None:
        """Drops from a name what it cannot be where `test` is `truth`: `x is None`, `x`, `not x`, and `and` of them."""
        while test is not None and test.type == "parenthesized_expression":
            test = first_expression(test)
        if test is None:
            return
        if test.type == "not_operator":
            self.narrow(test.child_by_field_name("argument"), not truth, frame)
        elif test.type == "boolean_operator" and (test.child_by_field_name("operator").type == "and") == truth:
            self.narrow(test.child_by_field_name("left"), truth, frame)
            self.narrow(test.child_by_field_name("right"), truth, frame)
        elif test.type == "identifier":
            self._keep(test, frame, lambda atom: truth_of_atom(atom, frame, assumed=True) is not (not truth))
        elif test.type == "comparison_operator" and test.named_child_count == 2:
            left, right = test.named_children
            operators = [child.type for child in test.children if not child.is_named]
            if left.type == "identifier" and right.type == "none" and operators in (["is"], ["is not"], ["=="], ["!="]):
                wanted = truth == (operators[0] in ("is", "=="))
                self._keep(left, frame, lambda atom: (isinstance(atom, Const) and atom.value is None) == wanted)

    def _keep(self, name: Node, frame: Frame, keep: Callable) -> None:
        text = self.source.of(name)
        value = frame.state.names.get(text)
        if value is None or not value.atoms:
            return
        kept = tuple(atom for atom in value.atoms if isinstance(atom, Cell) or keep(atom))
        if len(kept) != len(value.atoms):
            frame.state.names[text] = Value(kept, value.partial or not kept)

    def bind(self, target: Node | None, value: Value, frame: Frame) -> None:
        """Assigns a value to a target: a name, a pattern, an attribute or a subscript."""
        if target is None:
            return
        if target.type in ("identifier", "as_pattern_target"):
            frame.bind(self.source.of(target), value)
        elif target.type in ("pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list"):
            self._unpack([child for child in target.named_children if child.type != "comment"], value, frame)
        elif target.type == "attribute":
            base = self.evaluate(target.child_by_field_name("object"), frame)
            name = self.source.of(target.child_by_field_name("attribute"))
            self.change(base, lambda atom: with_attribute(atom, name, value), frame)
            if name == "training":
                set_mode(base, None, frame.state.heap)
        elif target.type == "subscript":
            base = self.evaluate(target.child_by_field_name("value"), frame)
            keys = target.children_by_field_name("subscript")
            key = self.evaluate(keys[0], frame) if len(keys) == 1 else UNKNOWN
            self.change(base, lambda atom: with_item(atom, key, value), frame)
        elif target.type == "list_splat_pattern":
            self.bind(first_expression(target), UNKNOWN, frame)

    def _unpack(self, targets: list[Node], value: Value, frame: Frame) -> None:
        items = elements(value, frame)
        fits = items is not None and len(items) == len(targets)
        starred = any(target.type == "list_splat_pattern" for target in targets)
        for number, target in enumerate(targets):
            self.bind(target, items[number] if fits and not starred else UNKNOWN, frame)

    def change(self, value: Value, change: Callable, frame: Frame) -> None:
        """Replaces the contents of what `value` refers to; where that is not one thing, old and new are possible."""
        heap = frame.state.heap
        for atom in value.atoms:
            if isinstance(atom, Cell) and atom.id in heap:
                old = heap[atom.id]
                new = Value(tuple(change(content) for content in old.atoms), old.partial)
                heap[atom.id] = new if value.only is not None else either(old, new)

    def escape(self, value: Value, frame: Frame) -> None:
        """The value went where it cannot be followed: a container may have changed, a module may be in any mode."""
        for atom in value.atoms:
            if isinstance(atom, Cell):
                self.change(Value((atom,)), loosened_content, frame)
        set_mode(Value(value.atoms), None, frame.state.heap)

    # Attributes and calls

    def attribute(self, base: Value, name: str, node: Node, frame: Frame) -> Value:
        """`base.name`."""
        flat = contents(base, frame.state.heap)
        found = [self._attribute(atom, base, name, node, frame) for atom in flat.atoms]
        result = join(found)
        return result.loosened() if flat.partial else result

    def _attribute(self, atom, base: Value, name: str, node: Node, frame: Frame) -> Value:
        if isinstance(atom, Ref):
            return Value((Ref(f"{atom.name}.{name}", node),))
        if isinstance(atom, Obj):
            if name in atom.attributes:
                return atom.attributes[name]
            return self._member(atom.cls, base, name) if isinstance(atom.cls, Class) else UNKNOWN
        if isinstance(atom, Class):
            return self._member(atom, None, name)
        return library.attribute(atom, name, node)

    def _member(self, cls: Class, base: Value | None, name: str) -> Value:
        found = cls.find(name)
        if found is None:
            return UNKNOWN
        function = found.only
        if isinstance(function, Function):
            decorators = self.decorators(function.node)
            bound = None if "staticmethod" in decorators else base
            method = Function(function.node, function.frame, cls, bound)
            return UNKNOWN if "property" in decorators else Value((method,))
        return found

    def arguments(self, node: Node | None, frame: Frame) -> Arguments:
        """Evaluates the arguments of a call."""
        given = Arguments()
        children = node.named_children if node is not None and node.type == "argument_list" else [node]
        for child in children:
            if child is None or child.type == "comment":
                continue
            if child.type == "keyword_argument":
                name = self.source.of(child.child_by_field_name("name"))
                value = child.child_by_field_name("value")
                given.keywords[name] = self.evaluate(value, frame)
                given.nodes[name] = value
            elif child.type == "list_splat":
                splat = self.evaluate(first_expression(child), frame)
                items = elements(splat, frame)
                given.open = given.open or items is None
                for item in items if items is not None else held(splat, frame):
                    given.nodes[len(given.positional)] = child
                    given.positional.append(item)
            elif child.type == "dictionary_splat":
                self._splat(given, child, frame)
            elif child.type == "ERROR":
                given.open = True
            else:
                given.nodes[len(given.positional)] = child
                given.positional.append(self.evaluate(child, frame))
        return given

    def _splat(self, given: Arguments, node: Node, frame: Frame) -> None:
        """`**value`: known entries are arguments; what only some of the possible dicts have is uncertain."""
        flat = contents(self.evaluate(first_expression(node), frame), frame.state.heap)
        maps = [atom for atom in flat.atoms if isinstance(atom, Map)]
        given.open = given.open or flat.partial or len(maps) != len(flat.atoms) or any(atom.open for atom in maps)
        names = {key.constant for atom in maps for key, _ in atom.entries}
        if ... in names:
            given.open = True
        for name in sorted(name for name in names if isinstance(name, str)):
            found = [atom.get(name) for atom in maps]
            value = join([item for item in found if item is not None])
            given.keywords[name] = value if None not in found else value.loosened()
            given.nodes[name] = node
            given.splat.add(name)

    def call(self, node: Node, frame: Frame) -> Value:
        """The value of a call, and its effects."""
        function = node.child_by_field_name("function")
        if function.type == "attribute":
            if self.source.data.startswith(b"super(", function.start_byte):
                return self._call_super(function, node, frame)
            base = self.evaluate(function.child_by_field_name("object"), frame)
            name = self.source.of(function.child_by_field_name("attribute"))
            given = self.arguments(node.child_by_field_name("arguments"), frame)
            return self._call_method(base, name, given, node, frame)
        callee = self.evaluate(function, frame)
        given = self.arguments(node.child_by_field_name("arguments"), frame)
        return self.apply(callee, given, node, frame)

    def _call_super(self, function: Node, node: Node, frame: Frame) -> Value:
        """`super().name(…)`: the method of a base in sight, else that of `torch.nn.Module`."""
        given = self.arguments(node.child_by_field_name("arguments"), frame)
        name = self.source.of(function.child_by_field_name("attribute"))
        owner, bound = (frame.lookup(word) for word in ("__class__", "super()"))
        cls = owner.only if owner is not None else None
        if not isinstance(cls, Class) or bound is None:
            return UNKNOWN
        for base in cls.lineage()[1:]:
            method = base.body.get(name) if isinstance(base, Class) else None
            if method is not None and isinstance(method.only, Function):
                called = Function(method.only.node, method.only.frame, base, bound)
                return self.invoke(called, given, node, frame)
        results = [
            library.method(self, content, bound, name, given, node, frame)
            for content in contents(bound, frame.state.heap).atoms
        ]
        return join(results)

    def _call_method(self, base: Value, name: str, given: Arguments, node: Node, frame: Frame) -> Value:
        heap = frame.state.heap
        results = []
        for atom in base.atoms:
            one = Value((atom,)) if len(base.atoms) == 1 and not base.partial else Value((atom,), True)
            for content in contents(Value((atom,)), heap).atoms:
                if isinstance(content, Ref) or (isinstance(content, (Obj, Class)) and self._is_own(content, name)):
                    callee = self._attribute(content, Value((atom,)), name, node, frame)
                    results.append(self.apply(callee, given, node, frame))
                elif name == "load_from_checkpoint" and (cls := loads(content)) is not None:
                    results.append(self.construct(cls, open_arguments(), node, frame))
                else:
                    if name == "to_onnx" and is_lightning(content):
                        self.observe(TO_ONNX, export_arguments(given, one, node), node, frame)
                    if isinstance(content, Made) and watched(f"{content.callee}().{name}"):
                        self.use(f"{content.callee}().{name}", given, node, frame, one)
                    results.append(library.method(self, content, one, name, given, node, frame))
        if not results or base.partial:
            for value in given.all:
                self.escape(value, frame)
            results.append(library.of_any(name, given, node, frame) if not results else UNKNOWN)
        return join(results)

    def _is_own(self, atom: Obj | Class, name: str) -> bool:
        cls = atom.cls if isinstance(atom, Obj) else atom
        return name in getattr(atom, "attributes", ()) or (isinstance(cls, Class) and cls.find(name) is not None)

    def apply(self, callee: Value, given: Arguments, node: Node, frame: Frame) -> Value:
        """What calling `callee` gives."""
        results = []
        for atom in callee.atoms:
            if isinstance(atom, Function):
                results.append(self.invoke(atom, given, node, frame))
            elif isinstance(atom, Class):
                results.append(self.construct(atom, given, node, frame))
            elif isinstance(atom, Partial):
                results.append(self.apply(atom.target, combined(atom, given), node, frame))
            elif isinstance(atom, Ref):
                if atom.name in EXPORTS:
                    self.observe(atom.name, given, node, frame)
                elif watched(atom.name):
                    self.use(atom.name, given, node, frame)
                results.append(library.call(self, atom.name, given, node, frame))
            else:
                results.append(UNKNOWN)
        if not results or callee.partial:
            for value in given.all:
                self.escape(value, frame)
            results.append(UNKNOWN)
        return join(results)

    def observe(self, callee: str, given: Arguments, node: Node, frame: Frame) -> None:
        """Records an export call."""
        seen = Observation(node, callee, frozen_arguments(given, frame))
        seen.layers = picture(given.get(0, "model"), frame.state.heap, self.source)
        self.observations.setdefault((node.start_byte, node.end_byte), []).append(seen)

    def use(self, callee: str, given: Arguments, node: Node, frame: Frame, owner: Value | None = None) -> None:
        """Records a call that may be about an exported file; `owner` is what a method was called on."""
        kept = None if owner is None else frozen(owner, frame.state.heap)
        seen = Observation(node, callee, frozen_arguments(given, frame), kept)
        self.uses.setdefault((node.start_byte, node.end_byte), []).append(seen)

    def construct(self, cls: Class, given: Arguments, node: Node, frame: Frame) -> Value:
        """An instance of a class of this file."""
        made = frame.new(Obj(cls, {}, node, TRAIN), node, "instance")
        init = cls.find("__init__")
        if init is not None and isinstance(init.only, Function):
            self.invoke(Function(init.only.node, init.only.frame, cls, made), given, node, frame)
        else:
            for value in given.all:
                self.escape(value, frame)
        return made

    def invoke(self, function: Function, given: Arguments | None, node: Node, frame: Frame) -> Value:
        """Follows a call into a function of this file; `given` is None when the caller is not in sight."""
        key = (function.node.start_byte, function.node.end_byte)
        if key in self.active or len(self.active) >= DEEPEST_CALL or not self._enter(key[0]):
            for value in given.all if given else ():
                self.escape(value, frame)
            return UNKNOWN
        home = function.frame
        outer = home if home.function is not None else None
        inner = Frame(State({}, frame.state.heap), home.scope, function.node, (*frame.context, node.start_byte), outer)
        self.active.append(key)
        if function.owner is not None and function.bound is not None:
            inner.state.names.update({"__class__": Value((function.owner,)), "super()": function.bound})
        bind_parameters(self, function, given, inner)
        body = function.node.child_by_field_name("body")
        if function.node.type == "lambda":
            inner.returns.append(self.evaluate(body, inner))
        elif body is not None:
            self.block(body.children, inner)
        self.active.pop()
        if not inner.state.dead:
            inner.ends.append(inner.state)
            if function.node.type != "lambda":
                inner.returns.append(const(None))
        if inner.ends:
            frame.state.heap = merge(inner.ends).heap
        if not all(name.startswith(TRANSPARENT) for name in self.decorators(function.node)):
            return UNKNOWN
        return join(inner.returns)

    def _enter(self, start: int) -> bool:
        """Counts a call into a function; False when it was followed often enough."""
        self.visited.add(start)
        times = self.entered.get(start, 0)
        self.entered[start] = times + 1
        return self.steps < ev.MOST_STEPS and times < (MOST_CALLS_EXPORTING if start in self.wanted else MOST_CALLS)

    def decorators(self, function: Node) -> list[str]:
        """The decorators of a function as they are written, without arguments."""
        parent = function.parent
        if parent is None or parent.type != "decorated_definition":
            return []
        texts = [self.source.of(child) for child in parent.children if child.type == "decorator"]
        return [text.lstrip("@ ").partition("(")[0].strip() for text in texts]
