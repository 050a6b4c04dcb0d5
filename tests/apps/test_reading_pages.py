"""digits read: text, JSON, CSV, pictures drawn and exit codes, against what Python reads."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from PIL import Image

from digit_recognizer.apps.reading_pages import _unsure
from digit_recognizer.reading import UNSURE, Line, Page
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.catalog import load
from tests.apps.command import PROGRAM, Ended
from tests.conftest import draw_digits
from tests.pictures.numbers.test_context import digit
from tests.plain_models import constant, plain_bytes

Call = Callable[..., Ended]


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "plain.onnx"
    # Sure of whatever it says: words that a model doubts are no numbers.
    sharper = helper.make_node("Mul", ["logits", "many"], ["sharp"])
    path.write_bytes(plain_bytes(extra=[sharper], constants=[constant("many", 50)], last="sharp"))
    return path


@pytest.fixture
def pages(tmp_path: Path, digits_command: Call) -> list[str]:
    """Two pages of three digits each, a blank one, and one that is damaged."""
    (tmp_path / "scans").mkdir()
    for name, seed in (("one.png", 0), ("scans/2.png", 1)):
        row = np.concatenate(list(draw_digits(3, seed=seed).images), axis=1)
        Image.fromarray(255 - np.pad(row, 20)).save(tmp_path / name)
    Image.new("L", (80, 60), 255).save(tmp_path / "scans/blank.png")
    (tmp_path / "bad.png").write_bytes((tmp_path / "one.png").read_bytes()[:80])
    return ["one.png", "scans/2.png", "scans/blank.png"]


def test_text_and_json_say_what_python_reads(digits_command: Call, model: Path, pages: list[str]) -> None:
    expected = Recognizer(model).read(pages)
    assert any(page.digits for page in expected)
    document = json.loads(digits_command("read", *pages, "-m", model, "--json").out)
    assert document == [page.to_dict() for page in expected]
    several = digits_command("read", "one.png", "scans", "-m", model)
    lines = [f"{page.name}: {line.text}" for page in expected for line in page.lines]
    assert (several.code, several.out.splitlines()) == (0, lines)
    alone = digits_command("read", "one.png", "-m", model)
    assert alone.out.splitlines() == [line.text for line in expected[0].lines]


def test_a_blank_picture_is_no_error_but_told(digits_command: Call, model: Path, pages: list[str]) -> None:
    end = digits_command("read", "scans/blank.png", "-m", model)
    assert (end.code, end.out, end.err) == (0, "", "scans/blank.png: no numbers found\n")
    document = json.loads(digits_command("read", "scans/blank.png", "-m", model, "--json").out)
    assert document == [{"file": "scans/blank.png", "lines": [], "rejected": []}]


def test_a_page_may_come_through_stdin(digits_command: Call, model: Path, pages: list[str]) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "read", "-", "-m", str(model), "--json"]
    run = subprocess.run(command, input=Path("one.png").read_bytes(), capture_output=True, timeout=120)
    (expected,) = json.loads(digits_command("read", "one.png", "-m", model, "--json").out)
    assert json.loads(run.stdout) == [{**expected, "file": "stdin"}]


def test_annotated_pictures_are_the_page_a_whole_factor_larger_with_colour_where_digits_are(
    digits_command: Call, model: Path, pages: list[str]
) -> None:
    Path("other").mkdir()
    Path("other/one.png").write_bytes(Path("one.png").read_bytes())
    end = digits_command("read", "one.png", "other/one.png", "-m", model, "--annotate", "drawn")
    assert end.code == 0
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["one-2.png", "one.png"]
    drawn = np.asarray(Image.open("drawn/one.png")).astype(int)
    high, wide = np.asarray(Image.open("one.png")).shape
    times = len(drawn) // high
    assert drawn.shape == (high * times, wide * times, 3)
    coloured = (np.ptp(drawn, axis=2) > 50).any(0).nonzero()[0]
    boxes = [digit.box for digit in Recognizer(model).read("one.png").digits]
    assert coloured.min() < times * min(box[0] for box in boxes)
    assert coloured.max() >= times * max(box[0] + box[2] for box in boxes)


@pytest.mark.parametrize("option", ["--annotate", "--show-steps"])
def test_no_picture_is_written_over_by_its_drawing(
    digits_command: Call, model: Path, pages: list[str], option: str
) -> None:
    before = Path("one.png").read_bytes()
    end = digits_command("read", "one.png", "-m", model, option, ".")
    assert end.code == 2
    assert "name another folder for that" in end.sentence
    assert Path("one.png").read_bytes() == before


def test_drawings_of_an_earlier_run_are_not_read(digits_command: Call, model: Path, pages: list[str]) -> None:
    first = digits_command("read", ".", "-m", model, "--annotate", "drawn", "--json")
    again = digits_command("read", ".", "-m", model, "--annotate", "drawn", "--json")
    assert list(Path("drawn").iterdir())
    assert [page["file"] for page in json.loads(again.out)] == [page["file"] for page in json.loads(first.out)]


@pytest.mark.parametrize(("words", "code"), [(["bad.png"], 3), (["missing.png"], 5), (["bad.png", "one.png"], 1)])
def test_what_cannot_be_read_is_named(
    digits_command: Call, model: Path, pages: list[str], words: list[str], code: int
) -> None:
    end = digits_command("read", *words, "-m", model)
    assert end.code == code
    assert end.sentence.startswith(words[0])


@pytest.mark.parametrize("words", [["--expect", "9y9"], ["--expect", "7-3"], ["--check", "isbn"], ["--numbers", "hex"]])
def test_an_expectation_that_is_none_is_refused_before_reading(
    digits_command: Call, model: Path, pages: list[str], words: list[str]
) -> None:
    end = digits_command("read", "missing.png", "-m", model, *words)
    assert (end.code, end.out) == (2, "")
    assert end.sentence.startswith("expected ")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_for_each_line_and_says_what_json_says(
    digits_command: Call, model: Path, pages: list[str]
) -> None:
    end = digits_command("read", *pages, "-m", model, "--csv", "out.csv")
    document = json.loads(digits_command("read", *pages, "-m", model, "--json").out)
    rows = rows_of(Path("out.csv").read_text("utf-8"))
    columns = ["file", "line", "text", "confidence", "accepted", "x", "y", "width", "height", "reason"]
    assert list(rows[0]) == columns
    expected = [
        (page["file"], str(number), line["text"], line["confidence"], line["box"])
        for page in document
        for number, line in enumerate(page["lines"], 1)
    ]
    assert expected
    sides = ("x", "y", "width", "height")
    assert [
        (row["file"], row["line"], row["text"], float(row["confidence"]), [int(row[side]) for side in sides])
        for row in rows
    ] == expected
    accepted = [all(digit["accepted"] for digit in line["digits"]) for page in document for line in page["lines"]]
    assert [row["accepted"] for row in rows] == [str(line).lower() for line in accepted]
    reasons = [line["reason"] for page in document for line in page["lines"]]
    assert [row["reason"] or None for row in rows] == reasons
    assert f"{len(rows)} lines written to out.csv" in end.err
    on_stdout = digits_command("read", *pages, "-m", model, "--csv", "-")
    assert on_stdout.out == Path("out.csv").read_text("utf-8")


def test_a_line_that_is_not_accepted_says_why_and_a_threshold_of_ones_own_accepts_it(
    digits_command: Call, tmp_path: Path
) -> None:
    scans = load("sample").labelled().take(range(4)).images
    row = np.pad(np.concatenate([image[:, 3:25] for image in scans], axis=1), 20)
    Image.fromarray(255 - row).resize((row.shape[1] * 2, row.shape[0] * 2)).save(tmp_path / "row.png")

    def line(threshold: str) -> dict[str, Any]:
        (page,) = json.loads(digits_command("read", "row.png", "--min-confidence", threshold, "--json").out)
        (found,) = page["lines"]
        return dict(found)

    refused, accepted = line("1"), line("0.1")
    assert refused["text"] == accepted["text"]
    assert (refused["accepted"], refused["reason"]) == (False, "unsure")
    assert (accepted["accepted"], accepted["reason"]) == (True, None)
    end = digits_command("read", "row.png", "--min-confidence", "1", "--csv", "-")
    (found,) = rows_of(end.out)
    assert (found["accepted"], found["reason"]) == ("false", "unsure")
    told = re.search(r"has a confidence of (0[.][0-9]{4}); accepted from 1[.]0000 on", end.err)
    assert told is not None  # never 1.0000, which would be no reason


@pytest.mark.parametrize("option", ["--annotate", "--show-steps"])
def test_one_path_for_a_csv_and_a_folder_is_refused_before_anything_is_read(
    digits_command: Call, model: Path, pages: list[str], option: str
) -> None:
    end = digits_command("read", "one.png", "-m", model, "--csv", "same", option, "./same")
    assert (end.code, end.out, Path("same").exists()) == (2, "", False)
    assert end.sentence.startswith(f"--csv same and {option} same are one path")


def test_a_picture_named_as_a_formula_is_harmless_in_csv(digits_command: Call, model: Path, pages: list[str]) -> None:
    Path("=cmd.png").write_bytes(Path("one.png").read_bytes())
    rows = rows_of(digits_command("read", "-m", model, "--csv", "-", "--", "=cmd.png").out)
    assert {row["file"] for row in rows} == {"'=cmd.png"}


def test_no_csv_is_written_where_nothing_could_be_read_and_stdout_is_used_once(
    digits_command: Call, model: Path, pages: list[str]
) -> None:
    assert digits_command("read", "bad.png", "missing.png", "-m", model, "--csv", "out.csv").code == 3
    assert not Path("out.csv").exists()
    end = digits_command("read", "one.png", "-m", model, "--csv", "-", "--json")
    assert (end.code, end.out.count("{")) == (2, 2)
    assert end.sentence.startswith("--csv - and --json")
    assert digits_command("read", "one.png", "-m", model, "--csv", "one.png/out.csv").code == 5


def test_steps_are_pictures_of_what_the_reader_saw(digits_command: Call, model: Path, pages: list[str]) -> None:
    end = digits_command("read", "one.png", "scans/blank.png", "-m", model, "--show-steps", "steps")
    assert end.code == 0
    shown = {path.relative_to("steps").as_posix(): np.asarray(Image.open(path)) for path in Path("steps").glob("*/*")}
    names = ("1-picture", "2-ground-removed", "3-ink", "4-pieces", "5-frames")
    assert set(shown) == {f"one/{name}.png" for name in names} | {"blank/1-picture.png"}
    page = np.asarray(Image.open("one.png"))
    np.testing.assert_array_equal(shown["one/1-picture.png"], np.repeat(page[..., None], 3, axis=2))
    for name in names[1:4]:
        assert shown[f"one/{name}.png"].shape == (*page.shape, 3)
    assert ((shown["one/3-ink.png"][..., 0] > 0) == (page < 140)).mean() > 0.97


@pytest.mark.parametrize("words", [["--max-pixels", "0"], ["--max-pixels", "999999999"]])
def test_a_limit_on_pixels_that_is_none_is_refused(
    digits_command: Call, model: Path, pages: list[str], words: list[str]
) -> None:
    end = digits_command("read", "one.png", "-m", model, *words)
    assert (end.code, end.sentence[:31]) == (2, "expected --max-pixels from 1 to")


def test_a_picture_over_the_limit_is_refused_and_the_limit_can_be_raised(digits_command: Call, model: Path) -> None:
    Image.new("1", (6500, 6500), 1).save("large.png")
    refused = digits_command("read", "large.png", "-m", model)
    assert refused.code == 3
    assert "more than the limit of 40,000,000" in refused.sentence
    assert refused.sentence.endswith("or raise the limit with --max-pixels")
    assert digits_command("read", "large.png", "-m", model, "--max-pixels", "43000000").code == 0


def test_what_a_file_says_wrongly_of_itself_is_told_and_the_rest_is_read(
    digits_command: Call, model: Path, pages: list[str]
) -> None:
    Path("one.jpg").write_bytes(Path("one.png").read_bytes())
    one = Image.open("one.png")
    one.save("moves.gif", save_all=True, append_images=[Image.new("L", one.size, 9)])
    expected = digits_command("read", "one.png", "-m", model)
    renamed = digits_command("read", "one.jpg", "-m", model)
    moving = digits_command("read", "moves.gif", "-m", model)
    assert renamed == replace(expected, err="warning: one.jpg: the name says JPEG, the file is PNG\n")
    assert moving == replace(expected, err="warning: moves.gif: it holds several frames, the first alone was read\n")


def test_a_pdf_is_read_page_by_page_and_a_damaged_one_does_not_stop_the_rest(
    digits_command: Call, model: Path, pages: list[str]
) -> None:
    pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")
    large = [Image.open(name).resize((600, 260)) for name in ("one.png", "scans/2.png")]
    large[0].save("form.pdf", "PDF", save_all=True, append_images=large[1:], resolution=200)
    Path("cut.pdf").write_bytes(Path("form.pdf").read_bytes()[:-200])
    document = json.loads(digits_command("read", "form.pdf", "-m", model, "--json").out)
    assert [page["file"] for page in document] == ["form.pdf#1", "form.pdf#2"]
    assert all(page["lines"] for page in document)
    second = digits_command("read", "form.pdf#2", "-m", model)
    assert second.out.splitlines() == [line["text"] for line in document[1]["lines"]]
    end = digits_command("read", "cut.pdf", "one.png", "-m", model)
    assert (end.code, end.sentence) == (1, "cut.pdf: expected a whole PDF, found one that is truncated or damaged")
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "read", "-", "-m", str(model), "--json"]
    run = subprocess.run(command, input=Path("form.pdf").read_bytes(), capture_output=True, timeout=120)
    assert [page["file"] for page in json.loads(run.stdout)] == ["stdin#1", "stdin#2"]
    run = subprocess.run(command[:-1], input=Path("form.pdf").read_bytes(), capture_output=True, timeout=120)
    assert {line.split(":")[0] for line in run.stdout.decode().splitlines()} == {"stdin#1", "stdin#2"}


def test_on_a_terminal_a_bar_counts_pictures_and_results_stay_whole(
    digits_command: Call, model: Path, pages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = digits_command("read", *pages, "-m", model)
    assert "reading" not in plain.err
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal, though nobody looks on
    Path("[red]x.png").write_bytes(Path("one.png").read_bytes())
    watched = digits_command("read", *pages, "[[]red]x.png", "-m", model)
    assert "4/4" in watched.err
    assert "[red]x.png" in watched.err
    assert watched.out.splitlines()[: len(plain.out.splitlines())] == plain.out.splitlines()
    assert "reading" not in digits_command("read", "one.png", "-m", model).err


def test_of_a_line_that_is_not_accepted_a_digit_is_named_that_is_not() -> None:
    vouched_for, doubted = digit(4, 0, confidence=0.95), digit(7, 1, confidence=0.97)
    doubted = replace(doubted, accepted=False, reason=UNSURE)
    notes = list(_unsure(Page((Line("4 7", (vouched_for, doubted)),)), "form.jpg", 0.99))
    assert notes == [
        "not sure: form.jpg, line 1, 4 7: its 7 has a confidence of 0.9700; accepted from 0.9900 on",
    ]
