"""Where nobody looks on, a batch tells of itself by a line now and then, and of what is odd at once."""

from __future__ import annotations

import pytest

from digit_recognizer.apps.batch import display as module
from digit_recognizer.apps.batch.display import BatchDisplay
from digit_recognizer.apps.batch.driver import Progress
from digit_recognizer.apps.terminal import Terminal


def test_lines_come_every_ten_seconds_and_notes_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    with BatchDisplay(Terminal()) as display:
        for second in range(1, 25):
            now[0] = 100.0 + second
            note = "part 3: its worker died (signal 9)" if second == 4 else ""
            display.show(Progress(1000 * second, 100_000, 0, second, float(second), note))

    assert capsys.readouterr().err.splitlines() == [
        "part 3: its worker died (signal 9)",
        "10,000 of 100,000 · 1,000 pictures/s · 90 s left · 10 failed",
        "20,000 of 100,000 · 1,000 pictures/s · 80 s left · 20 failed",
    ]


def test_on_a_terminal_a_bar_is_drawn_and_taken_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    with BatchDisplay(Terminal()) as display:
        display.show(Progress(500, 1000, 0, 2, 1.0))

    assert "500/1000" in capsys.readouterr().err
