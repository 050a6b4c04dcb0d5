"""Pictures, some of them bad, become rows: on processes of this machine and on Ray, left alone and under kill -9.

    python benchmarks/batch_ray.py [--pictures 20000] [--task read] [--only same,kills,machines] [--seed 0]

same      the local engine with one and with two workers, Ray with two: seconds, and whether the rows are the same
kills     Ray again; on the way 5 workers and 2 drivers are killed at seeded moments, the drivers' command is repeated
machines  a Ray cluster of two machines, which are processes here: left alone; then one of them is lost on the way

A moment is a number of finished parts, drawn from the seed. Everything stays on loopback, in a temporary folder, and is
gone at the end. The undisturbed local engine with two workers is what all rows are compared with.

The pictures are numbers of 3 to 6 digits (``--task read``), so that a job takes minutes; ``--task predict`` reads
single digits, of which 20,000 are done in seconds: then restarts are all there is to see.

How time is told apart: each worker is a place, which is vacant until somebody is at work there (places.py). The mean
over places of the vacant time is what restarts cost, and is told; all else is work, what is done twice included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from common import DIGITS, load_labelled, print_heading, print_table, say
from digit_recognizer.digits import Images
from places import Launch, parts_appearing
from processes import family, state_of, title_of

LIMIT_S = 1800.0  # for one launch of the command
LOOK_S = 0.05  # between two looks at the parts
PART_SIZES = {"predict": 1024, "read": 64}  # what digits batch does where nothing is said
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass
class Run:
    """One job, of one launch of the command or several, on so many workers."""

    title: str
    folder: Path
    workers: int
    launches: list[Launch] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From start to end, of all launches."""
        return sum(launch.end - launch.begin for launch in self.launches)

    @property
    def usual(self) -> float:
        """Seconds that a part takes, mostly."""
        return statistics.median([each for launch in self.launches for each in launch.intervals()] or [0.0])

    def vacancies(self, usual: float | None = None) -> tuple[list[float], list[float]]:
        """As ``Launch.vacant``, of all launches."""
        found = [launch.vacant(self.workers, self.usual if usual is None else usual) for launch in self.launches]
        return [s for starting, _ in found for s in starting], [s for _, restarting in found for s in restarting]

    @property
    def restarts(self) -> float:
        """What starting took of the time: the mean over places of the time that they were vacant."""
        starting, restarting = self.vacancies()
        return (sum(starting) + sum(restarting)) / self.workers

    @property
    def working(self) -> float:
        """Seconds without those."""
        return self.seconds - self.restarts


Event = Callable[[Run, int], bool]  # (the run, process id of its driver) -> whether it could happen


def main() -> None:
    arguments = _arguments()
    wanted = arguments.only.split(",")
    if unknown := set(wanted) - {"same", "kills", "machines"}:
        raise SystemExit(f"error: --only: expected same, kills or machines, found {sorted(unknown)[0]}")
    print_heading("The same pictures on local processes and on Ray", ("ray", "onnxruntime", "pyarrow"))
    with tempfile.TemporaryDirectory(prefix="digits-") as temporary:
        sizes = arguments.pictures, arguments.bad, arguments.part_size or PART_SIZES[arguments.task]
        bench = Bench(Path(temporary), arguments.task, *sizes, arguments.seed)
        bench.draw(arguments.data)
        bench.run("local, 2 workers", 2, "--engine", "local", "--workers", "2")
        if "same" in wanted:
            bench.run("local, 1 worker", 1, "--engine", "local", "--workers", "1")
        if "same" in wanted or "kills" in wanted:
            alone = bench.run("Ray, 2 workers", 2, "--engine", "ray", "--workers", "2")
        if "kills" in wanted:
            words = ("--engine", "ray", "--workers", "2")
            killed = bench.run("Ray, under fire", 2, *words, events=bench.fire(5, 2))
            _print_extra(alone, killed)
        if "machines" in wanted:
            with machines(2) as (address, environment, lose):
                words = ("--engine", "ray", "--address", address)
                bench.run("Ray, 2 machines", 2, *words, environment=environment)
                events = bench.moments([lambda run, driver: lose(run)])
                bench.run("Ray, one of 2 lost", 2, *words, environment=environment, events=events)
        bench.print_runs()


class Bench:
    """The pictures, the runs over them, and what the first of these answered."""

    def __init__(self, folder: Path, task: str, pictures: int, bad: float, part_size: int, seed: int) -> None:
        self.folder = folder
        self.task = task
        self.pictures = pictures
        self.bad = round(bad * pictures)
        self.part_size = part_size
        self.parts = -(-pictures // part_size)
        self.seed = seed
        self.runs: list[Run] = []

    def draw(self, data: str) -> None:
        """Write the pictures as PNG, of labelled training digits; some cut off or none."""
        rng = np.random.default_rng(self.seed)
        images = load_labelled(data).images
        bad = set(rng.choice(self.pictures, self.bad, replace=False).tolist())
        for number in range(self.pictures):
            image = number_of(images, rng) if self.task == "read" else moved_digit(images, rng)
            content = cv2.imencode(".png", image)[1].tobytes()
            if number in bad:
                content = content[: len(content) // 2] if number % 2 else b"this is no picture"
            path = self.folder / "pictures" / f"{number // 1000:03d}" / f"{number:06d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        say(
            f"--task {self.task}: {self.pictures:,} pictures of {data}, {self.bad} of them bad, in {self.parts} parts; "
            f"seed {self.seed}"
        )

    def moments(self, events: Sequence[Event]) -> list[tuple[int, Event]]:
        """Each event at a number of finished parts, in order: no two at the same one, none at the very ends."""
        rng = np.random.default_rng(self.seed + 1)
        inside = np.arange(2, max(self.parts - 6, 3 + len(events)))
        return list(zip(sorted(rng.choice(inside, len(events), replace=False).tolist()), events, strict=True))

    def fire(self, workers: int, drivers: int) -> list[tuple[int, Event]]:
        """Deaths of workers and of drivers, in an order drawn from the seed."""
        deaths: list[Event] = [kill_worker] * workers + [kill_driver] * drivers
        order = np.random.default_rng(self.seed + 2).permutation(len(deaths))
        return self.moments([deaths[place] for place in order])

    def run(
        self,
        title: str,
        workers: int,
        *words: str,
        events: Sequence[tuple[int, Event]] = (),
        environment: dict[str, str] | None = None,
    ) -> Run:
        """Run the command until the job is finished, with the events on the way."""
        run = Run(title, self.folder / f"out-{len(self.runs)}", workers)
        left = list(events)
        while not (run.folder / "manifest.json").exists():
            if len(run.launches) > len(events) + 1:
                raise SystemExit(f"error: {title}: the job does not end")
            self._launch(run, words, left, environment or {})
        run.events += [f"not reached: {len(left)}"] * bool(left)
        self.runs.append(run)
        say(f"{title}: {run.seconds:.1f} s, {run.restarts:.1f} s of them starting; {'; '.join(run.events)}")
        return run

    def _launch(
        self, run: Run, words: Sequence[str], left: list[tuple[int, Event]], environment: dict[str, str]
    ) -> None:
        source = str(self.folder / "pictures")
        command = [*DIGITS, "batch", source, "-o", str(run.folder), "--task", self.task, *words]
        command += ["--part-size", str(self.part_size)]
        with open(self.folder / "said.txt", "w+b") as said, parts_appearing(run.folder / "parts") as appeared:
            launch = Launch(time.perf_counter())
            run.launches.append(launch)
            driver = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            )
            try:
                while driver.poll() is None:
                    now = time.perf_counter()
                    launch.parts += [(now, process) for process in appeared()]
                    if left and self._finished(run) >= left[0][0] and left[0][1](run, driver.pid):
                        left.pop(0)
                    if now - launch.begin > LIMIT_S:
                        raise SystemExit(f"error: {run.title}: still not done after {LIMIT_S:.0f} s")
                    time.sleep(LOOK_S)
            finally:
                if driver.poll() is None:
                    driver.kill()
                driver.wait()
            launch.end = launch.driver_killed or time.perf_counter()
            if driver.returncode not in (0, 1, -signal.SIGKILL):  # 1: finished, but some pictures failed
                said.seek(0)
                raise SystemExit(f"error: {run.title}: exit code {driver.returncode}\n{said.read().decode()[-2000:]}")

    def _finished(self, run: Run) -> int:
        return sum(1 for _ in (run.folder / "parts").glob("part-*.parquet"))

    def print_runs(self) -> None:
        """The table of all runs; every one is compared with the first."""
        first = self.runs[0]
        expected = digest(first.folder)
        rows = []
        for run in self.runs:
            manifest = json.loads((run.folder / "manifest.json").read_text())
            rows.append(
                (
                    run.title,
                    f"{run.seconds:.1f}",
                    f"{run.restarts:.1f}",
                    f"{run.working:.1f}",
                    f"{self.pictures / run.working:,.0f}",
                    f"{manifest['read']:,}",
                    f"{manifest['failed']:,}",
                    "the reference" if run is first else "yes" if digest(run.folder) == expected else "**NO**",
                )
            )
        print_table(
            ("engine", "seconds", "starting workers", "working", "pictures/s, working", "rows", "errors", "same rows"),
            rows,
        )
        one = [run for run in self.runs if run.title == "local, 1 worker"]
        if one:
            say(f"two local workers against one, without starting: {one[0].working / first.working:.2f} x\n")


def digest(folder: Path) -> str:
    """Of all rows and errors of a finished job, in the order of their ids; a row that is there twice changes it."""
    found = hashlib.sha256()
    for table in (pq.read_table(folder / "parts"), pq.read_table(folder / "errors.parquet")):
        for row in sorted(json.dumps(row, sort_keys=True) for row in table.to_pylist()):
            found.update(row.encode())
    return found.hexdigest()


def kill_worker(run: Run, driver: int) -> bool:
    """kill -9 to a Ray worker that has a task."""
    if not (working := _working(driver)):
        return False
    with suppress(ProcessLookupError):
        os.kill(working[0], signal.SIGKILL)
    run.events.append("worker killed")
    run.launches[-1].deaths.append((time.perf_counter(), working[0]))
    return True


def kill_driver(run: Run, driver: int) -> bool:
    """kill -9 to the command; waits until the Ray that it had started is gone too.

    Two idle agents of Ray's stay for another minute; they are ended here.
    """
    descendants = family(driver)
    os.kill(driver, signal.SIGKILL)
    run.launches[-1].driver_killed = time.perf_counter()
    run.events.append("driver killed")
    deadline = time.perf_counter() + 30
    while (
        left := [process for process in descendants if state_of(process) not in ("", "Z")]
    ) and time.perf_counter() < deadline:
        if all("Agent" in title_of(process) for process in left):
            break
        time.sleep(LOOK_S)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return True


@contextmanager
def machines(count: int) -> Iterator[tuple[str, dict[str, str], Callable[[Run], bool]]]:
    """A cluster whose machines are processes here, one CPU each beside a first one that takes no work: (its address,
    the environment to join it in, what loses a machine).
    """
    environment = {**LOOPBACK, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile() as said:
        cluster = subprocess.Popen(
            [sys.executable, __file__, "--machines", str(count)],
            stdin=pipe,
            stdout=pipe,
            stderr=said,
            text=True,
            env={**os.environ, **environment},
        )
        if cluster.stdin is None or cluster.stdout is None:
            raise SystemExit("error: no pipes")
        orders, answers = cluster.stdin, cluster.stdout

        def lose(run: Run) -> bool:
            orders.write("lose\n")
            orders.flush()
            run.events.append(answers.readline().strip())
            return True

        try:
            if not (address := answers.readline().strip()):
                said.seek(0)
                raise SystemExit(f"error: the cluster does not start\n{said.read().decode()[-2000:]}")
            yield address, environment, lose
        finally:
            orders.close()  # it ends when nobody gives orders any more
            try:
                cluster.wait(60)
            except subprocess.TimeoutExpired:
                cluster.kill()
                cluster.wait()


def be_machines(count: int) -> None:
    """What the process of ``machines`` does: start Ray's nodes, lose one for each line that it reads."""
    from ray.cluster_utils import Cluster

    memory = 100 * 2**20
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": memory, "include_dashboard": False},
    )
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=memory) for _ in range(count)]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("machine lost", flush=True)
    cluster.shutdown()


def _print_extra(alone: Run, killed: Run) -> None:
    """How much longer the run under fire worked, beside what starting drivers and workers anew takes."""
    starting, restarting = killed.vacancies()
    extra = killed.working - alone.working
    say(
        f"under fire: {killed.seconds:.1f} s against {alone.seconds:.1f} s. Starting {len(killed.launches)} commands "
        f"kept {killed.workers} places vacant for {sum(starting):.1f} s in all, new workers for those killed "
        f"{sum(restarting):.1f} s ({', '.join(f'{each:.1f}' for each in restarting)}), of the run left alone "
        f"{sum(alone.vacancies()[0]):.1f} s; the half of that is waiting. A part takes {alone.usual:.2f} s. Beside "
        f"restarts {extra:+.1f} s, {extra / alone.working:+.1%} of {alone.working:.1f} s of work (to reach: at most "
        "+10 %)"
    )


def moved_digit(images: Images, rng: np.random.Generator) -> Images:
    """A digit drawn at random, moved by up to 2 pixels: uint8 (28, 28), bright on black."""
    image: Images = np.roll(images[rng.integers(len(images))], rng.integers(-2, 3, size=2), axis=(0, 1))
    return image


def number_of(images: Images, rng: np.random.Generator) -> Images:
    """A number of 3 to 6 digits drawn at random, dark on white, one and a half times their size: uint8 (H, W)."""
    digits = [np.pad(images[index], ((0, 0), (2, 2))) for index in rng.integers(0, len(images), rng.integers(3, 7))]
    row = 255 - np.pad(np.concatenate(digits, axis=1), 12)
    large: Images = cv2.resize(row, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    return large


def _working(driver: int) -> list[int]:
    """Ray's workers below a process that have a task just now; Ray writes its name into their title."""
    return [process for process in family(driver) if title_of(process).startswith("ray::_do")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The same pictures on local processes and on Ray, under kill -9 too.")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--bad", type=float, default=0.001, help="share of them that is bad")
    parser.add_argument("--task", choices=sorted(PART_SIZES), default="read")
    parser.add_argument(
        "--part-size", type=int, help="pictures of a part; left out, as many as digits batch puts in one"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="same,kills,machines", help="which of the three, with commas")
    data = "mnist" if os.environ.get("DIGITS_DATA") else "sample"
    parser.add_argument("--data", default=data, help="the digits that are drawn; training digits alone are taken")
    parser.add_argument("--machines", type=int, help=argparse.SUPPRESS)  # what a child process does
    return parser.parse_args()


if __name__ == "__main__":
    if number := _arguments().machines:
        be_machines(number)
    else:
        main()
