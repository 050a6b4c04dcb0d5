"""Killed before any change that it makes to the disk, a training goes on and ends with the same weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EVERY = 8  # of the changes, here; crash_program tries them all where nothing is said


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is fsynced is told by /proc, which Linux has")
def test_killed_before_a_change_to_the_disk_a_training_goes_on_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.training.crash_program", str(tmp_path), str(EVERY)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["tried"] >= len(found["changes"]) / EVERY >= 10
    for part in ("config.json", "checkpoints/", "weights.safetensors", "model.onnx", "metrics.json"):
        assert any(part in change for change in found["changes"])
