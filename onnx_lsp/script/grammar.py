"""The Python grammar, loaded without what its packages import for other purposes.

`import tree_sitter, tree_sitter_python` runs two `__init__`s that bring in typing, importlib.resources and tempfile:
that takes longer than linting a script. Only the two extension modules inside are needed.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from types import ModuleType


def _extension(package: str) -> ModuleType:
    """The module `package._binding`, without running `package/__init__.py` where that can be avoided."""
    name = f"{package}._binding"
    if name in sys.modules:
        return sys.modules[name]
    outer = PathFinder.find_spec(package)
    spec = PathFinder.find_spec(name, outer.submodule_search_locations) if outer is not None else None
    if spec is None or spec.loader is None:
        return importlib.import_module(name)
    module = spec.loader.create_module(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_binding = _extension("tree_sitter")
Node, Parser, Point, Range, Tree = _binding.Node, _binding.Parser, _binding.Point, _binding.Range, _binding.Tree
LANGUAGE = _binding.Language(_extension("tree_sitter_python").language())


def first_expression(node: Node) -> Node | None:
    """The first child that is not a comment."""
    return next((child for child in node.named_children if child.type != "comment"), None)
