"""A trained network becomes one ONNX file that keeps the contract, checked against torch before it is written.

Knows nothing of how the network was trained, nor of who will read the file.
"""

from __future__ import annotations

import io
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch

from digit_recognizer.digits import SIDE, Digits
from digit_recognizer.errors import ModelError, UsageError
from digit_recognizer.files import write_bytes
from digit_recognizer.model_file import (
    INPUT,
    MAX_MODEL_BYTES,
    PROBABILITIES,
    ModelMetadata,
    check_model,
    with_metadata,
)
from digit_recognizer.model_probe import open_session, run_session, try_here
from digit_recognizer.training.folding import folded

# Largest difference of a probability between ONNX Runtime and torch, both in float32. Rounding gives about 1e-6.
MAX_DIFFERENCE = 1e-3

_BATCH = 256


@dataclass(frozen=True)
class ExportReport:
    """What was written. size: bytes. max_difference: largest difference of a probability from torch, 0-1.

    images: how many both answered alike. seconds: what the export took, checks included.
    """

    path: Path
    size: int
    max_difference: float
    images: int
    seconds: float


def export_model(
    network: torch.nn.Module,
    path: str | Path,
    *,
    metadata: ModelMetadata,
    temperature: float,
    check_images: npt.NDArray[np.uint8],
) -> ExportReport:
    """Write ``network`` to ``path`` as ONNX: uint8 images -> / 255 -> network -> / temperature -> softmax.

    network: takes float32 (N, 1, 28, 28), 0-1, and returns logits (N, 10). Log-probabilities are logits too, so an
    ensemble may return the logarithm of its mean probability. It is copied, to the CPU, float32 and evaluation mode,
    and left as it is.
    metadata: goes into the file, with ``temperature`` put in, and the time where ``created`` is empty.
    temperature: above 0; 1 leaves the probabilities as they are (Guo et al., 2017).
    check_images: uint8 (N, 28, 28), 1 or more real digits that torch and ONNX Runtime must answer alike.

    The file appears whole or not at all. Raises ModelError, and writes nothing, where weights are not finite, the
    network cannot be exported, or probabilities differ by more than 1e-3 or in one label; FileError where the file
    cannot be written; UsageError without images to check.

    >>> export_model(network, "model.onnx", metadata=card, temperature=1.2, check_images=val.images)  # doctest: +SKIP
    ExportReport(path=PosixPath('model.onnx'), size=313567, max_difference=4.1e-07, images=4200, seconds=2.9)
    """
    start = time.perf_counter()
    images = Digits(check_images).images
    if not len(images):
        raise UsageError("expected at least one image to check the exported model on, found none")
    metadata = replace(
        metadata, temperature=temperature, created=metadata.created or datetime.now(UTC).isoformat(timespec="seconds")
    )
    _refuse_non_finite(network)
    reader = _Reader(network, temperature).eval()

    def answer(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with torch.no_grad():
            found: npt.NDArray[np.float32] = reader(torch.from_numpy(batch)).numpy()
        return found

    content = with_metadata(_plain_onnx(reader), metadata)
    difference = write_checked(content, path, images, answer)
    return ExportReport(Path(path), len(content), difference, len(images), time.perf_counter() - start)


def write_checked(
    content: bytes,
    path: str | Path,
    images: npt.NDArray[np.uint8],
    answer: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
) -> float:
    """Write a model file once it keeps the contract and ONNX Runtime answers ``images`` as torch does.

    answer: torch's probabilities of uint8 (N, 28, 28): float32 (N, 10), or (N, 11) with that of "no digit" last.
    Returns the largest difference of a probability. Raises ModelError, and writes nothing, where the file is too large,
    does not keep the contract, or answers otherwise; FileError.
    """
    if len(content) > MAX_MODEL_BYTES:
        raise ModelError(f"{path}: the model has {len(content):,} bytes, more than the limit of {MAX_MODEL_BYTES:,}")
    check_model(content, str(path))
    if reason := try_here(content):
        raise ModelError(f"{path}: the exported model does not keep the contract ({reason}); nothing was written")
    difference = _compare(answer, content, images, str(path))
    write_bytes(path, content)
    return difference


class _Reader(torch.nn.Module):
    """A network with the contract around it: uint8 (N, 28, 28) -> probabilities float32 (N, 10)."""

    def __init__(self, network: torch.nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = folded(network).to("cpu", torch.float32)
        self.temperature = temperature

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        ink = images.unsqueeze(1).to(torch.float32) / 255  # (N, 28, 28) -> (N, 1, 28, 28), 0-1
        logits = self.network(ink)  # (N, 10)
        return torch.softmax(logits / self.temperature, dim=1)


def _refuse_non_finite(network: torch.nn.Module) -> None:
    for name, tensor in network.state_dict().items():
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"the weights {name!r} hold NaN or infinity; expected finite ones, nothing was written")


def _plain_onnx(reader: torch.nn.Module) -> bytes:
    """The ONNX file without our metadata, and without the exporter's: that holds source paths of this machine."""
    # Two images: with 0 or 1 the exporter would take the batch for a constant.
    model = exported(reader, torch.zeros(2, SIDE, SIDE, dtype=torch.uint8), INPUT, PROBABILITIES)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def graph_of(network: torch.nn.Module) -> onnx.ModelProto:
    """The network alone as ONNX: ``ink`` float32 (N, 1, 28, 28) -> ``logits``; copied, on the CPU, in evaluation mode.

    Raises ModelError where weights are not finite or the network cannot be exported.
    """
    _refuse_non_finite(network)
    plain = folded(network).to("cpu", torch.float32)
    return exported(plain, torch.zeros(2, 1, SIDE, SIDE), "ink", "logits")


def exported(
    module: torch.nn.Module,
    example: torch.Tensor,
    given: str,
    result: str,
    *,
    sizes: Mapping[int, str] = MappingProxyType({0: "N"}),
    multiples: Mapping[int, int] = MappingProxyType({}),
) -> onnx.ModelProto:
    """A module of one input and one output as ONNX, without what the exporter tells of this machine.

    example: what goes in; its sizes are free where ``sizes`` names them by dimension, or any multiple of what
    ``multiples`` says. given, result: names of both.
    Raises ModelError where the module cannot be exported.
    """
    dimensions: dict[int, Any] = {number: torch.export.Dim(name) for number, name in sizes.items()}
    for number, multiple in multiples.items():
        dimensions[number] = multiple * dimensions[number]
    try:
        with _silence(), torch.no_grad():
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                dynamic_shapes=(dimensions,),
                input_names=[given],
                output_names=[result],
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter raises errors of many libraries, without a common base
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"the network cannot be exported to ONNX ({first})") from error
    if program is None:
        raise ModelError("the network cannot be exported to ONNX (the exporter returned nothing)")
    model: onnx.ModelProto = program.model_proto
    model.doc_string = model.graph.doc_string = ""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    return model


def _compare(
    answer: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
    content: bytes,
    images: npt.NDArray[np.uint8],
    name: str,
) -> float:
    """Largest difference of a probability between ONNX Runtime and torch. Raises ModelError where it is too large."""
    session = open_session(content, threads=torch.get_num_threads())
    largest = 0.0
    for first in range(0, len(images), _BATCH):
        batch = np.array(images[first : first + _BATCH])  # a copy: torch warns of read-only arrays
        expected = answer(batch)
        found, unfamiliarity = run_session(session, batch)
        if unfamiliarity is not None:
            none = unfamiliarity[:, None]
            found = np.concatenate([found * (1 - none), none], axis=1)
        largest = max(largest, float(np.abs(found - expected).max()))
        if not largest <= MAX_DIFFERENCE:
            raise ModelError(
                f"{name}: a probability differs by {largest:.2g} between ONNX Runtime and torch, "
                f"expected at most {MAX_DIFFERENCE:g}; nothing was written"
            )
        if len(other := np.flatnonzero(found.argmax(1) != expected.argmax(1))):
            at = int(other[0])
            raise ModelError(
                f"{name}: image {first + at + 1} is a {found[at].argmax()} in ONNX Runtime and a "
                f"{expected[at].argmax()} in torch; nothing was written"
            )
    return largest


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's progress lines, warnings and log away from the terminal; its errors come as exceptions."""
    loggers = [logging.getLogger(name) for name in ("torch", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def write_alike(content: bytes, path: str | Path, difference: float) -> None:
    """Write a model whose probabilities differ by ``difference`` at most between ONNX Runtime and torch.

    Raises ModelError, and writes nothing, where that is more than 1e-3 or no number; FileError where it cannot be.
    """
    if not difference <= MAX_DIFFERENCE:
        raise ModelError(
            f"{path}: a probability differs by {difference:.2g} between ONNX Runtime and torch, expected at most "
            f"{MAX_DIFFERENCE:g}; nothing was written"
        )
    write_bytes(path, content)


__all__ = ["MAX_DIFFERENCE", "ExportReport", "export_model", "exported", "graph_of", "write_alike", "write_checked"]
