"""Operators as onnx's schemas give them, as plain data: asking the native objects for every node would be slow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from onnx_lsp.model import proto


@dataclass(frozen=True, slots=True)
class Signature:
    """One version of an operator.

    Attributes:
        since: the opset version that brought this version.
        deprecated, experimental: what onnx says of it.
        inputs, outputs: (least, most) number.
        attributes: name -> (AttributeProto.AttributeType, whether it must be given).
        parameters: the names of the inputs.
        optional: whether each input may be left out in the middle.
        results: whether each output may be left out in the middle.
    """

    since: int
    deprecated: bool
    experimental: bool
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    attributes: dict[str, tuple[int, bool]]
    parameters: tuple[str, ...]
    optional: tuple[bool, ...]
    results: tuple[bool, ...]


def schema_of(op: str, domain: str, opset: int):
    """onnx's schema of an operator as of an opset; None where onnx has none. A model may name any 64-bit version."""
    defs = proto.native.defs
    try:
        return defs.get_schema(op, opset, domain) if 0 < opset < 1 << 31 else None
    except defs.SchemaError:
        return None


@lru_cache(maxsize=4096)
def signature(op: str, domain: str, opset: int) -> Signature | None:
    """The operator as a model of this opset has it; None where onnx has none."""
    schema = schema_of(op, domain, opset)
    if schema is None:
        return None
    defs = proto.native.defs
    formal, once = schema.inputs, defs.OpSchema.FormalParameterOption.Single
    return Signature(
        schema.since_version,
        schema.deprecated,
        schema.support_level == defs.OpSchema.SupportType.EXPERIMENTAL,
        (schema.min_input, schema.max_input),
        (schema.min_output, schema.max_output),
        {name: (int(item.type.value), item.required) for name, item in schema.attributes.items()},
        tuple(item.name for item in formal),
        tuple(item.option != once for item in formal),
        tuple(item.option != once for item in schema.outputs),
    )


@cache
def domains() -> dict[str, tuple[int, int]]:
    """The domains that onnx knows -> (lowest, highest) opset version."""
    return dict(proto.native.defs.schema_version_map())


@cache
def versions() -> dict[tuple[str, str], tuple[int, ...]]:
    """(domain, op) -> the opset versions that brought a version of it. Slow (30 ms): only for what went wrong."""
    found: dict[tuple[str, str], list[int]] = {}
    for schema in proto.native.defs.get_all_schemas_with_history():
        found.setdefault((schema.domain, schema.name), []).append(schema.since_version)
    return {key: tuple(sorted(numbers)) for key, numbers in found.items()}


@cache
def latest_ir() -> int:
    """The newest IR version that this onnx knows."""
    return max(proto.pb.Version.values())
