"""A sweep one trial after another, and side by side on Ray Tune: the same rows? how much sooner? is the best better?

    python benchmarks/sweep.py [mnist] --trials 9 --given 12000 --unseen 20000

Of the labelled images, the first ``--given`` of a fixed permutation go to ``digits tune`` (its validation part, which
decides, comes out of them); the next ``--unseen`` are read once by the preset and once by the best recipe, both trained
on what was given. t10k is not looked at. Both engines have the same cores: one process with a thread for each, or as
many workers, a thread each. Rows are compared to the last digit with a run of one thread.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from common import DIGITS, print_heading, print_table, run, run_child, say
from digit_recognizer.cores import available_cores
from unseen import add_arguments, count_wrong, given_and_unseen


def main() -> None:
    arguments = _arguments()
    print_heading(f"A sweep of {arguments.trials} trials around the preset {arguments.preset}", ("torch", "ray"))
    workers = available_cores()
    engines = {
        f"one after another, {workers} threads": (workers, ("--engine", "local")),
        "one after another, 1 thread": (1, ("--engine", "local")),
        f"Ray Tune, {workers} workers": (1, ("--engine", "ray", "--workers", str(workers))),
    }
    found: dict[str, dict[str, Any]] = {}
    table = []
    with tempfile.TemporaryDirectory() as temporary:
        data, unseen = given_and_unseen(arguments, temporary)
        for number, (name, (threads, engine)) in enumerate(engines.items()):
            words = ("tune", str(data), "-o", str(Path(temporary, f"sweep-{number}")), "--preset", arguments.preset)
            words += ("--trials", str(arguments.trials), "--device", "cpu", "--json", *engine)
            found[name], seconds = run_child([*DIGITS, *words], threads)
            best = found[name]["best"]
            table.append(
                (
                    name,
                    str(len(found[name]["trials"])),
                    f"{seconds:.1f}",
                    f"trial {best['trial']}",
                    f"{float(best['val_accuracy']):.3%}",
                )
            )
            say(" · ".join(table[-1]))
        print_table(("engine", "trainings", "whole job s", "best", "of the images that decided"), table)
        _, single, ray = (_rows(document) for document in found.values())
        say(f"rows of one thread and of Ray Tune, but for seconds: {'the same' if single == ray else 'NOT the same'}\n")
        wrong = {}
        for name, recipe in (("preset", ("--preset", arguments.preset)), ("best", ("--recipe", _best(temporary)))):
            run = Path(temporary, name)
            run_child([*DIGITS, "train", str(data), "-o", str(run), *recipe, "--device", "cpu", "--json"], workers)
            wrong[name] = count_wrong(run, unseen)
    say(
        f"unseen images read wrong by the preset: {wrong['preset']}, by the best recipe: {wrong['best']} of "
        f"{len(unseen):,} (one training each)\n"
    )
    if single != ray:
        raise SystemExit("error: Ray Tune and one process gave different rows")


def _best(temporary: str) -> str:
    return str(Path(temporary, "sweep-0", "best.json"))


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in document["trials"]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A sweep one trial after another, and side by side on Ray Tune.")
    add_arguments(parser)
    parser.add_argument("--preset", choices=("notebook", "fast"), default="fast")
    parser.add_argument("--trials", type=int, default=9)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
