"""Named arrays in an `.npz` file, whatever their names are, in a child."""

from __future__ import annotations


def save(path: str, named: dict[str, object]) -> None:
    """Writes arrays in order. The keys carry an index: `numpy.savez` keeps some names for itself (`file`)."""
    import numpy

    numpy.savez(path, **{f"{index}:{name}": plain_array(value) for index, (name, value) in enumerate(named.items())})


def load(path: str) -> dict[str, object]:
    """Reads what `save` wrote."""
    import numpy

    with numpy.load(path, allow_pickle=False) as stored:
        return {key.partition(":")[2]: stored[key] for key in stored.files}


def plain_array(value: object):
    """An array that `.npz` can hold: the items of a sequence follow each other, strings become text."""
    import numpy

    if isinstance(value, (list, tuple)) and value and isinstance(value[0], numpy.ndarray):
        value = numpy.concatenate([numpy.ravel(item) for item in value])
    array = numpy.asarray(value)
    return array.astype(str) if array.dtype == object else array
