"""Is a rewritten model still the same model? Full check, interface, outputs. Runs in a child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx_lsp.actions import arrays

# The largest error that rounding explains, as a share of the largest magnitude in the output.
# fp32 kernels that sum in another order differ by about 1e-6 to 1e-4; a wrong kernel by far more.
TOLERANCE = {"float64": 1e-5, "float32": 1e-3, "float16": 1e-2}
# A value more than FAR times the median (or times TYPICAL, if that is more) is a mark, as in a masked logit.
FAR, TYPICAL = 1e6, 1e-3


@dataclass(frozen=True, slots=True)
class Difference:
    """How one output differs from the reference.

    Attributes:
        error: the largest difference, as a share of the reference's largest magnitude (floats), or the share of
            elements that differ (all other types).
        absolute: the largest absolute difference; 0 for types that are not numbers.
    """

    output: str
    case: str
    error: float
    absolute: float
    equal: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether all outputs agree; `worst` is the output that differs most."""

    equal: bool
    worst: Difference | None
    outputs: int


def compare(
    reference: tuple[str, ...], candidate: tuple[str, ...], cases: tuple[str, ...], tolerance: float | None = None
) -> Iterator[Agreement]:
    """Compares files of outputs, case by case and output by output (by position: names are the interface's matter)."""
    found = []
    for mine, other, case in zip(reference, candidate, cases):
        ours, theirs = arrays.load(mine), arrays.load(other)
        if len(ours) != len(theirs):
            found.append(Difference("", case, 1.0, 0.0, False, f"{len(theirs)} outputs instead of {len(ours)}"))
        pairs = zip(ours.items(), theirs.values())
        found += [difference(name, case, one, two, tolerance) for (name, one), two in pairs]
    worst = max(found, key=lambda item: (not item.equal, item.error), default=None)
    yield Agreement(all(item.equal for item in found), worst, len(found))


def difference(name: str, case: str, reference, candidate, tolerance: float | None = None) -> Difference:
    """Compares two arrays: dtype, shape, where they are NaN or infinite, and values."""
    import numpy

    if reference.dtype.kind != candidate.dtype.kind or (
        reference.dtype.kind != "U" and reference.dtype != candidate.dtype
    ):
        return Difference(name, case, 1.0, 0.0, False, f"is {candidate.dtype} instead of {reference.dtype}")
    if reference.shape != candidate.shape:
        shapes = f"{list(candidate.shape)} instead of {list(reference.shape)}"
        return Difference(name, case, 1.0, 0.0, False, f"has the shape {shapes}")
    if reference.dtype.kind not in "fc":
        wrong = float(numpy.mean(reference != candidate)) if reference.size else 0.0
        return Difference(name, case, wrong, 0.0, wrong == 0, f"{wrong:.2%} of the elements differ" if wrong else "")
    finite = numpy.isfinite(reference)
    same_places = numpy.array_equal(finite, numpy.isfinite(candidate))
    if not same_places or not numpy.array_equal(reference[~finite], candidate[~finite], equal_nan=True):
        return Difference(name, case, 1.0, 0.0, False, "is NaN or infinite in other places")
    ours, theirs = reference[finite].astype("float64"), candidate[finite].astype("float64")
    absolute, error = _errors(ours, theirs)
    allowed = TOLERANCE.get(str(reference.dtype), 1e-3) if tolerance is None else tolerance
    reason = f"differs by {error:.2g} of its largest value ({allowed:g} is allowed)" if error > allowed else ""
    return Difference(name, case, error, absolute, error <= allowed, reason)


def _errors(ours, theirs) -> tuple[float, float]:
    """The largest absolute difference, and the largest as a share of the largest magnitude.

    A few enormous values, the -1e9 of masked logits, would hide what the others do: those count for themselves.
    """
    import numpy

    if not ours.size:
        return 0.0, 0.0
    gaps, magnitudes = numpy.abs(ours - theirs), numpy.abs(ours)
    far = magnitudes > FAR * max(float(numpy.median(magnitudes)), TYPICAL)
    scale = max(float(numpy.max(magnitudes[~far])), 1e-6)
    return float(numpy.max(gaps)), float(numpy.max(gaps / numpy.where(far, magnitudes, scale)))


def check_candidate(original: str, candidate: str) -> Iterator[str]:
    """The first reason why `candidate` is not a valid model with the interface of `original`; empty when it is one."""
    import onnx

    try:
        onnx.checker.check_model(candidate, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        yield f"the checker rejects it: {str(error).strip().splitlines()[0]}"
        return
    before = onnx.load(original, load_external_data=False)
    after = onnx.load(candidate, load_external_data=False)
    yield interface_difference(before.graph, after.graph)


def interface_difference(before, after) -> str:
    """What differs between the inputs and outputs of two graphs, in words; empty when nothing does.

    Inputs that are initializers with a default (IR 3) are not part of the interface that a caller must feed. A
    rewritten model may know an output's size better than the original did, but must not contradict it.
    """
    defaults = {tensor.name for graph in (before, after) for tensor in graph.initializer}
    for kind in ("input", "output"):
        ours = [value for value in getattr(before, kind) if kind == "output" or value.name not in defaults]
        theirs = [value for value in getattr(after, kind) if kind == "output" or value.name not in defaults]
        if [value.name for value in ours] != [value.name for value in theirs]:
            return f"its {kind}s are {_names(theirs)} instead of {_names(ours)}"
        for one, two in zip(ours, theirs):
            if problem := _type_difference(one.type, two.type, exact=kind == "input"):
                return f"its {kind} `{one.name}` {problem}"
    return ""


def _names(values) -> str:
    return ", ".join(f"`{value.name}`" for value in values) or "none"


def _type_difference(one, two, exact: bool) -> str:
    if one.WhichOneof("value") != two.WhichOneof("value"):
        return f"is a {two.WhichOneof('value')} instead of a {one.WhichOneof('value')}"
    if not one.HasField("tensor_type"):
        return "" if one == two or not exact else "has another type"
    if one.tensor_type.elem_type != two.tensor_type.elem_type:
        return "has another element type"
    before, after = _dims(one.tensor_type), _dims(two.tensor_type)
    if before is None or after is None:
        return "" if before == after or not exact else "has another shape"
    if len(before) != len(after):
        return f"has {len(after)} dimensions instead of {len(before)}"
    for old, new in zip(before, after):
        fixed = isinstance(old, int) and old != new
        if fixed or (exact and isinstance(new, int) and old != new):
            return f"has the shape {after} instead of {before}"
    return ""


def _dims(tensor_type) -> list[int | str] | None:
    if not tensor_type.HasField("shape"):
        return None
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in tensor_type.shape.dim]
