"""What the trainings on composed material have in common: whose folder a run is, and what is never written over."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.apps.command import call


@pytest.mark.parametrize(
    ("command", "amount"), [("train-cells", "--cells"), ("train-ink", "--scenes"), ("train-lines", "--rows")]
)
def test_a_run_is_not_written_over_unless_asked_for_and_other_files_never(
    command: str, amount: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    words = (command, "sample", amount, "8", "--steps", "1", "--device", "cpu", "--fonts", tmp_path)
    assert call(capsys, monkeypatch, *words, "-o", run).code == 0
    before = (run / "metrics.json").read_bytes()
    refused = call(capsys, monkeypatch, *words, "-o", run)
    assert refused.code == 5
    assert refused.sentence == f"{run}: holds a run; choose another folder, or --overwrite to start anew"
    assert (run / "metrics.json").read_bytes() == before
    (run / "notes.txt").write_text("mine")
    assert call(capsys, monkeypatch, *words, "-o", run, "--overwrite").code == 0
    assert (run / "metrics.json").read_bytes() != before
    assert (run / "notes.txt").read_text() == "mine"
