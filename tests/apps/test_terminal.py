"""Values as lines: tables that are never cut, two streams, one JSON document."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from digit_recognizer.apps.terminal import Terminal, TrainingDisplay, draw_digit, duration, epoch_line
from digit_recognizer.training.progress import HistoryRow, Progress

ROW: HistoryRow = {
    "member": 1,
    "epoch": 3,
    "seconds": 2.5,
    "learning_rate": 1e-3,
    "loss": 0.1,
    "accuracy": 0.97,
    "val_loss": 0.05,
    "val_accuracy": 0.986,
}
PROGRESS = Progress(1, 3, 50, 120, 2000, 0.1, 0.97, 4000.0, 90.0)


def test_results_go_to_stdout_and_notes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.say("a result")
    terminal.note("a note")
    assert capsys.readouterr() == ("a result\n", "a note\n")


def test_with_json_stdout_holds_the_document_alone(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(as_json=True)
    terminal.heading("Data")
    terminal.say("a result")
    terminal.table([("a", "b"), ("1", "2")])
    terminal.digit(np.zeros((28, 28), np.uint8))
    terminal.document({"name": "ä"})
    assert capsys.readouterr().out == '{"name": "ä"}\n'


def test_without_json_there_is_no_document(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().document({"name": 1})
    assert capsys.readouterr().out == ""


def test_a_document_never_holds_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Terminal(as_json=True).document(float("nan"))


def test_a_table_sets_figures_to_the_right_and_words_to_the_left(capsys: pytest.CaptureFixture[str]) -> None:
    terminal, rows = Terminal(), [("File", "n"), ("a", "1,234"), ("longer", "5")]
    terminal.table(rows)
    assert capsys.readouterr().out == "File        n\na       1,234\nlonger      5\n"
    terminal.table(rows, figures=False)
    assert capsys.readouterr().out == "File    n\na       1,234\nlonger  5\n"


def test_a_long_cell_is_neither_cut_nor_broken_nor_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    long = "[bold]" + "0123456789abcdef" * 20
    Terminal().table([("Field", "value"), ("sha256", long)], figures=False)
    assert capsys.readouterr().out.splitlines()[1] == f"sha256  {long}"


def test_an_epoch_is_one_line_and_names_the_net_where_there_are_several() -> None:
    line = epoch_line(ROW, 50)
    assert line.startswith("epoch  3/50 · 2.5 s · loss 0.1000 acc 0.9700 · val 0.0500")
    assert epoch_line(ROW, 50, nets=10) == line.replace("epoch ", "net 1, ")
    assert epoch_line({**ROW, "member": 2}, 50, nets=10) == line.replace("epoch ", "net 2, ")


def test_an_epoch_of_many_minutes_fits_in_80_columns() -> None:
    slow = {**ROW, "member": 2, "epoch": 13, "seconds": 754.3, "learning_rate": 2.5e-5}
    assert len(epoch_line(slow, 50, nets=10)) <= 80


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (99.4, "99 s"),
        (99.6, "1 min 40 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7384, "2 h 03 min"),
    ],
)
def test_a_duration_is_in_words_of_its_size(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_drawn_digit_has_its_ink_where_the_image_has_it() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[0, 0], image[1, 1], image[26:28, 5] = 255, 255, 255
    lines = draw_digit(image).split("\n")
    assert len(lines) == 14
    assert lines[0] == "▀▄"
    assert lines[13] == "     █"


def test_a_training_is_a_line_an_epoch_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    with TrainingDisplay(Console(file=out, soft_wrap=True)) as display:
        display.show(PROGRESS)
        display.show(replace(PROGRESS, row=ROW, note="learning rate halved"))
    assert out.getvalue().splitlines() == [epoch_line(ROW, 50), "learning rate halved"]


def test_a_training_has_a_bar_with_loss_speed_and_time_left_on_a_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, _environ={"TERM": "xterm"})
    with TrainingDisplay(console) as display:
        display.show(PROGRESS)
    shown = out.getvalue()
    for part in ("epoch 3/50", "120/2000", "loss 0.1000", "accuracy 0.9700", "4,000 images/s", "90 s left"):
        assert part in shown


def test_after_the_last_step_the_bar_says_what_is_still_going_on() -> None:
    out = io.StringIO()
    with TrainingDisplay(Console(file=out, force_terminal=True, width=120, _environ={"TERM": "xterm"})) as display:
        display.show(replace(PROGRESS, step=2000, row=ROW))
    assert "writing the model" in out.getvalue()
    assert "0 s left" not in out.getvalue()


def test_a_document_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(as_json=True).document([{"name": "a\nb"}])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == [{"name": "a\nb"}]
