"""A model file becomes checked bytes and its metadata: the contract between training and reading, version 1.

One ONNX file, all its data inside. Input ``images`` uint8 (N, 28, 28), ink bright on black. Output ``probabilities``
float32 (N, 10), calibrated; where the model can tell non-digits also ``unfamiliarity`` float32 (N,). What a reader must
know besides stands in the file's metadata under ``digits.``, bound to the graph by a fingerprint. Nothing is run here;
knows neither torch, onnx nor ONNX Runtime.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from digit_recognizer._version import __version__
from digit_recognizer.analysis.inputs import InputFigures
from digit_recognizer.analysis.metrics import OUT_OF_REACH
from digit_recognizer.digits import CLASSES
from digit_recognizer.errors import FileError, ModelError
from digit_recognizer.files import read_bytes
from digit_recognizer.model_bytes import Outline, metadata_entry, outline

CONTRACT = "1"
INPUT = "images"
PROBABILITIES = "probabilities"
UNFAMILIARITY = "unfamiliarity"
MODEL_NAME = "model.onnx"
MAX_MODEL_BYTES = 128 * 2**20

_PREFIX = "digits."
_FINGERPRINT = _PREFIX + "fingerprint"
_OPERATOR_SETS = ("", "ai.onnx", "ai.onnx.ml")

# What a file begins with, where it is something else. An ONNX file begins with 0x08 (the version of its format).
_OTHER_KINDS = (
    (b"\x80", "a Python pickle, which could run code"),
    (b"PK\x03\x04", "a zip archive (torch.save and Keras write these), which may hold code"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras wrote them"),
    (b"\x1f\x8b", "a gzip file"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with: git lfs pull"),
    (b"<", "a web page or XML"),
    (b"{", "JSON"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


@dataclass(frozen=True)
class ModelMetadata:
    """What a model file says of itself.

    preset: recipe that trained it. data: name of the training data. data_fingerprint: ``Digits.fingerprint()`` of it.
    seed: of the training. temperature: what logits were divided by to be calibrated, above 0 (1 = as trained).
    min_confidence: 0-1, readings below are not accepted; OUT_OF_REACH, and none is. max_error: the error rate among
    accepted readings that min_confidence was chosen for, 0-1, or None where it was not chosen on data. created: ISO
    8601 time, UTC.
    classes: one name per output, in order. command, train_seconds: how it was trained and for how long, or "" and None
    where that is not told. inputs: figures of the digits that it was validated on, or None.

    Raises ModelError where a value is outside its range.

    >>> card = ModelMetadata(preset="fast", data="mnist", data_fingerprint="ab12", seed=0, min_confidence=0.9)
    >>> ModelMetadata.from_strings(card.to_strings()) == card
    True
    """

    preset: str
    data: str
    data_fingerprint: str
    seed: int
    temperature: float = 1.0
    min_confidence: float = 0.0
    max_error: float | None = None
    created: str = ""
    package_version: str = __version__
    classes: tuple[str, ...] = tuple("0123456789")
    command: str = ""
    train_seconds: float | None = None
    inputs: InputFigures | None = None

    def __post_init__(self) -> None:
        if self.classes != tuple("0123456789"):
            raise ModelError(f"model metadata: expected the classes 0 to 9, found {', '.join(self.classes)[:80]}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ModelError(f"model metadata: expected a temperature above 0, found {self.temperature:g}")
        if not (0 <= self.min_confidence <= 1 or self.min_confidence == OUT_OF_REACH):
            raise ModelError(f"model metadata: expected min_confidence from 0 to 1, found {self.min_confidence:g}")
        if self.max_error is not None and not 0 <= self.max_error <= 1:
            raise ModelError(f"model metadata: expected max_error from 0 to 1, found {self.max_error:g}")
        if self.train_seconds is not None and not (math.isfinite(self.train_seconds) and self.train_seconds >= 0):
            raise ModelError(f"model metadata: expected train_seconds of 0 or more, found {self.train_seconds:g}")

    def to_strings(self) -> dict[str, str]:
        """The metadata as ONNX stores it: keys under ``digits.``, values as JSON, the contract's version first."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["inputs"] = None if self.inputs is None else self.inputs.to_dict()
        values = {_PREFIX + name: json.dumps(value) for name, value in plain.items()}
        return {_PREFIX + "contract": CONTRACT} | values

    @classmethod
    def from_strings(cls, strings: Mapping[str, str]) -> ModelMetadata:
        """The inverse of ``to_strings``; keys that are not ours are passed over.

        Raises ModelError where the contract is missing or another one, or a value is missing or of the wrong type.
        """
        contract = strings.get(_PREFIX + "contract")
        if contract is None:
            raise ModelError(
                "the ONNX file has no metadata of digit-recognizer; export it with: digits export RUN -o FILE.onnx"
            )
        if contract != CONTRACT:
            wanted = strings.get(_PREFIX + "package_version", "unknown")[:40]
            raise ModelError(
                f"the model keeps contract {contract[:20]!r} and was written by version {wanted!r}; this is version "
                f"{__version__}, which knows contract {CONTRACT!r} alone: install that one, or export again",
                code="unknown_contract",
            )
        return cls(
            preset=_string(strings, "preset"),
            data=_string(strings, "data"),
            data_fingerprint=_string(strings, "data_fingerprint"),
            seed=int(_number(strings, "seed", whole=True)),
            temperature=_number(strings, "temperature"),
            min_confidence=_number(strings, "min_confidence"),
            max_error=None if strings.get(_PREFIX + "max_error") == "null" else _number(strings, "max_error"),
            created=_string(strings, "created"),
            package_version=_string(strings, "package_version"),
            classes=_strings(strings, "classes"),
            # Not told by the first files of this contract.
            command=_string(strings, "command") if _PREFIX + "command" in strings else "",
            train_seconds=None
            if strings.get(_PREFIX + "train_seconds", "null") == "null"
            else _number(strings, "train_seconds"),
            inputs=None if strings.get(_PREFIX + "inputs", "null") == "null" else _figures(strings, "inputs"),
        )


@dataclass(frozen=True)
class ModelFile:
    """A model file that passed every check that can be made without running it.

    name: what messages call it. content: its bytes. sha256: of the bytes, hex. metadata: what it says of itself.
    """

    name: str
    content: bytes
    sha256: str
    metadata: ModelMetadata


def read_model(path: str | Path) -> ModelFile:
    """Read an .onnx file, or the model.onnx of a run folder, and check all that can be checked without running it.

    Raises ModelError where it is not an ONNX file that keeps the contract, FileError where it cannot be read.

    >>> read_model("runs/kaggle").metadata.preset                     # doctest: +SKIP
    'fast'
    """
    path = Path(path)
    if path.is_dir():
        if not (path / MODEL_NAME).exists():
            raise ModelError(f"{path}: expected a run folder holding {MODEL_NAME}, found none; give RUN or FILE.onnx")
        path = path / MODEL_NAME
    try:
        content = read_bytes(path, limit=MAX_MODEL_BYTES)
    except FileError as error:
        if error.code == "too_large":
            raise ModelError(str(error), code="too_large") from error
        raise
    return check_model(content, str(path))


def check_model(content: bytes, name: str) -> ModelFile:
    """Check the bytes of a model file without running it. ``name`` is what messages call it.

    Raises ModelError where the bytes are no ONNX file (recognised by content), are cut off or damaged, hold external
    data, custom operators, subgraphs or functions, or lack the contract's metadata.
    """
    try:
        _refuse_other_kinds(content)
        found = outline(content)
        for domain, operator in found.operators:
            if domain not in _OPERATOR_SETS:
                raise ModelError(
                    f"the model needs the custom operator {f'{domain}.{operator}'[:80]!r}; expected ONNX's own alone"
                )
        strings = dict(found.metadata)
        metadata = ModelMetadata.from_strings(strings)
        if strings.get(_FINGERPRINT) != _fingerprint(found):
            raise ModelError(
                "graph and metadata do not belong together (damaged, or changed after export); export the model again",
                code="bad_fingerprint",
            )
    except ModelError as error:
        raise ModelError(f"{name}: {error}", code=error.code) from error
    return ModelFile(name, content, hashlib.sha256(content).hexdigest(), metadata)


def with_metadata(content: bytes, metadata: ModelMetadata) -> bytes:
    """The ONNX file ``content``, which has none yet, with ``metadata`` and the fingerprint that binds it to the graph.

    Needs no onnx package, so that anyone's exporter can meet the contract. Raises ModelError as ``outline`` does.

    >>> card = ModelMetadata(preset="own", data="mine", data_fingerprint="", seed=0)
    >>> Path("mine.onnx").write_bytes(with_metadata(Path("plain.onnx").read_bytes(), card))     # doctest: +SKIP
    """
    if taken := [key for key, _ in outline(content).metadata if key.startswith(_PREFIX)]:
        raise ModelError(f"the ONNX file has metadata of digit-recognizer already ({taken[0]}); start from a plain one")
    for key, value in metadata.to_strings().items():
        content += metadata_entry(key, value)
    return content + metadata_entry(_FINGERPRINT, _fingerprint(outline(content)))


def _fingerprint(found: Outline) -> str:
    """SHA-256 over graph, operator sets and our metadata in key order: weights and calibration stay together."""
    ours = sorted(pair for pair in found.metadata if pair[0].startswith(_PREFIX) and pair[0] != _FINGERPRINT)
    digest = hashlib.sha256(json.dumps([found.ir_version, sorted(found.opsets), ours]).encode())
    digest.update(found.graph)
    return digest.hexdigest()


def _refuse_other_kinds(content: bytes) -> None:
    if not content:
        raise ModelError("the file is empty; expected an ONNX model")
    start = content[:64].lstrip() if content[:1].isspace() else content[:64]
    for magic, kind in _OTHER_KINDS:
        if start.startswith(magic):
            raise ModelError(f"expected an ONNX model, found {kind}; nothing of it was loaded", code="not_onnx")
    if content[8:9] == b"{" and int.from_bytes(content[:8], "little") < MAX_MODEL_BYTES:
        raise ModelError(
            "expected an ONNX model, found safetensors weights; give the run's model.onnx", code="not_onnx"
        )
    if content[4:8] == b"TFL3":
        raise ModelError("expected an ONNX model, found a TensorFlow Lite model", code="not_onnx")


def _value(strings: Mapping[str, str], field: str) -> object:
    text = strings.get(_PREFIX + field)
    if text is None:
        raise ModelError(f"model metadata: {_PREFIX}{field} is missing; export the model again")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model metadata: {_PREFIX}{field}: expected JSON, found {text[:40]!r}") from error


def _string(strings: Mapping[str, str], field: str) -> str:
    value = _value(strings, field)
    if not isinstance(value, str):
        raise ModelError(f"model metadata: {_PREFIX}{field}: expected a text, found {str(value)[:40]}")
    return value


def _strings(strings: Mapping[str, str], field: str) -> tuple[str, ...]:
    value = _value(strings, field)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ModelError(f"model metadata: {_PREFIX}{field}: expected {CLASSES} texts, found {str(value)[:40]}")
    return tuple(value)


def _number(strings: Mapping[str, str], field: str, *, whole: bool = False) -> float:
    value = _value(strings, field)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        raise ModelError(f"model metadata: {_PREFIX}{field}: expected {kind}, found {str(value)[:40]}")
    try:
        return value if whole else float(value)
    except OverflowError as error:
        raise ModelError(f"model metadata: {_PREFIX}{field}: expected a number that a float can hold") from error


def _figures(strings: Mapping[str, str], field: str) -> InputFigures:
    value = _value(strings, field)
    if not isinstance(value, dict):
        raise ModelError(f"model metadata: {_PREFIX}{field}: expected figures by name, found {str(value)[:40]}")
    try:
        return InputFigures.from_dict(value)
    except ValueError as error:
        raise ModelError(f"model metadata: {_PREFIX}{field}: {error}") from error


__all__ = [
    "CONTRACT",
    "INPUT",
    "MAX_MODEL_BYTES",
    "MODEL_NAME",
    "PROBABILITIES",
    "UNFAMILIARITY",
    "ModelFile",
    "ModelMetadata",
    "check_model",
    "read_model",
    "with_metadata",
]
