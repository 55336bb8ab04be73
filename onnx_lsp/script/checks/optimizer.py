"""The optimizer that left the onnx package, and the passes of the package that it became."""

from __future__ import annotations

import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.guards import guarded_use
from onnx_lsp.script.names import Import
from onnx_lsp.script.syntax import Script

# onnxoptimizer.get_available_passes() of onnxoptimizer 0.4.2.
PASSES = frozenset(
    "adjust_add rename_input_output set_unique_name_for_nodes nop eliminate_nop_cast eliminate_nop_dropout "
    "eliminate_nop_flatten extract_constant_to_initializer eliminate_consecutive_idempotent_ops "
    "eliminate_if_with_const_cond eliminate_nop_monotone_argmax eliminate_nop_pad eliminate_nop_concat "
    "eliminate_nop_split eliminate_nop_expand eliminate_shape_gather eliminate_slice_after_shape "
    "eliminate_nop_transpose fuse_add_bias_into_conv fuse_bn_into_conv fuse_consecutive_concats "
    "fuse_consecutive_log_softmax fuse_consecutive_reduce_unsqueeze fuse_consecutive_squeezes "
    "fuse_consecutive_transposes fuse_matmul_add_bias_into_gemm fuse_pad_into_conv fuse_pad_into_pool "
    "fuse_transpose_into_gemm replace_einsum_with_matmul lift_lexical_references split_init split_predict "
    "fuse_concat_into_reshape eliminate_nop_reshape eliminate_nop_with_unit eliminate_common_subexpression fuse_qkv "
    "fuse_consecutive_unsqueezes eliminate_deadend eliminate_identity eliminate_shape_op fuse_consecutive_slices "
    "eliminate_unused_initializer eliminate_duplicate_initializer adjust_slice_and_matmul rewrite_input_dtype "
    "rewrite_where".split()
)


@check("EXP606")
def onnx_optimizer_removed(file: Script, report: Report) -> None:
    """`onnx.optimizer`, gone since onnx 1.9; and names of passes that onnxoptimizer does not have."""
    if "optimizer" not in file.text or not file.mentions_onnx:
        return
    imported = [item for item in file.imports.all if item.full == "onnx.optimizer"]
    uses = file.imports.uses("onnx.optimizer")
    places = [*(item.node for item in imported), *uses]
    free = [node for node in places if not guarded_use(file.source, node)]
    if free and len(free) == len(places):
        related = tuple(report.related(node, "also here") for node in free[1:21])
        report("removed", free[0], fixes={"replace": _replaced(file, imported, uses)}, related=related)
    for node in _pass_names(file):
        name = file.source.of(node)[1:-1]
        if name not in PASSES and name.isidentifier():
            closest = _closest(name)
            quote = file.source.of(node)[-1]
            fixes = {"rename": edits.replace(file.source, node, edits.literal(closest, quote))} if closest else {}
            report("misspelt-pass" if closest else "unknown-pass", node, fixes=fixes, name=name, closest=closest)


def _replaced(file: Script, imported: list[Import], uses: list[Node]) -> edits.Edits:
    """Imports and uses rewritten for the onnxoptimizer package."""
    source = file.source
    found: list = []
    plain = [node for node in uses if node.type == "attribute"]
    for item in imported:
        renamed = item.statement.type == "import_from_statement" or item.node.type == "aliased_import"
        local = item.local if renamed else None
        line = f"import onnxoptimizer as {local}" if local else "import onnx\nimport onnxoptimizer"
        found += _import_instead(source, item, line)
    if plain and not any(item.statement.type == "import_statement" for item in imported):
        first = next(item for item in file.imports.all if item.dotted == "onnx")
        end = first.statement.end_byte
        indent = edits.leading(source, first.statement.start_byte)
        found += edits.replace(source, (end, end), f"{source.newline}{indent}import onnxoptimizer")
    if not any(item.node.type == "aliased_import" and item.statement.type == "import_statement" for item in imported):
        for node in plain:
            found += edits.replace(source, node, "onnxoptimizer")
    return tuple(found)


def _import_instead(source, item: Import, line: str) -> edits.Edits:
    """Takes one name out of its import statement and puts a line of its own in, or below."""
    indent = edits.leading(source, item.statement.start_byte)
    line = line.replace("\n", source.newline + indent)
    names = item.statement.children_by_field_name("name")
    if len(names) == 1:
        return edits.replace(source, item.statement, line)
    end = item.statement.end_byte
    below = edits.replace(source, (end, end), f"{source.newline}{indent}{line}")
    return (*edits.remove_argument(source, item.node), *below)


def _closest(name: str) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(PASSES), 1, 0.7)
    return close[0] if close else None


def _pass_names(file: Script) -> list[Node]:
    """The strings in the list of passes of every `onnxoptimizer.optimize(model, [...])`."""
    found = []
    for dotted in ("onnxoptimizer.optimize", "onnxoptimizer.optimize_fixedpoint", "onnx.optimizer.optimize"):
        for use in file.imports.uses(dotted):
            call = use.parent
            if call is None or call.type != "call" or call.child_by_field_name("function") != use:
                continue
            given = [child for child in call.child_by_field_name("arguments").named_children if child.type != "comment"]
            named = [child for child in given if child.type == "keyword_argument"]
            values = {_name_of(file, child): child.child_by_field_name("value") for child in named}
            listed = values.get("passes")
            if listed is None and len(given) > 1 and given[1].type != "keyword_argument":
                listed = given[1]
            if listed is not None and listed.type == "identifier":
                listed = _assigned_once(file, listed)
            if listed is not None and listed.type in ("list", "tuple"):
                found += [child for child in listed.named_children if child.type == "string"]
    return found


def _name_of(file: Script, node: Node) -> str:
    return file.source.of(node.child_by_field_name("name"))


def _assigned_once(file: Script, name: Node) -> Node | None:
    """What a name is assigned, when the file assigns it once."""
    text = file.source.of(name)
    places = list(re.finditer(rb"^[ \t]*" + text.encode() + rb"\s*=(?!=)", file.source.data, re.MULTILINE))
    if len(places) != 1:
        return None
    node = file.source.node_at(places[0].end() - 1, places[0].end())
    assignment = node.parent if node is not None else None
    if assignment is None or assignment.type != "assignment":
        return None
    return assignment.child_by_field_name("right")
