"""Networks in torch against the same networks in ONNX Runtime."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from digit_recognizer.errors import FileError, ModelError, UsageError
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training import export, networks
from digit_recognizer.training.export import ExportReport, export_model
from tests.conftest import draw_digits

CARD = ModelMetadata(
    preset="fast",
    data="drawn",
    data_fingerprint="ab",
    seed=5,
    min_confidence=0.9,
    max_error=0.001,
    created="2026-01-01",
)
IMAGES = draw_digits(300, seed=9).images


class PooledNet(nn.Module):
    """Batch norm behind max-pool, dropout, mean and max pooling joined: what is easily exported wrong."""

    def __init__(self, seed: int, width: int = 8) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.ReLU(True),
            nn.Dropout2d(0.3), nn.Conv2d(width, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        )  # fmt: skip
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(32, 10)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.2, 3.0)
                nn.init.normal_(module.bias)
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_()
                module.running_var.uniform_(0.01, 4.0)

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        maps = self.features(ink)  # (N, 16, 14, 14)
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)  # (N, 32)
        logits: torch.Tensor = self.last(self.dropout(pooled))
        return logits


def ink_of(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> torch.Tensor:
    """uint8 (N, 28, 28) -> float32 (N, 1, 28, 28), 0-1, as networks take it."""
    return torch.from_numpy(images.astype(np.float32) / 255)[:, None]


@torch.no_grad()
def decided(network: PooledNet) -> PooledNet:
    """The network with a last layer scaled so that its answers differ from image to image, as after training."""
    logits = network.eval()(ink_of(draw_digits(100).images))
    scale = 3 / logits.std(0)
    network.last.weight.mul_(scale[:, None])
    network.last.bias.sub_(logits.mean(0)).mul_(scale)
    return network


class Ensemble(nn.Module):
    """Returns the logarithm of the mean probability of its members."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(decided(PooledNet(seed, width=4)) for seed in range(members))

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        every = torch.stack([member(ink).log_softmax(1) for member in self.members])
        return every.logsumexp(0) - math.log(len(self.members))


class Batchwise(nn.Module):
    """Answers differently alone and in a batch, as a network does that is left in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.net = PooledNet(0)

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        logits = self.net(ink)
        return torch.as_tensor(logits - logits.mean(0, keepdim=True))


class Wide(nn.Module):
    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        return ink.flatten(1)  # (N, 784)


class Untraceable(nn.Module):
    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        if float(ink.sum()) > 3:  # control flow on data
            return ink.flatten(1)[:, :10]
        return ink.flatten(1)[:, 10:20]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path_factory.getbasetemp() / "export-cache"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[PooledNet, ExportReport]:
    """A network in training mode and channels-last memory, as the trainer leaves it, and its export."""
    network = decided(PooledNet(1)).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    return network, export_model(network, path, metadata=CARD, temperature=1.7, check_images=IMAGES)


def by_torch(network: nn.Module, temperature: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The probabilities that the contract promises, computed here without the code under test."""
    with torch.no_grad():
        result: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = (
            (network.eval()(ink_of(IMAGES)) / temperature).softmax(1).numpy()
        )
    return result


def test_the_recognizer_answers_as_torch_does(exported: tuple[PooledNet, ExportReport]) -> None:
    network, report = exported
    expected = by_torch(network, 1.7)
    found = Recognizer(report.path).probabilities(IMAGES)
    assert np.abs(found - expected).max() < 1e-4
    assert np.array_equal(found.argmax(1), expected.argmax(1))
    assert found.max(1).mean() > 0.3  # the answers are not all alike, or nothing would be compared
    assert len(set(found.argmax(1))) > 5


def test_the_report_says_what_was_written(exported: tuple[PooledNet, ExportReport]) -> None:
    _, report = exported
    assert report.size == report.path.stat().st_size
    assert report.images == len(IMAGES)
    assert 0 <= report.max_difference < 1e-4
    assert [path.name for path in report.path.parent.iterdir()] == ["model.onnx"]


def test_metadata_and_temperature_are_in_the_file(exported: tuple[PooledNet, ExportReport]) -> None:
    recognizer = Recognizer(exported[1].path)
    assert recognizer.metadata.temperature == 1.7
    assert recognizer.metadata.to_strings() == CARD.to_strings() | {"digits.temperature": "1.7"}
    assert recognizer.min_confidence == 0.9


def test_the_file_passes_the_checker_of_onnx_and_names_no_place_of_this_machine(
    exported: tuple[PooledNet, ExportReport],
) -> None:
    content = exported[1].path.read_bytes()
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    for trace in (b"stack_trace", b".py", b"site-packages", str(Path.home()).encode() + b"/", b"test_export"):
        assert trace not in content


def test_the_network_is_left_as_it_was(exported: tuple[PooledNet, ExportReport]) -> None:
    network = PooledNet(2).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    export_model(network, exported[1].path.with_name("other.onnx"), metadata=CARD, temperature=1, check_images=IMAGES)
    exported[1].path.with_name("other.onnx").unlink()
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_an_ensemble_of_log_probabilities_gives_its_mean_probability(tmp_path: Path) -> None:
    ensemble = Ensemble(3)
    export_model(ensemble, tmp_path / "m.onnx", metadata=CARD, temperature=1.0, check_images=IMAGES)
    expected = np.mean([by_torch(member, 1.0) for member in ensemble.members], axis=0)
    assert np.abs(Recognizer(tmp_path / "m.onnx").probabilities(IMAGES) - expected).max() < 1e-4


def test_deskewed_members_are_exported_too(tmp_path: Path) -> None:
    torch.manual_seed(3)
    kinds = [networks.CompactNetwork((4, 8, 8)), networks.Deskewed(networks.CompactNetwork((4, 8, 8)))]
    network = networks.Ensemble(kinds).eval()
    path = tmp_path / "m.onnx"
    export_model(network, path, metadata=CARD, temperature=1, check_images=IMAGES)
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGES[:9].copy()).unsqueeze(1).float() / 255).softmax(1).numpy()
    np.testing.assert_allclose(Recognizer(path).probabilities(IMAGES[:9]), expected, atol=1e-4)


def test_export_is_silent_even_where_warnings_are_errors(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_model(PooledNet(3), tmp_path / "m.onnx", metadata=CARD, temperature=1.0, check_images=IMAGES)
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_not_finite_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    for value in (math.nan, math.inf):
        network = PooledNet(4)
        with torch.no_grad():
            network.last.bias[3] = value
        with pytest.raises(ModelError, match=r"'last\.bias'"):
            export_model(network, tmp_path / "m.onnx", metadata=CARD, temperature=1.0, check_images=IMAGES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "message"),
    [(Batchwise(), "alone than in a batch"), (Wide(), "(6, 10)"), (Untraceable(), "cannot be exported")],
)
def test_a_network_that_cannot_keep_the_contract_is_refused_and_the_old_file_stays(
    network: nn.Module, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    path.write_text("what was there before")
    with pytest.raises(ModelError) as caught:
        export_model(network, path, metadata=CARD, temperature=1.0, check_images=IMAGES)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "what was there before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("shift", "message"), [(0.01, "differs by"), (1e-4, "is a 1 in ONNX Runtime and a 0 in torch")]
)
def test_a_model_that_answers_otherwise_than_torch_is_never_written(
    shift: float, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Undecided(nn.Module):
        """Says 0 and 1 are almost alike, 0 a hair ahead."""

        def forward(self, ink: torch.Tensor) -> torch.Tensor:
            lead = torch.tensor([1.0 + 1e-5, 1.0, *[0.0] * 8])
            return lead + 0 * ink.mean((1, 2, 3))[:, None]

    def runtime_gone_wrong(
        session: object, images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    ) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], None]:
        answers, _ = run_session(session, images)
        answers[:, 0] -= np.float32(shift)
        answers[:, 1] += np.float32(shift)
        return answers, None

    run_session = export.run_session  # type: ignore[attr-defined]
    monkeypatch.setattr(export, "run_session", runtime_gone_wrong)
    with pytest.raises(ModelError, match=message):
        export_model(Undecided(), tmp_path / "m.onnx", metadata=CARD, temperature=1.0, check_images=IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_refused_before_the_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one image"):
        export_model(PooledNet(0), tmp_path / "m.onnx", metadata=CARD, temperature=1.0, check_images=IMAGES[:0])
    with pytest.raises(ModelError, match="temperature"):
        export_model(PooledNet(0), tmp_path / "m.onnx", metadata=CARD, temperature=0.0, check_images=IMAGES)


def test_a_place_that_cannot_be_written_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError):
        export_model(
            PooledNet(0), tmp_path / "file" / "m.onnx", metadata=CARD, temperature=1.0, check_images=IMAGES[:5]
        )
