"""Files that are no models, or only parts of one."""

from __future__ import annotations

import pickle
from pathlib import Path

import onnx

TINY = """
<ir_version: 8, opset_import: ["" : 17], producer_name: "tests">
tiny (float[2,3] x) => (float[2,3] y)
{
  y = Relu(x)
}
"""


def tiny_bytes() -> bytes:
    return onnx.parser.parse_model(TINY).SerializeToString()


def tiny(path: Path) -> None:
    path.write_bytes(tiny_bytes())


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lfs_pointer(path: Path) -> None:
    path.write_text(
        "version https://git-lfs.github.com/spec/v1\n"
        "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
        "size 46838023\n"
    )


def html_page(path: Path) -> None:
    path.write_text("\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n")


def pickle_dump(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [1.0, 2.0]}))


def zip_archive(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "a model")


def torch_checkpoint(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(4096))


def no_graph(path: Path) -> None:
    path.write_bytes(onnx.ModelProto(ir_version=8, producer_name="tests").SerializeToString())


def truncated(path: Path) -> None:
    path.write_bytes(tiny_bytes()[:-20])


def two_gigabytes(path: Path) -> None:
    """A weight of 2 GiB in the file itself; the file is sparse and takes no room on the disk."""
    from onnx_lsp.model.varint import varint

    size = 1 << 31
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.UINT8, dims=[size]).SerializeToString()
    payload = varint(9 << 3 | 2) + varint(size)
    text = '<ir_version: 8, opset_import: ["" : 17]> g (uint8[1] x) => (uint8[n] y) { y = Concat<axis = 0>(x, w) }'
    model = onnx.parser.parse_model(text)
    graph = model.graph.SerializeToString()
    model.ClearField("graph")
    inner = varint(5 << 3 | 2) + varint(len(tensor) + len(payload) + size) + tensor + payload
    head = model.SerializeToString() + varint(7 << 3 | 2) + varint(len(graph) + len(inner) + size) + graph + inner
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)


def malformed(path: Path) -> None:
    """The length of the node is larger than the graph around it."""
    data = bytearray(tiny_bytes())
    graph = data.index(b":", data.index(b"tests") + 5)
    data[graph + 3] = 0x7F
    path.write_bytes(bytes(data))
