"""One process against several under torchrun: the same training? how much sooner? Accuracy by seed, and seconds.

    python benchmarks/ranks.py [mnist] --preset fast --seeds 3 --ranks 2 --given 12000 --unseen 20000

Of the labelled images, the first ``--given`` of a fixed permutation go to the job (its validation part comes out of
them), the next ``--unseen`` are read once, by the finished model. t10k is not looked at. In pairs: the same seed with
one process and with several, one after the other, so that a busy machine slows both. Each rank has one thread; the
single process has ``--threads``, left out as many as there are ranks, so that both have the same cores.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from common import DIGITS, print_heading, print_table, run, run_child, say
from unseen import add_arguments, count_wrong, given_and_unseen


def main() -> None:
    arguments = _arguments()
    print_heading(f"Training in one process and in {arguments.ranks}: preset {arguments.preset}", ("torch", "numpy"))
    wrong: dict[int, list[int]] = {1: [], arguments.ranks: []}
    seconds: dict[int, list[float]] = {1: [], arguments.ranks: []}
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        data, unseen = given_and_unseen(arguments, temporary)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            for ranks in (1, arguments.ranks):
                run = Path(temporary, f"{seed}-{ranks}")
                command = [*_launcher(ranks), "train", str(data), "-o", str(run), "--preset", arguments.preset]
                command += ["--engine", "local"]
                command += ["--seed", str(seed), "--device", "cpu", "--json"]
                if arguments.epochs:
                    command += ["--epochs", str(arguments.epochs)]
                document, job = run_child(command, (arguments.threads or arguments.ranks) if ranks == 1 else 1)
                wrong[ranks].append(count_wrong(run, unseen))
                seconds[ranks].append(document["metrics"]["train_seconds"])
                rows.append(
                    (
                        str(seed),
                        str(ranks),
                        f"{wrong[ranks][-1]}",
                        f"{1 - wrong[ranks][-1] / len(unseen):.3%}",
                        f"{document['metrics']['val_accuracy']:.3%}",
                        f"{seconds[ranks][-1]:.1f}",
                        f"{job:.1f}",
                    )
                )
                say(" · ".join(rows[-1]))
    print_table(("seed", "processes", "wrong", "accuracy", "validation", "training s", "whole job s"), rows)
    _say_difference(wrong, seconds, arguments.ranks)


def _say_difference(wrong: dict[int, list[int]], seconds: dict[int, list[float]], ranks: int) -> None:
    between = [several - one for one, several in zip(wrong[1], wrong[ranks], strict=True)]
    faster = [one / several for one, several in zip(seconds[1], seconds[ranks], strict=True)]
    spread = statistics.stdev(wrong[1]) if len(wrong[1]) > 1 else float("nan")
    say(
        f"mean wrong: {statistics.fmean(wrong[1]):.1f} with one process, {statistics.fmean(wrong[ranks]):.1f} with "
        f"{ranks}; of the same seed {statistics.fmean(between):+.1f} on average (each {between}); standard deviation "
        f"over seeds with one process {spread:.1f}. Training takes 1/{statistics.fmean(faster):.2f} of the time.\n"
    )


def _launcher(ranks: int) -> tuple[str, ...]:
    if ranks == 1:
        return DIGITS
    return (
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", str(ranks), "-m", "digit_recognizer"),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One process against several under torchrun.")
    add_arguments(parser)
    parser.add_argument("--preset", choices=("notebook", "fast", "best"), default="fast")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, help="of the single process")
    parser.add_argument("--epochs", type=int, help="instead of the preset's own number")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
