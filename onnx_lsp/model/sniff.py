"""What a file is that calls itself a model and is none, told by its first bytes."""

from __future__ import annotations

LFS_POINTER = b"version https://git-lfs.github.com/spec/"

# First bytes -> what it is.
MAGIC = (
    (b"GGUF", "a GGUF model"),
    (b"ftrt", "a TensorRT engine"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as a Keras model"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "an ELF binary"),
    (b"MZ\x90\x00", "a Windows binary"),
)
# Bytes at offset 4, behind a FlatBuffers root offset.
FLATBUFFERS = {b"TFL3": "a TensorFlow Lite model", b"ORTM": "an ONNX Runtime model (.ort)"}
# Tag bytes that a ModelProto can begin with: its fields with their wire types (onnx/onnx.proto).
FIRST_TAGS = (b"\x08", b"\x28", b"\x12", b"\x1a", b"\x22", b"\x32", b"\x3a", b"\x42", b"\x72", b"\xa2\x01", b"\xca\x01",
              b"\xd2\x01")  # fmt: skip


def is_lfs_pointer(head: bytes) -> bool:
    """Whether the file is what Git LFS leaves in place of one that was not downloaded."""
    return head.startswith(LFS_POINTER)


def foreign(head: bytes) -> str | None:
    """What the file is, in words, if its first bytes show that it is not an ONNX model; else None.

    Args:
        head: at least the first 512 bytes, if there are so many.
    """
    for magic, what in MAGIC:
        if head.startswith(magic):
            return what
    if head[4:8] in FLATBUFFERS:
        return FLATBUFFERS[head[4:8]]
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        torch = b"data.pkl" in head or b".format_version" in head or b"/version" in head
        return "a zip archive with a PyTorch checkpoint or program" if torch else "a zip archive; unpack it first"
    if len(head) > 2 and head[0] == 0x80 and head[1] in (2, 3, 4, 5) and head[2:3] in b"cC}](\x8a\x95":
        return "a Python pickle, such as an old PyTorch checkpoint"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32:
        return "a safetensors file"
    if not head.strip(b"\x00"):
        return "nothing but zero bytes"
    return _text(head)


def foreign_to_text(head: bytes) -> str | None:
    """What a file is, in words, that should be a model written as text, if it is none; else None."""
    what = foreign(head)
    if what in (ONNX_TEXT, JSON, TEXT):
        return None
    if what is None and b"\0" in head:
        return "binary; a protobuf model is named `.onnx`"
    return what


ONNX_TEXT, JSON, TEXT = "ONNX text; name it `.onnxtxt`", "a JSON document", "a text file"


def _text(head: bytes) -> str | None:
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page, perhaps an error or login page of the server it came from"
    if start.startswith((b"<?xml", b"<net ")):
        return "an XML document"
    if start.startswith((b"<", b"#")) and (b"ir_version" in start or b"opset_import" in start):
        return ONNX_TEXT
    if start.startswith((b"{", b"[")):
        return JSON
    return TEXT


def may_be_model(head: bytes) -> bool:
    """Whether the first byte can be the first of a ModelProto."""
    return head.startswith(FIRST_TAGS)
