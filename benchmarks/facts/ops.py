"""Makes `rules/targets/ops.toml`: the revisions of every standard operator, from the installed onnx package.

    python -m benchmarks.facts.ops
"""

from __future__ import annotations

import sys
from collections import defaultdict

import onnx
from onnx import defs

from benchmarks.facts import tables


def main() -> int:
    schemas = defaultdict(lambda: defaultdict(list))
    for schema in defs.get_all_schemas_with_history():
        schemas[schema.domain or "ai.onnx"][schema.name].append(schema)
    out = []
    for domain, ops in sorted(schemas.items()):
        out += [f"[ops.{tables.key(domain)}]"]
        for op, found in sorted(ops.items()):
            words = [_word(schema) for schema in sorted(found, key=lambda schema: schema.since_version)]
            out.append(f"{op} = '{' '.join(words)}'")
        out.append("")
    comment = f"""The revisions (since_version) of every operator of the onnx standard. Made by `python -m benchmarks.facts.ops`; do not edit.
Source: onnx.defs of onnx {onnx.__version__}. f: this revision has a function body. x: deprecated from this revision on."""
    print(tables.save("ops.toml", comment, out[:-1]))
    return 0


def _word(schema: defs.OpSchema) -> str:
    body = "f" if schema.has_function or schema.has_context_dependent_function else ""
    return f"{schema.since_version}{body}{'x' if schema.deprecated else ''}"


if __name__ == "__main__":
    sys.exit(main())
