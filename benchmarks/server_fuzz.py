"""Damaged pictures, damaged requests, and Schemathesis over the whole OpenAPI: no 5xx, nothing lost, nothing dead.

    python benchmarks/server_fuzz.py [--pictures 20000] [--requests 2000] [--examples 300] [--seed 0]

Each damaged picture is posted to /v1/predict or /v1/read and must be answered within two seconds, with a reading or a
refusal. Damaged requests go over plain sockets; whatever they get, the next sound request on another connection must be
answered. Every failure is told by seed and number, from which the bytes can be made again.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common import print_heading, print_table, say
from server_client import Lost, Served, connected, now, quantile_ms, request, service, stay_on, two_cores
from server_mutants import damaged_picture, damaged_request, sound_pictures, sound_requests

AT_ONCE = 8  # connections
KNOWN = frozenset({200, 400, 413, 415, 422})  # what a picture may be answered with
MOST_S = 2.0
KINDS = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff", "image/gif")
HEALTHY = request("/v2/health/ready", method="GET")
PATIENCE_S = 0.4  # for an answer to damaged bytes, which may look like the beginning of more

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


async def pictures(port: int, count: int, seed: int) -> tuple[Counter[int], list[float], list[str]]:
    """Statuses, seconds, and what should not have been, late answers apart."""
    sound = sound_pictures()
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    odd: list[str] = []
    numbers = iter(range(count))

    async def one() -> None:
        connection = await connected(port)
        for number in numbers:
            rng = np.random.default_rng([seed, number])
            content = damaged_picture(sound, rng)
            path = "/v1/read" if number % 3 == 0 else "/v1/predict"
            began = now()
            try:
                answer = await connection.ask(request(path, content, KINDS[rng.integers(len(KINDS))]))
            except (Lost, OSError) as error:
                odd.append(f"picture {number}, {path}: {error}")
                connection = await connected(port)
                continue
            took = now() - began
            statuses[answer.status] += 1
            seconds.append(took)
            if answer.status not in KNOWN:
                odd.append(f"picture {number}, {path}: {answer.status} after {took:.2f} s, {answer.body[:120]!r}")
        connection.close()

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return statuses, seconds, odd


async def raw_requests(port: int, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """What came back first, and what should not have been."""
    sound = sound_requests(sound_pictures()[0])
    first: Counter[str] = Counter()
    odd: list[str] = []
    numbers = iter(range(count))

    async def one() -> None:
        for number in numbers:
            sent = damaged_request(sound, np.random.default_rng([seed, 1, number]))
            answered = await _exchange(port, sent)
            statuses = [int(status) for status in _STATUS.findall(answered)]
            first[str(statuses[0]) if statuses else "nothing, or closed"] += 1
            if any(status >= 500 for status in statuses):
                odd.append(f"request {number}: {statuses}")
            try:
                connection = await connected(port)
                if (await connection.ask(HEALTHY, MOST_S)).status != 200:
                    odd.append(f"request {number}: the next sound request was not answered with 200")
                connection.close()
            except (Lost, OSError) as error:
                odd.append(f"request {number}: the next sound request was lost ({error})")

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return first, odd


async def _exchange(port: int, sent: bytes) -> bytes:
    """Send bytes; what comes back until there is a pause."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = b""
    try:
        writer.write(sent)
        await writer.drain()
        while True:
            piece = await asyncio.wait_for(reader.read(65536), PATIENCE_S if not answered else 0.05)
            if not piece:
                break
            answered += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.transport.abort()
    return answered


def schemathesis(port: int, examples: int, seed: int) -> tuple[str, bool]:
    """Schemathesis' own command over the whole document: its summary, and whether it found nothing."""
    program = Path(sys.executable).with_name("schemathesis")
    words = [str(program), "run", f"http://127.0.0.1:{port}/openapi.json", "--seed", str(seed), "--no-color"]
    words += ["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]
    words += ["--max-examples", str(examples), "--generation-database", "none", "--request-timeout", "10"]
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(words, capture_output=True, text=True, cwd=folder)
    return "\n".join(ended.stdout.strip().splitlines()[-40:]), ended.returncode == 0


def report(served: Served, checks: Sequence[tuple[str, str, bool]]) -> bool:
    alive = served.process.poll() is None
    complaints = served.complaints()
    rows = [
        *checks,
        ("the process that was started still answers", str(alive), alive),
        ("lines of its log that tell of a mistake", str(len(complaints)), not complaints),
    ]
    print_table(("check", "found", "met"), [(name, found, "yes" if met else "NO") for name, found, met in rows])
    for line in complaints[:5]:
        say(f"- {line[:300]}")
    return all(met for _, _, met in rows)


def main() -> None:
    arguments = _arguments()
    print_heading("digits serve and what is broken", ("fastapi", "uvicorn", "pillow", "schemathesis"))
    server_core, client_core = two_cores()
    stay_on(client_core)
    checks: list[tuple[str, str, bool]] = []
    with tempfile.TemporaryDirectory() as kept, service("--keep-corrections", kept, core=server_core) as served:
        asyncio.run(pictures(served.port, 200, arguments.seed + 1))  # memory is compared when all is loaded
        before = served.memory()
        began = now()
        statuses, seconds, odd = asyncio.run(pictures(served.port, arguments.pictures, arguments.seed))
        rate = len(seconds) / max(1e-9, now() - began)
        header = ("pictures", "200", *map(str, sorted(KNOWN - {200})), "median ms", "p99 ms", "slowest ms", "a second")
        counts = [f"{statuses[status]:,}" for status in (200, *sorted(KNOWN - {200}))]
        times = [f"{quantile_ms(seconds, share):.1f}" for share in (0.5, 0.99, 1)]
        print_table(header, [(f"{arguments.pictures:,}", *counts, *times, f"{rate:.0f}")])
        checks.append((f"of {arguments.pictures:,} pictures answered otherwise, or lost", str(len(odd)), not odd))
        slowest = max(seconds)
        checks.append((f"slowest, at most {MOST_S:g} s", f"{slowest:.2f} s", slowest <= MOST_S))
        first, odd_requests = asyncio.run(raw_requests(served.port, arguments.requests, arguments.seed))
        print_table(("damaged requests, first answer", "count"), [(what, str(n)) for what, n in first.most_common()])
        unsound = f"of {arguments.requests:,} requests answered with 5xx, or harmful to the next"
        checks.append((unsound, str(len(odd_requests)), not odd_requests))
        checks.append(("memory before, after", f"{before:.0f}, {served.memory():.0f} MiB", True))
        if arguments.examples:
            summary, clean = schemathesis(served.port, arguments.examples, arguments.seed)
            say(summary)
            checks.append(
                (f"Schemathesis, {arguments.examples} examples an operation", "clean" if clean else "see above", clean)
            )
        for line in [*odd[:10], *odd_requests[:10]]:
            say(f"- seed {arguments.seed}, {line}")
        good = report(served, checks)
    sys.exit(0 if good else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Damaged pictures and requests against digits serve.")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--examples", type=int, default=300, help="of Schemathesis, an operation; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
