"""What `torch.onnx` offers in each version of torch, from the table `rules/targets/torch.toml`, read on first use.

A range in the table, `2.1..2.4`, holds from the first to the last version; `2.5..` up to the newest one.
"""

from __future__ import annotations

import os
from functools import lru_cache

from onnx_lsp.rulebook import builtin_folder

Version = tuple[int, int]

NEWEST: Version = (2, 13)
# `dynamo=True` became the default in torch 2.9; [exporter] of the table says the same, but most scripts need no more.
DEFAULT_IS_NEW: Version = (2, 9)
# The lowest opset that the new exporter translates to by itself ([exporter], new_floor, every version that has it).
OPSET_FLOOR = 18
POSITIONAL = ("model", "args", "f")
# The order in which torch < 2.5 took them by position; releases before 1.11 had others, long gone, in between.
FORMER_ORDER = (
    *POSITIONAL, "export_params", "verbose", "training", "input_names", "output_names", "operator_export_type",
    "opset_version", "do_constant_folding", "dynamic_axes", "keep_initializers_as_inputs", "custom_opsets",
    "export_modules_as_functions", "autograd_inlining",
)  # fmt: skip
# What an argument that is gone is called now; and those that scripts still carry from before the oldest release listed.
SUCCESSORS = {"use_external_data_format": "external_data"}
FORGOTTEN = frozenset({"add_node_names", "export_type", "propagate", "google_printer"})

# Keywords that every release takes, and those that all since 2.5 take: a call with no others needs no table.
EVERYWHERE = frozenset(
    {
        *POSITIONAL, "export_params", "verbose", "training", "input_names", "output_names", "operator_export_type",
        "opset_version", "do_constant_folding", "dynamic_axes", "keep_initializers_as_inputs", "custom_opsets",
    }
)  # fmt: skip
SINCE_2_5 = EVERYWHERE | {
    "kwargs", "dynamo", "external_data", "dynamic_shapes", "report", "verify", "profile", "dump_exported_program",
    "artifacts_dir", "export_modules_as_functions", "autograd_inlining",
}  # fmt: skip


@lru_cache(maxsize=1)
def table() -> dict:
    """The table as it is written. Cached for the process: it ships with the package."""
    import tomllib

    with open(os.path.join(builtin_folder(), "targets", "torch.toml"), "rb") as file:
        return tomllib.load(file)


def within(version: Version, span: str) -> bool:
    """A version lies in a range of the table."""
    first, _, last = span.partition("..")
    return number(first) <= version and (not last or version <= number(last))


def number(text: str) -> Version:
    major, _, minor = text.partition(".")
    return (int(major), int(minor))


def arguments(version: Version) -> frozenset[str] | None:
    """The keywords of `torch.onnx.export`, or None where it takes any, or the version is not in the table."""
    for signature in table()["signature"]:
        if within(version, signature["torch"]):
            known = frozenset([*signature["positional"], *signature["keyword_only"]])
            return None if signature.get("accepts_any") else known
    return None


def known_by_heart(version: Version) -> frozenset[str]:
    """Keywords that this version surely takes."""
    return SINCE_2_5 if version >= (2, 5) else EVERYWHERE


def former_arguments() -> frozenset[str]:
    """The keywords that some version took."""
    return frozenset(table()["parameters"]) | FORGOTTEN


def removed_names(version: Version) -> dict[str, str]:
    """Attributes of `torch.onnx` that this version lacks and an earlier one had, each with the last that had it."""
    found = {}
    modules = table()["modules"]
    for name, span in {**modules, **table()["names"]}.items():
        last = span.partition("..")[2]
        gone = last and number(last) < version
        if gone and not (name in modules and within(version, modules[name])):
            found[name] = last
    return found


def default_exporter(version: Version) -> str:
    """The exporter of a call that does not say `dynamo=`."""
    return "new" if version >= DEFAULT_IS_NEW else "legacy"
