"""What is refused before a runtime sees it, and what a model file says of itself."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.numpy
from onnx import TensorProto, helper

from digit_recognizer.analysis.inputs import input_figures
from digit_recognizer.analysis.metrics import OUT_OF_REACH
from digit_recognizer.errors import FileError, ModelError
from digit_recognizer.model_bytes import outline
from digit_recognizer.model_file import (
    MAX_MODEL_BYTES,
    ModelMetadata,
    check_model,
    read_model,
    with_metadata,
)
from tests.conftest import draw_digits
from tests.plain_models import CARD, constant, endless_loop, plain_bytes, plain_proto


def refused(content: bytes) -> str:
    """The message that refuses ``content``: one sentence that begins with the file's name."""
    with pytest.raises(ModelError) as caught:
        check_model(content, "m.onnx")
    message = str(caught.value)
    assert message.startswith("m.onnx: ")
    assert "\n" not in message
    assert caught.value.exit_code == 4
    return message


def with_strings(changes: dict[str, str | None]) -> bytes:
    """A plain model whose metadata were changed by hand after it was written."""
    proto = onnx.load_from_string(plain_bytes())
    strings = {pair.key: pair.value for pair in proto.metadata_props} | changes
    helper.set_model_props(proto, {key: value for key, value in strings.items() if value is not None})
    content: bytes = proto.SerializeToString()
    return content


def test_metadata_come_back_from_the_file_as_they_went_in(tmp_path: Path) -> None:
    card = dataclasses.replace(
        CARD,
        data="Zürich 'quoted' \"text\"",
        max_error=0.001,
        created="2026-01-01T00:00:00+00:00",
        inputs=input_figures(draw_digits(30).images, np.full((30, 10), 0.1), 0.05),
    )
    (tmp_path / "model.onnx").write_bytes(with_metadata(plain_proto().SerializeToString(), card))
    assert read_model(tmp_path).metadata == card
    assert read_model(tmp_path / "model.onnx").metadata == card


def test_onnx_reads_the_metadata_as_plain_strings() -> None:
    stored = {pair.key: pair.value for pair in onnx.load_from_string(plain_bytes()).metadata_props}
    assert stored.pop("digits.fingerprint")
    assert stored == CARD.to_strings()
    assert stored["digits.contract"] == "1"


def test_a_model_may_accept_nothing() -> None:
    card = dataclasses.replace(CARD, min_confidence=OUT_OF_REACH, max_error=0.001)
    assert ModelMetadata.from_strings(card.to_strings()) == card


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 0.0), ("temperature", float("nan")), ("temperature", float("inf")), ("min_confidence", 1.01),
        ("min_confidence", float("nan")), ("max_error", -0.1), ("classes", ("a", "b")),
    ],
)  # fmt: skip
def test_metadata_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(ModelError, match=field):
        dataclasses.replace(CARD, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ModelMetadata)])
def test_each_missing_or_mistyped_value_is_named(field: str) -> None:
    strings = CARD.to_strings()
    for wrong in (None, "{", '{"a": 1}', "true", "1e999", "1" * 400, "[" * 100_000):
        changed = {key: value for key, value in strings.items() if key != f"digits.{field}"}
        if wrong is not None:
            changed[f"digits.{field}"] = wrong
        if field == "seed" and wrong == "1" * 400:
            continue  # any whole number is a seed
        if field in ("command", "train_seconds", "inputs") and wrong is None:
            assert getattr(ModelMetadata.from_strings(changed), field) in ("", None)  # the first files did not tell
            continue
        with pytest.raises(ModelError, match=field):
            ModelMetadata.from_strings(changed)


def test_a_newer_contract_is_refused_in_one_sentence_that_names_the_version() -> None:
    message = refused(with_strings({"digits.contract": "2", "digits.package_version": '"9.1.0"'}))
    assert "contract '2'" in message
    assert "9.1.0" in message


def test_a_plain_onnx_file_without_our_metadata_is_refused() -> None:
    assert "no metadata of digit-recognizer" in refused(plain_proto().SerializeToString())


def test_calibration_of_another_model_or_changed_by_hand_is_refused() -> None:
    assert "do not belong together" in refused(with_strings({"digits.temperature": "0.5"}))
    assert "do not belong together" in refused(with_strings({"digits.fingerprint": None}))
    other = onnx.load_from_string(plain_bytes())
    other.graph.initializer[3].CopyFrom(constant("bias", np.zeros(10)))
    assert "do not belong together" in refused(other.SerializeToString())


def test_a_file_that_onnx_loads_and_saves_unchanged_is_still_good() -> None:
    assert check_model(onnx.load_from_string(plain_bytes()).SerializeToString(), "m").metadata == CARD


def test_metadata_are_not_written_over_others() -> None:
    with pytest.raises(ModelError, match="already"):
        with_metadata(plain_bytes(), CARD)


def test_other_kinds_of_file_are_recognised_by_content() -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    cases = {
        "empty": b"",
        "pickle": pickle.dumps({"weights": [1, 2]}),
        "zip": zipped.getvalue(),
        "safetensors": safetensors.numpy.save({"w": np.zeros(3, np.float32)}),
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(20),
        "web page": b"\n  <!DOCTYPE html><html></html>",
        "JSON": b'{"a": 1}',
        "Git LFS": b"version https://git-lfs.github.com/spec/v1\n",
        "TensorFlow Lite": b"\x1c\x00\x00\x00TFL3" + bytes(50),
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(20),
        "not an ONNX model": b"S'text'\n.",
    }
    for kind, content in cases.items():
        assert kind in refused(content), kind


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_run_a_command_never_does(protocol: int, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {canary}",)

    canary = tmp_path / "canary"
    path = tmp_path / "model.onnx"
    path.write_bytes(pickle.dumps(Evil(), protocol))
    with pytest.raises(ModelError):
        read_model(path)
    assert not canary.exists()


def test_a_file_cut_off_at_every_64th_part_is_refused() -> None:
    content = plain_bytes()
    for part in range(64):
        refused(content[: len(content) * part // 64])


def test_every_flipped_byte_is_refused_or_touches_nothing_that_counts() -> None:
    content = plain_bytes()
    good = check_model(content, "m")
    rng = np.random.default_rng(7)
    harmless = 0
    # Half of the flips go to the last 2,000 bytes, where the metadata are.
    positions = [*rng.integers(0, len(content), 300), *rng.integers(len(content) - 2000, len(content), 300)]
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1 << int(rng.integers(8))
        try:
            found = check_model(bytes(changed), "m")
        except ModelError:
            continue
        harmless += 1
        assert found.metadata == good.metadata
        assert outline(found.content).graph == outline(content).graph
    assert harmless < 10


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret.bin", "link.bin", "weights.bin"])
def test_external_data_are_refused_wherever_they_point(location: str, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(31360))
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    proto = plain_proto()
    tensor = proto.graph.initializer[2]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match="external data"):
        read_model(path)
    del tensor.external_data[:]
    assert "external data" in refused(proto.SerializeToString())


def test_external_data_are_found_in_attributes_and_sparse_tensors_too() -> None:
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    in_attribute = plain_proto(extra=[helper.make_node("Constant", [], ["unused"], value=outside)])
    in_sparse = plain_proto()
    in_sparse.graph.sparse_initializer.add(values=outside)
    for proto in (in_attribute, in_sparse):
        assert "external data" in refused(proto.SerializeToString())


def test_a_custom_operator_is_named() -> None:
    node = helper.make_node("Shell", ["logits"], ["shelled"], domain="com.evil")
    content = plain_proto(extra=[node], opsets=[("", 17), ("com.evil", 1)]).SerializeToString()
    assert "'com.evil.Shell'" in refused(content)


def test_functions_nested_three_thousand_deep_are_refused_without_recursion() -> None:
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("deep", 1)]
    functions = [
        helper.make_function(
            "deep", f"f{level}", ["x"], ["y"], [helper.make_node(f"f{level + 1}", ["x"], ["y"], domain="deep")], opset
        )
        for level in range(3000)
    ]
    assert "functions" in refused(plain_proto(functions=functions).SerializeToString())


def test_an_endless_loop_is_refused_before_it_runs() -> None:
    assert "subgraph" in refused(plain_proto(**endless_loop()).SerializeToString())


def test_training_information_is_refused() -> None:
    proto = plain_proto()
    proto.training_info.add()
    assert "training information" in refused(proto.SerializeToString())


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    with path.open("wb") as stream:
        stream.truncate(MAX_MODEL_BYTES + 1)  # a sparse file: takes no room
    with pytest.raises(ModelError, match="limit"):
        read_model(path)


def test_a_missing_file_is_a_file_error_and_a_folder_without_a_model_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        read_model(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        read_model(tmp_path)


def test_the_metadata_are_json_values() -> None:
    values = {key: json.loads(value) for key, value in CARD.to_strings().items()}
    assert values["digits.temperature"] == 1.5
    assert values["digits.classes"] == list("0123456789")
    assert values["digits.max_error"] is None
