"""The bytes of an ONNX file become its outline: opsets, operators, metadata, and whether all data are inside.

A reader of protobuf's wire format, so that a file is judged before any runtime sees it and without the package onnx.
Knows nothing of digits, and never looks into weights. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digit_recognizer.errors import ModelError

# A plain classifier has some thousand fields; more than this is an attempt to keep the reader busy.
MAX_FIELDS = 300_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# Which field of which message holds a message that may hold, in the end, a tensor. The nesting is finite: subgraphs and
# functions, the only messages of ONNX that could contain themselves, are refused where they are met.
_INNER = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_REFUSED = {
    ("model", 20): "training information",
    ("model", 25): "functions",
    ("attribute", 6): "a subgraph (Loop, If, Scan)",
    ("attribute", 11): "a subgraph (Loop, If, Scan)",
    ("tensor", 13): "a reference to external data",
}
_EXTERNAL_LOCATION = ("tensor", 14)

Field = tuple[int, int | memoryview]


@dataclass(frozen=True)
class Outline:
    """What an ONNX file says of itself, without its weights.

    ir_version: version of the format. opsets: (domain, version) pairs. operators: (domain, type) of each node.
    metadata: (key, value) pairs in file order. graph: the graph's bytes, as they stand in the file.
    """

    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    operators: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...]
    graph: memoryview


def outline(content: bytes) -> Outline:
    """Read the outline of an ONNX file and refuse what a plain, self-contained graph has no need of.

    Raises ModelError where the bytes are no ONNX file, are cut off or damaged, or hold external data, subgraphs,
    functions or training information. Takes time in proportion to the number of fields, not to the size of weights.

    >>> outline(metadata_entry("author", "Ada") + bytes([0x3A, 0])).metadata
    (('author', 'Ada'),)
    """
    budget = [MAX_FIELDS]
    model = list(fields(memoryview(content), budget))
    graphs = [value for number, value in model if number == 7 and isinstance(value, memoryview)]
    if len(graphs) != 1:
        raise ModelError(f"expected one graph, found {len(graphs)}; this is not an ONNX model or it is damaged")
    _refuse_foreign_parts("model", model, budget)
    nodes = [list(fields(node, budget)) for node in _messages(fields(graphs[0], budget), 1)]
    opsets = [list(fields(opset, budget)) for opset in _messages(model, 8)]
    pairs = [list(fields(pair, budget)) for pair in _messages(model, 14)]
    return Outline(
        ir_version=_integer(model, 1),
        opsets=tuple((_text(opset, 1), _integer(opset, 2)) for opset in opsets),
        operators=tuple((_text(node, 7), _text(node, 4)) for node in nodes),
        metadata=tuple((_text(pair, 1), _text(pair, 2)) for pair in pairs),
        graph=graphs[0],
    )


def fields(message: memoryview, budget: list[int] | None = None) -> Iterator[Field]:
    """The fields of one protobuf message, as (number, integer or bytes), in file order; single floats are passed over.

    budget: a single counter shared by several calls; each field takes one. Raises ModelError where the bytes are no
    well-formed message.

    >>> list(fields(memoryview(bytes([0x08, 0x96, 0x01]))))
    [(1, 150)]
    """
    position, end = 0, len(message)
    while position < end:
        if budget is not None:
            budget[0] -= 1
            if budget[0] < 0:
                raise ModelError(f"more than {MAX_FIELDS:,} fields; this is not a digit model or it is damaged")
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ModelError("a field without a number; the file is damaged")
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _varint(message, position)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ModelError(f"a field of the unknown kind {kind}; this is not an ONNX model or it is damaged")
        if size > end - position:
            raise ModelError(
                f"a part of {size:,} bytes where {end - position:,} are left; the file is cut off or damaged"
            )
        if kind == _BYTES:
            yield number, message[position : position + size]
        position += size


def metadata_entry(key: str, value: str) -> bytes:
    """The bytes that, appended to an ONNX file, add one metadata entry: fields of a message may stand in any order."""
    pair = _length_delimited(1, key.encode("utf-8")) + _length_delimited(2, value.encode("utf-8"))
    return _length_delimited(14, pair)


def _refuse_foreign_parts(kind: str, message: list[Field], budget: list[int]) -> None:
    inner = _INNER[kind]
    for number, value in message:
        if part := _REFUSED.get((kind, number)):
            raise ModelError(f"the model holds {part}; expected one plain graph with all its data inside the file")
        if (kind, number) == _EXTERNAL_LOCATION and value != 0:
            raise ModelError("a tensor lies outside the file (external data); export the model as one file")
        if number in inner and isinstance(value, memoryview):
            _refuse_foreign_parts(inner[number], list(fields(value, budget)), budget)


def _messages(message: Iterable[Field], wanted: int) -> Iterator[memoryview]:
    return (value for number, value in message if number == wanted and isinstance(value, memoryview))


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ModelError("the last number is incomplete; the file is cut off or damaged")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ModelError("a number of more than ten bytes; this is not an ONNX model or it is damaged")


def _length_delimited(number: int, payload: bytes) -> bytes:
    size, prefix = len(payload), bytearray([number << 3 | _BYTES])
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + payload


# Of a field that comes twice the last one counts, and one of the wrong kind does not: so do the parsers of runtimes.
def _text(message: list[Field], wanted: int) -> str:
    texts = list(_messages(message, wanted))
    return bytes(texts[-1]).decode("utf-8", "replace") if texts else ""


def _integer(message: list[Field], wanted: int) -> int:
    integers = [value for number, value in message if number == wanted and isinstance(value, int)]
    return integers[-1] if integers else 0


__all__ = ["MAX_FIELDS", "Outline", "fields", "metadata_entry", "outline"]
