"""Makes `rules/targets/torch.toml`: what `torch.onnx` offers in each torch version.

    python -m benchmarks.facts.torch_exporters

Downloads one wheel per minor version (2 GB in all, one at a time, nothing is installed) and reads the sources of
`torch/onnx` from it. Nothing of torch is executed.
"""

from __future__ import annotations

import ast
import datetime
import sys
from dataclasses import dataclass, field

from benchmarks.facts import tables, wheels

INTERNAL = "torch/onnx/_internal/"
MINORS = ("1.8", "1.9", "1.10", "1.11", "1.12", "1.13", *(f"2.{minor}" for minor in range(14)))
# The macOS wheels carry no CUDA, so they are the small ones; torch/onnx is the same in all.
MACS = ("macosx_10_9_x86_64", "macosx_11_0_arm64", "macosx_12_0_arm64", "macosx_14_0_arm64")
PACKAGE = "torch/onnx/__init__.py"
UTILS = ("torch/onnx/_internal/torchscript_exporter/utils.py", "torch/onnx/utils.py")


@dataclass
class Release:
    """What the sources of one torch version say."""

    wheel: str
    positional: list[str] = field(default_factory=list)
    keyword_only: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)
    accepts_any: bool = False
    deprecated: set[str] = field(default_factory=set)
    read_by: dict[str, set[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    deprecated_names: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    opsets: dict[str, int] = field(default_factory=dict)


def main() -> int:
    releases = {}
    for minor in MINORS:
        try:
            with wheels.wheel(f"torch=={minor}.*", _python(minor), MACS) as path:
                releases[minor] = read(path.name, wheels.sources(path, "torch/onnx/"))
                print(minor, path.name, file=sys.stderr)
        except wheels.NoWheel as error:
            print(minor, error, file=sys.stderr)
    print(tables.save("torch.toml", _head(), render(releases)))
    return 0


def _python(minor: str) -> str:
    return {"1.8": "3.9", "1.9": "3.9", "1.10": "3.9"}.get(minor, "3.10" if minor.startswith("1.") else "3.11")


def _head() -> str:
    return f"""What torch.onnx offers per torch version. Made by `python -m benchmarks.facts.torch_exporters`; do not edit.
Source: the sources of torch/onnx in the PyPI wheels listed under [wheels], read on {datetime.date.today()}.
A range "2.1..2.4" holds from the first to the last version, "2.5.." up to the newest one listed."""


def read(wheel: str, files: dict[str, str]) -> Release:
    """Reads one version from the text of its `torch/onnx` files."""
    trees = {name: ast.parse(text) for name, text in files.items() if name.count("/") < 3 or name in UTILS}
    release = Release(wheel)
    package = trees[PACKAGE]
    utils = trees[next(name for name in UTILS if name in trees)]
    function = _function(package, "export")
    if function is None or function.args.vararg:
        function = _function(utils, "export")
    _signature(function, release)
    _branches(function, release)
    release.names, release.deprecated_names = _names(package)
    below, old = _names(utils)
    release.names |= {f"utils.{name}" for name in below if not name.startswith("_")}
    release.deprecated_names |= {f"utils.{name}" for name in old if not name.startswith("_")}
    release.modules = {name[11:-3] for name in trees if name.count("/") == 2 and name != PACKAGE}
    private = (name.removeprefix(INTERNAL).split("/")[0].removesuffix(".py") for name in files if name.startswith(INTERNAL))
    release.modules |= {f"_internal.{name}" for name in private if name != "__init__"}
    release.opsets = _opsets(files)
    return release


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    return next((item for item in tree.body if isinstance(item, ast.FunctionDef) and item.name == name), None)


def _signature(function: ast.FunctionDef, release: Release) -> None:
    args = function.args
    release.positional = [item.arg for item in args.args]
    release.keyword_only = [item.arg for item in args.kwonlyargs]
    release.accepts_any = args.kwarg is not None
    with_default = args.args[len(args.args) - len(args.defaults) :]
    pairs = [*zip(with_default, args.defaults, strict=True), *zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    release.defaults = {item.arg: ast.unparse(default) for item, default in pairs if default is not None}
    release.deprecated = _deprecated_parameters(ast.get_docstring(function) or "", set(release.defaults))


def _deprecated_parameters(docstring: str, parameters: set[str]) -> set[str]:
    """The parameters whose entry under `Args:` says in its first two lines that they are deprecated."""
    found, rows = set(), docstring.splitlines()
    for number, row in enumerate(rows):
        name = row.strip().split(":")[0].split(" (")[0]
        entry = " ".join(rows[number : number + 3 if row.strip().endswith(":") else number + 1])
        if name in parameters and row.startswith("    ") and "deprecated" in entry.lower():
            found.add(name)
    return found


def _branches(function: ast.FunctionDef, release: Release) -> None:
    """Which parameters are handed to the new exporter (`export_compat`) and which to the legacy one (`export`)."""
    for call in ast.walk(function):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).split(".")[-1]
        if name in ("export", "export_compat"):
            parts = [*call.args, *(word.value for word in call.keywords)]
            read = {leaf.id for part in parts for leaf in ast.walk(part) if isinstance(leaf, ast.Name)}
            release.read_by["new" if name == "export_compat" else "legacy"] = read


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The module's own names (defined, or imported from torch itself), and those with a deprecation decorator."""
    names, old = set(), set()
    for item in _statements(tree.body):
        if isinstance(item, (ast.FunctionDef, ast.ClassDef)):
            names.add(item.name)
            if any("deprecated" in ast.unparse(decorator) for decorator in item.decorator_list):
                old.add(item.name)
        elif isinstance(item, ast.Assign):
            names |= {target.id for target in item.targets if isinstance(target, ast.Name)}
        elif isinstance(item, ast.ImportFrom) and (item.level or (item.module or "").startswith("torch._C._onnx")):
            names |= {alias.asname or alias.name for alias in item.names}
    return {name for name in names if not name.startswith("__")}, old


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Module-level statements, those under `if` and `try` too, but not what only a type checker sees."""
    found = []
    for item in body:
        if isinstance(item, ast.If) and "TYPE_CHECKING" not in ast.unparse(item.test):
            found += _statements(item.body) + _statements(item.orelse)
        elif isinstance(item, ast.Try):
            found += _statements(item.body)
        elif not isinstance(item, ast.If):
            found.append(item)
    return found


def _opsets(files: dict[str, str]) -> dict[str, int]:
    """The opset constants. They moved between files and were renamed in 1.12 and 1.13."""
    constants: dict[str, int] = {}
    for name in ("symbolic_helper.py", "_constants.py", "_internal/exporter/_constants.py"):
        for item in ast.parse(files.get(f"torch/onnx/{name}", "")).body:
            if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant):
                constants[ast.unparse(item.targets[0]).lstrip("_").upper()] = item.value.value
    largest = constants.get("ONNX_MAX_OPSET") or constants["ONNX_MAIN_OPSET"]
    default = constants.get("ONNX_DEFAULT_OPSET") or constants["DEFAULT_ONNX_OPSET_VERSION"]
    found = {
        "legacy_default": default,
        "legacy_min": constants.get("ONNX_MIN_OPSET", 7),
        "legacy_max": constants.get("ONNX_TORCHSCRIPT_EXPORTER_MAX_OPSET", largest),
    }
    compat = files.get("torch/onnx/_internal/exporter/_compat.py")
    if compat:
        floor = constants.get("TORCHLIB_OPSET", 18)
        found["new_default"] = default if "ONNX_DEFAULT_OPSET" in compat else floor
        found["new_floor"] = floor
    return found


def render(releases: dict[str, Release]) -> list[str]:
    """The body of the table."""
    versions = list(releases)
    out = tables.wrapped("versions", versions)
    out += ["", "# dynamo: what `dynamo=` is when it is not given (absent: there is no such argument).",
            "# new_floor: the opset that the new exporter writes when it cannot deliver a lower one.", "[exporter]"]  # fmt: skip
    for version, release in releases.items():
        row = dict(release.opsets)
        if "dynamo" in release.defaults:
            row["dynamo"] = release.defaults["dynamo"] == "True"
        out.append(f"{tables.key(version)} = {tables.value(row)}")
    out += ["", "# torch.onnx.export(): the parameters in order. accepts_any: unknown keywords are swallowed."]
    for versions_of, release in _signatures(releases):
        out += ["[[signature]]", *tables.lines({"torch": versions_of}), *tables.wrapped("positional", release.positional)]
        out += tables.wrapped("keyword_only", release.keyword_only)
        out += ["accepts_any = true", ""] if release.accepts_any else [""]
    out += ["# default: in the newest version that has it. deprecated: says the documentation. unread_by_new / unread_by_legacy:\n# accepted, but not handed to that exporter."]
    out += ["[parameters]", *_parameters(releases)]
    out += ["", "# Attributes of torch.onnx (all) and of torch.onnx.utils (the public ones)."]
    return [*out, *_name_tables(releases), "", "[wheels]", *tables.lines({v: r.wheel for v, r in releases.items()})]


def _signatures(releases: dict[str, Release]) -> list[tuple[str, Release]]:
    """The distinct signatures, each with the range of versions that have it."""
    groups: list[tuple[list[str], Release]] = []
    for version, release in releases.items():
        same = groups and _shape(groups[-1][1]) == _shape(release)
        groups[-1][0].append(version) if same else groups.append(([version], release))
    return [(tables.ranges(found, list(releases))[0], release) for found, release in groups]


def _shape(release: Release) -> tuple:
    return release.positional, release.keyword_only, release.accepts_any


def _parameters(releases: dict[str, Release]) -> list[str]:
    versions = list(releases)
    order = dict.fromkeys(
        name for version in reversed(versions) for name in releases[version].positional + releases[version].keyword_only
    )
    out = []
    for name in order:
        having = [version for version in versions if name in releases[version].positional + releases[version].keyword_only]
        row: dict[str, object] = {"torch": _range(having, versions)}
        if name in releases[having[-1]].defaults:
            row["default"] = releases[having[-1]].defaults[name]
        row["deprecated"] = _range([v for v in having if name in releases[v].deprecated], versions)
        for exporter in ("new", "legacy"):
            unread = [v for v in having if exporter in releases[v].read_by and name not in releases[v].read_by[exporter]]
            row[f"unread_by_{exporter}"] = _range(unread, versions) if name not in ("dynamo", "dynamic_shapes") else None
        out.append(f"{name} = {tables.value({k: v for k, v in row.items() if v is not None})}")
    return out


def _range(having: list[str], versions: list[str]) -> str | list[str] | None:
    found = tables.ranges(having, versions)
    return None if not found else found[0] if len(found) == 1 else found


def _name_tables(releases: dict[str, Release]) -> list[str]:
    names = {version: release.names for version, release in releases.items()}
    deprecated = {version: release.deprecated_names for version, release in releases.items()}
    modules = {version: release.modules for version, release in releases.items()}
    return [
        "[names]", *_presence(names),
        "", "# Those that warn when they are used.", "[deprecated]", *_presence(deprecated),
        "", "# Modules that `import torch.onnx.NAME` finds, also where [names] has no such attribute.",
        "[modules]", *_presence(modules),
    ]  # fmt: skip


def _presence(by_version: dict[str, set[str]]) -> list[str]:
    """One line per name: the range of versions that have it."""
    versions, out = list(by_version), []
    for name in sorted({name for names in by_version.values() for name in names}):
        having = [version for version in versions if name in by_version[version]]
        out.append(f"{tables.key(name)} = {tables.value(_range(having, versions))}")
    return out


if __name__ == "__main__":
    sys.exit(main())
