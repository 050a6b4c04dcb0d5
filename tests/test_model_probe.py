"""Models that are well-formed but do not keep the contract when they run, or would take the process with them."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from digit_recognizer.errors import ModelError
from digit_recognizer.model_bytes import outline
from digit_recognizer.model_file import ModelFile, check_model, with_metadata
from digit_recognizer.model_probe import Limits, ensure_safe, open_session, run_session, try_here, try_in_child
from tests.conftest import draw_digits
from tests.plain_models import (
    CARD,
    constant,
    endless_loop,
    plain_bytes,
    plain_proto,
    softmax_by_hand,
    unfamiliar_bytes,
    unfamiliarity_by_hand,
)

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DIGITS_CACHE", str(folder))
    return folder


@pytest.fixture
def plain() -> ModelFile:
    return check_model(plain_bytes(), "plain.onnx")


def no_child(*_: object, **__: object) -> None:
    raise AssertionError("a child process was started")


def test_a_model_that_keeps_the_contract_passes_here_and_in_a_child() -> None:
    assert try_here(plain_bytes()) is None
    assert try_in_child(plain_bytes(), Limits()) is None


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> dict[str, Any]:
    """Changes for ``plain_proto``: one more node between logits and softmax."""
    return {"extra": [helper.make_node(kind, inputs, [output], **attributes)], "last": output}


UNFAMILIAR = helper.make_tensor_value_info("unfamiliarity", FLOAT, None)

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "input of another name": ({"images": ("pixels", UINT8, ("N", 28, 28))}, "one input 'images'"),
    "input of another type": ({"images": ("images", FLOAT, ("N", 28, 28))}, "tensor(float)"),
    "input with channels": ({"images": ("images", UINT8, ("N", 1, 28, 28))}, "['N', 1, 28, 28]"),
    "input of another size": ({"images": ("images", UINT8, ("N", 14, 56))}, "['N', 14, 56]"),
    "one image at a time": ({"images": ("images", UINT8, (1, 28, 28))}, "first dimension free"),
    "output of another name": ({"output": "scores"}, "an output 'probabilities'"),
    "logits in place of probabilities": ({"final": "Identity"}, "softmax missing"),
    "NaN": (node("Log", ["logits"], "nan"), "NaN"),
    "eleven classes": (
        {
            "extra": [
                helper.make_node("ReduceMax", ["logits"], ["one"], axes=[1], keepdims=1),
                helper.make_node("Concat", ["logits", "one"], ["wide"], axis=1),
            ],
            "last": "wide",
        },
        "float32 (6, 10)",
    ),
    "output of another type": (
        node("Cast", ["logits"], "wide", to=TensorProto.DOUBLE),
        "cannot open",
    ),
    "answers that depend on the batch": (
        {
            "extra": [
                helper.make_node("ReduceMean", ["logits"], ["mean"], axes=[0], keepdims=1),
                helper.make_node("Sub", ["logits", "mean"], ["centred"]),
            ],
            "last": "centred",
        },
        "alone than in a batch",
    ),
    "unfamiliarity of another shape": (
        node("Identity", ["logits"], "unfamiliarity") | {"outputs": [UNFAMILIAR], "last": "logits"},
        "'unfamiliarity' as float32 (6,)",
    ),
    "unfamiliarity above 1": (
        {
            "extra": [
                helper.make_node("ReduceMax", ["logits"], ["most"], axes=[1], keepdims=0),
                helper.make_node("Exp", ["most"], ["unfamiliarity"]),
            ],
            "outputs": [UNFAMILIAR],
        },
        "'unfamiliarity' from 0 to 1",
    ),
    "opset 99": ({"opsets": [("", 99)]}, "ONNX Runtime cannot open"),
    "an operator that does not exist": (node("Nonsense", ["logits"], "n"), "ONNX Runtime cannot open"),
    "a shape that fits nothing": ({"shape": (-1, 783)}, "ONNX Runtime cannot"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_model_that_breaks_the_contract_is_refused_with_what_was_found(case: str) -> None:
    changes, expected = BROKEN[case]
    content = plain_bytes(**changes)
    check_model(content, "m")  # nothing to see without running it
    reason = try_here(content)
    assert reason is not None
    assert expected in reason
    assert reason.isprintable()


def test_a_good_unfamiliarity_passes() -> None:
    assert try_here(unfamiliar_bytes()) is None


def test_both_answers_of_a_session_are_those_computed_by_hand() -> None:
    images = draw_digits(40).images
    probabilities, unfamiliarity = run_session(open_session(unfamiliar_bytes(), 1), images)
    assert np.abs(probabilities - softmax_by_hand(images)).max() < 1e-5
    assert unfamiliarity is not None
    assert unfamiliarity.shape == (40,)
    assert np.abs(unfamiliarity - unfamiliarity_by_hand(images)).max() < 1e-5
    assert run_session(open_session(plain_bytes(), 1), images)[1] is None


def test_a_huge_tensor_dies_in_the_child_and_costs_this_process_nothing(cache: Path) -> None:
    size = 2**28  # times 4 bytes = 1 GiB: enough to pass the limit, too little to harm if it did not work
    extra = [
        helper.make_node("ConstantOfShape", ["size"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("Add", ["logits", "sum"], ["shifted"]),
    ]
    content = plain_bytes(extra=extra, constants=[constant("size", [size], np.int64)], last="shifted")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=r"m\.onnx: "):
        ensure_safe(check_model(content, "m.onnx"), Limits(memory_bytes=2**29))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB
    assert not cache.exists()


def test_an_endless_loop_is_ended_by_the_limit_on_cpu_time() -> None:
    content = plain_proto(**endless_loop()).SerializeToString()
    reason = try_in_child(content, Limits(cpu_s=2))
    assert reason is not None
    assert "broke off (signal" in reason


def test_a_child_that_takes_too_long_is_stopped() -> None:
    reason = try_in_child(plain_bytes(), Limits(wall_s=0.01))
    assert reason is not None
    assert "more than 0.01 s" in reason


def test_a_child_does_not_pick_up_modules_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    for name in ("json.py", "digit_recognizer.py"):
        (tmp_path / name).write_text(f"open({str(canary)!r}, 'w').close()\nraise SystemExit(0)\n")
    monkeypatch.chdir(tmp_path)
    assert try_in_child(plain_bytes(), Limits()) is None
    assert not canary.exists()


@pytest.mark.parametrize(
    ("program", "expected"),
    [(None, "sys.executable does not name"), ("/bin/false", "exit code 1"), ("/bin/echo", "exit code 0")],
)
def test_a_model_that_could_not_be_tried_is_not_called_damaged(
    monkeypatch: pytest.MonkeyPatch, program: str | None, expected: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    reason = try_in_child(plain_bytes(), Limits())
    assert reason is not None
    assert reason.startswith("the model cannot be tried in a child process")
    assert expected in reason


def test_the_child_imports_from_where_this_process_does_and_its_own_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('built for another machine')")
    monkeypatch.syspath_prepend(tmp_path)
    reason = try_in_child(plain_bytes(), Limits())
    assert reason is not None
    assert reason.endswith("began no trial: ImportError: built for another machine)")


def test_what_passed_once_is_not_tried_again(plain: ModelFile, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_safe(plain)
    assert list(cache.rglob("*.json"))
    monkeypatch.setattr(subprocess, "run", no_child)
    ensure_safe(plain)
    with pytest.raises(AssertionError, match="child"):
        ensure_safe(check_model(plain_bytes(opsets=[("", 16)]), "other.onnx"))


def test_a_memory_that_is_damaged_or_of_other_versions_is_not_trusted(
    plain: ModelFile, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_safe(plain)
    (entry,) = cache.rglob("*.json")
    good = json.loads(entry.read_text())
    monkeypatch.setattr(subprocess, "run", no_child)
    for text in ("", "{", "[" * 5000, "null", json.dumps(good | {"onnxruntime": "1.0"}), json.dumps(good | {"x": 1})):
        entry.write_text(text)
        with pytest.raises(AssertionError, match="child"):
            ensure_safe(plain)


def test_a_cache_that_cannot_be_written_does_not_matter(plain: ModelFile, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    ensure_safe(plain)
    assert cache.is_file()


def test_without_a_home_there_is_no_cache_and_the_model_is_tried(
    plain: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("DIGITS_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    ensure_safe(plain)
    monkeypatch.setattr(subprocess, "run", no_child)
    with pytest.raises(AssertionError, match="child"):  # nothing was remembered
        ensure_safe(plain)


def test_hostile_changes_with_a_valid_fingerprint_are_refused_or_give_finite_answers(tmp_path: Path) -> None:
    """Bytes of the graph flipped and signed anew, so that only running them can tell."""
    plain = plain_proto(opsets=[("", 17)]).SerializeToString()
    structure = plain.rindex(b"matrix")  # nodes and small constants come first, then the weights
    rng = np.random.default_rng(11)
    tried = 0
    for number in range(400):
        changed = bytearray(plain)
        # Most bytes are weights; half of the flips go to the structure before them.
        place = int(rng.integers(len(plain))) if number % 2 else int(rng.integers(structure))
        changed[place] ^= 1 << int(rng.integers(8))
        try:
            content = with_metadata(bytes(changed), CARD)
            check_model(content, "m")
        except ModelError:
            continue
        assert outline(content).metadata
        (tmp_path / f"{tried:03}.onnx").write_bytes(content)
        tried += 1
    np.save(tmp_path / "images.npy", draw_digits(20).images)
    outcomes: dict[str, str] = {}
    while len(outcomes) < tried:  # a crash is a verdict, too: note it and go on behind it
        child = subprocess.run(
            [sys.executable, "-c", ANSWER, str(tmp_path), str(len(outcomes))],
            capture_output=True,
            text=True,
            timeout=60,
        )
        lines = child.stdout.splitlines()
        outcomes |= {f"{len(outcomes) + index:03}": line for index, line in enumerate(lines)}
        if len(outcomes) < tried:
            assert child.returncode < 0, child.stderr
            outcomes[f"{len(outcomes):03}"] = "crashed"
    answered = [name for name, outcome in outcomes.items() if outcome == "answered"]
    refused = [name for name, outcome in outcomes.items() if outcome in ("refused", "crashed")]
    assert len(answered) + len(refused) == tried, outcomes
    assert len(answered) > 100
    assert len(refused) > 10


ANSWER = """
import sys
import time
from pathlib import Path
import numpy as np
from digit_recognizer.errors import ModelError
from digit_recognizer.model_probe import open_session, run_session, try_here
folder, first = Path(sys.argv[1]), int(sys.argv[2])
images = np.load(folder / "images.npy")
for path in sorted(folder.glob("*.onnx"))[first:]:
    outcome = "refused"
    if try_here(path.read_bytes()) is None:
        try:
            answers, _ = run_session(open_session(path.read_bytes(), 1), images)
            finite = answers.shape == (20, 10) and np.isfinite(answers).all()
            good = finite and np.allclose(answers.sum(1), 1, atol=1e-3)
            outcome = "answered" if good else "wrong"
        except ModelError:
            pass
    print(outcome, flush=True)
"""


def children_of(process: int) -> list[int]:
    """The children of a process, on Linux."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


TRIAL = """
import signal, sys
from digit_recognizer.errors import DigitsError
from digit_recognizer.model_probe import Limits, try_in_child
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup,
signal.signal(signal.SIGINT, signal.default_int_handler)  # or in a shell's background
if sys.argv[1] == "stay":  # as a training does, which saves first
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
try:
    print(try_in_child(sys.stdin.buffer.read(), Limits(cpu_s=6)))
except DigitsError as error:
    print(type(error).__name__, error)
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def an_endless_trial(then: str) -> tuple[subprocess.Popen[bytes], int]:
    """A process, leader of a group, that tries an endless model, and the child that it tries it in.

    then: "stay" where signals do not end the process.
    """
    pipe = subprocess.PIPE
    trial = subprocess.Popen(
        [sys.executable, "-c", TRIAL, then], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    assert trial.stdin is not None
    trial.stdin.write(plain_proto(**endless_loop()).SerializeToString())
    trial.stdin.close()
    trial.stdin = None
    while not (children := children_of(trial.pid)):
        time.sleep(0.01)
    while b"onnxruntime" not in Path(f"/proc/{children[0]}/maps").read_bytes():  # it is about to open the model
        time.sleep(0.01)
    return trial, children[0]


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_of_a_process_that_goes_on_leaves_the_trial_alone(number: signal.Signals) -> None:
    trial, _ = an_endless_trial("stay")
    os.killpg(trial.pid, number)
    out, err = trial.communicate(timeout=60)
    assert (b"6 s of CPU broke off (signal 24)" in out or b"signal 9" in out, err) == (True, b"")  # the limit's own end


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_process_that_ends_takes_the_trial_with_it(number: signal.Signals) -> None:
    trial, child = an_endless_trial("end")
    os.killpg(trial.pid, number)
    out, _ = trial.communicate(timeout=60)
    assert (out, trial.returncode) == (b"", -number)
    deadline = time.monotonic() + 3  # the limit on CPU time would take longer
    while Path(f"/proc/{child}").exists() and "State:\tZ" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() < deadline, "the trial goes on without anybody who waits for it"
        time.sleep(0.01)


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_trial_that_is_asked_to_end_is_an_interruption(number: signal.Signals) -> None:
    trial, child = an_endless_trial("end")
    os.kill(child, number)
    out, err = trial.communicate(timeout=60)
    assert (out, err) == (b"Interrupted stopped while the model was tried\n", b"")
