import json
import pickle
import struct
from pathlib import Path

import pytest
import torch

from digit_recognizer.errors import CheckpointError, FileError
from digit_recognizer.training.checkpoint import CheckpointFolder, Snapshot, load_snapshot, save_snapshot


def snapshot(value: float = 1.0) -> Snapshot:
    return Snapshot({"weight": torch.full((3, 2), value), "order": torch.arange(4)}, {"step": 7, "rows": [{"a": None}]})


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    save_snapshot(tmp_path / "a.safetensors", snapshot())
    loaded = load_snapshot(tmp_path / "a.safetensors")
    assert loaded.facts == {"step": 7, "rows": [{"a": None}]}
    assert torch.equal(loaded.tensors["weight"], torch.ones(3, 2))
    assert torch.equal(loaded.tensors["order"], torch.arange(4))


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="weight holds values that are no finite numbers"):
        save_snapshot(tmp_path / "a.safetensors", snapshot(float("nan")))
    assert list(tmp_path.iterdir()) == []


def test_every_truncation_and_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_snapshot(path, snapshot())
    whole = path.read_bytes()
    cut = [whole[: len(whole) * part // 64] for part in range(64)]
    flipped = [whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :] for at in range(8, len(whole), 5)]
    for content in cut + flipped:
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            load_snapshot(path)


def test_a_file_without_a_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_snapshot(path, snapshot())
    path.write_bytes(path.read_bytes().replace(b"sha256", b"sha255"))
    with pytest.raises(CheckpointError, match="no 'sha256' in it"):
        load_snapshot(path)


def header(entries: dict[str, object], length: int | None = None, data: bytes = b"\0" * 8) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.mark.parametrize(
    "content",
    [
        header({}, length=2**63),
        header({}, length=(1 << 20) + 1, data=b" " * (2 << 20)),
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}),
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]}}),
        header({"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]}}),
        header(
            {
                "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            }
        ),
        header({"__metadata__": {"facts": "{}", "sha256": "0"}}, data=b""),
        b"",
        b"\x80\x04",
        pickle.dumps({"weight": [1.0]}) * 4,
    ],
)
def test_a_file_that_is_no_checkpoint_of_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.safetensors"):
        load_snapshot(path)


def test_a_missing_file_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        load_snapshot(tmp_path / "nothing.safetensors")


def test_the_last_two_are_kept_and_the_highest_step_is_the_newest(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "c")
    for step in (3, 10, 200):
        folder.save(step, Snapshot({"weight": torch.ones(1)}, {"step": step}))
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == [
        "step-000000010.safetensors",
        "step-000000200.safetensors",
    ]
    latest = folder.latest(warn=pytest.fail)
    assert latest is not None
    assert latest.facts["step"] == 200


def test_a_damaged_newest_falls_back_to_the_one_before_with_a_warning(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    for step in (1, 2):
        folder.save(step, Snapshot({"weight": torch.ones(1)}, {"step": step}))
    newest = tmp_path / "step-000000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    warnings: list[str] = []
    latest = folder.latest(warn=warnings.append)
    assert latest is not None
    assert latest.facts["step"] == 1
    assert len(warnings) == 1
    assert "step-000000002" in warnings[0]


def test_two_damaged_ones_are_an_error_and_stay_as_they_are(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    for step in (1, 2):
        (tmp_path / f"step-{step:09d}.safetensors").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="no checkpoint in it can be read"):
        folder.latest(warn=lambda warning: None)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"torn"}


def test_an_empty_or_missing_folder_has_no_latest(tmp_path: Path) -> None:
    assert CheckpointFolder(tmp_path / "none").latest(warn=pytest.fail) is None
