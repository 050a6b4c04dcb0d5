"""The reader of ONNX's wire format, compared with the package onnx and fed with damage."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from digit_recognizer.errors import ModelError
from digit_recognizer.model_bytes import MAX_FIELDS, fields, metadata_entry, outline
from tests.plain_models import plain_bytes, plain_proto


def test_the_outline_agrees_with_the_onnx_package() -> None:
    content = plain_bytes(opsets=[("", 17), ("ai.onnx.ml", 3)])
    expected = onnx.load_from_string(content)
    found = outline(content)
    assert found.ir_version == expected.ir_version
    assert found.opsets == tuple((opset.domain, opset.version) for opset in expected.opset_import)
    assert found.operators == tuple((node.domain, node.op_type) for node in expected.graph.node)
    assert found.metadata == tuple((pair.key, pair.value) for pair in expected.metadata_props)
    assert bytes(found.graph) == expected.graph.SerializeToString()


def test_an_appended_metadata_entry_is_what_onnx_reads_back() -> None:
    value = "Zürich " * 100
    content = plain_proto().SerializeToString() + metadata_entry("place", value)
    assert {pair.key: pair.value for pair in onnx.load_from_string(content).metadata_props} == {"place": value}
    assert outline(content).metadata == (("place", value),)


def test_numbers_of_every_length_are_read_as_protobuf_writes_them() -> None:
    numbers = [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1]
    for number in numbers:
        content = onnx.OperatorSetIdProto(domain="d", version=number).SerializeToString()
        assert dict(fields(memoryview(content))).get(2) == number % 2**64


def test_a_file_cut_off_anywhere_is_refused_or_keeps_its_whole_graph() -> None:
    content = plain_bytes()
    graph = outline(content).graph
    for end in range(0, len(content) - 1, 97):
        try:
            found = outline(content[:end])
        except ModelError:
            continue
        assert bytes(found.graph) == bytes(graph)


def test_noise_of_any_kind_raises_nothing_but_model_errors() -> None:
    rng = np.random.default_rng(0)
    plain = plain_proto().SerializeToString()
    refused = 0
    for _ in range(2000):
        start = plain[: rng.integers(0, 60)] + rng.bytes(int(rng.integers(1, 80)))
        try:
            outline(start)
        except ModelError:
            refused += 1
    assert refused > 1900


def test_more_fields_than_any_model_has_are_refused_early() -> None:
    with pytest.raises(ModelError, match="fields"):
        outline(b"\x08\x01" * (MAX_FIELDS + 1))


def test_of_a_field_that_comes_twice_the_last_counts_as_in_protobuf() -> None:
    node = onnx.NodeProto(op_type="Relu", domain="evil").SerializeToString()
    for tail in (b"\x3a\x00", b"\x38\x01"):  # domain again: empty, and as a number, which parsers pass over
        graph = onnx.GraphProto().SerializeToString() + b"\x0a" + bytes([len(node) + 2]) + node + tail
        content = b"\x3a" + bytes([len(graph)]) + graph
        expected = onnx.load_from_string(content).graph.node[0]
        assert outline(content).operators == ((expected.domain, expected.op_type),)


def test_two_graphs_are_refused_since_parsers_would_merge_them() -> None:
    content = plain_proto().SerializeToString()
    with pytest.raises(ModelError, match="expected one graph, found 2"):
        outline(content + content)
