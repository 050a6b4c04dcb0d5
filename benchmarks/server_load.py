"""Single digits over HTTP: how many a second, how long they take, what five times too many do; a peer in the same run.

    python benchmarks/server_load.py [--no-peer]

Service and clients have a core each. Phases: 16 and 64 clients, each asking one after the other; the peer and the
service in turns, 16 clients each; five times the highest rate on 512 connections, on a schedule that waits for nobody,
while somebody asks for health; then 16 clients again, to see how soon all is as before. Every answer is compared.

The peer is LitServe (it brings 22 packages; BentoML brings 68), in an environment that this script makes: the same
network, JSON in and out, batches of up to 64.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import venv
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from common import load_labelled, print_heading, print_table, say
from digit_recognizer.recognizer import Recognizer
from server_client import (
    BYTES,
    DATA,
    JSON,
    Answer,
    Case,
    Client,
    Ledger,
    Lost,
    connected,
    now,
    quantile_ms,
    request,
    service,
    single_digits,
    stay_on,
    two_cores,
)

LEAST_RATE, MOST_P99_MS = 300, 120  # at 16 clients
OVERLOAD, CONNECTIONS = 5, 512
LEAST_GOODPUT, MOST_REFUSAL_MS, MOST_RECOVERY_S = 0.85, 100, 5
HEALTH = request("/v2/health/live", method="GET")
PEER_PACKAGES = ("litserve==0.2.19", "onnxruntime", "numpy")


@dataclass
class Phase:
    """What one phase of the load brought. seconds: of right answers."""

    name: str
    length_s: float
    seconds: list[float] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.length_s

    def row(self) -> tuple[str, str, str, str, str]:
        wrong = self.ledger.sent - len(self.seconds)
        return (
            self.name,
            f"{self.rate:,.0f}",
            f"{quantile_ms(self.seconds, 0.5):.1f}",
            f"{quantile_ms(self.seconds, 0.99):.1f}",
            str(wrong),
        )


async def closed_loop(name: str, port: int, cases: Sequence[Case], clients: int, length_s: float) -> Phase:
    """Clients that each ask, wait for the answer, and ask again."""
    phase = Phase(name, length_s)
    until = now() + length_s

    async def one(number: int) -> None:
        connection = await connected(port)
        place = number * 31
        while (began := now()) < until:
            case = cases[place % len(cases)]
            place += 1
            phase.ledger.sent += 1
            try:
                answer = await connection.ask(case.sent)
            except (Lost, OSError) as error:
                phase.ledger.lose(case, error)
                connection = await connected(port)
                continue
            took = now() - began
            if phase.ledger.book(case, answer, took) == "right":
                phase.seconds.append(took)
        connection.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return phase


class Flood:
    """Requests at a rate that waits for no answer, on many connections. Seconds count from when each was due."""

    def __init__(self, cases: Sequence[Case], rate: float) -> None:
        self.fates: Counter[str] = Counter()
        self.good: list[float] = []
        self.refusals: list[float] = []
        self.cpu_s = 0.0  # that the service used meanwhile
        self._cases = cases
        self._rate = rate
        self._free: deque[Client] = deque()
        self._busy: dict[Client, tuple[Case, float]] = {}
        self._due: deque[float] = deque()
        self._next = 0

    async def run(self, port: int, length_s: float) -> None:
        self._free.extend([await connected(port, self._heard) for _ in range(CONNECTIONS)])
        everyone = list(self._free)
        began = now()
        planned = 0
        while (passed := now() - began) < length_s:
            for _ in range(int(passed * self._rate) - planned):
                self._due.append(began + planned / self._rate)
                planned += 1
            while self._due and self._free:
                self._ask(self._free.popleft(), self._due.popleft())
            await asyncio.sleep(0.001)
        self.fates["never sent: no connection was free"] += len(self._due)
        self._due.clear()
        last = now() + 5
        while self._busy and now() < last:
            await asyncio.sleep(0.01)
        self.fates["lost"] += len(self._busy)
        for client in everyone:
            client.close()

    def _ask(self, client: Client, due: float) -> None:
        case = self._cases[self._next % len(self._cases)]
        self._next += 1
        self._busy[client] = (case, due)
        client.send(case.sent)

    def _heard(self, client: Client, answer: Answer) -> None:
        case, due = self._busy.pop(client)
        took = now() - due
        if answer.status == 200:
            # One in sixteen is looked at: this program must not be what cannot keep up.
            right = len(self.good) % 16 or case.is_met(answer)
            self.fates["answered" if right else "wrong"] += 1
            self.good.append(took)
        elif answer.status in (429, 503):
            self.fates["told to come again"] += 1
            self.refusals.append(took)
        else:
            self.fates[f"status {answer.status}"] += 1
        if self._due:
            self._ask(client, self._due.popleft())
        elif not answer.close:
            self._free.append(client)


async def pulse(port: int, length_s: float) -> list[float]:
    """How long the question for life takes, ten times a second."""
    client = await connected(port)
    seconds = []
    until = now() + length_s
    while now() < until:
        began = now()
        if (await client.ask(HEALTH)).status == 200:
            seconds.append(now() - began)
        await asyncio.sleep(0.1)
    client.close()
    return seconds


async def recovery(port: int, cases: Sequence[Case], usual_ms: float) -> float:
    """Seconds until 16 clients see their usual p99 again (at most twice it, half a second long); inf if they do not."""
    began = now()
    while (passed := now() - began) < 3 * MOST_RECOVERY_S:
        phase = await closed_loop("again", port, cases, 16, 0.5)
        if phase.seconds and quantile_ms(phase.seconds, 0.99) <= 2 * usual_ms:
            return passed
    return float("inf")


@contextmanager
def peer(folder: Path, core: int | None) -> Any:
    """LitServe with the network that ships, on a port of its own."""
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"making an environment for the peer in {folder}")
        venv.create(folder, with_pip=True)
        constraints = Path(__file__).resolve().parents[1] / "constraints.txt"
        install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *PEER_PACKAGES]
        subprocess.run(install, check=True)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    model = resources.files("digit_recognizer") / "assets" / "digits.onnx"
    words = [str(python), str(Path(__file__).with_name("server_peer.py")), str(model), str(port)]
    words += [] if core is None else [str(core)]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(words, stdout=silent, stderr=silent, start_new_session=True)
    try:
        until = now() + 60
        while True:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if now() > until or process.poll() is not None:
                raise SystemExit("error: the peer does not start; --no-peer leaves it out")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers are of its session
        process.wait()


class PeerCase(Case):
    """A request to the peer, which says digit and confidence alone."""

    def is_met(self, answer: Answer) -> bool:
        return answer.status == 200 and json.loads(answer.body)["digit"] == self.told[0]["digit"]


async def warm(port: int, cases: Sequence[Case]) -> None:
    await closed_loop("warm", port, cases, 4, 2)


def main() -> None:
    arguments = _arguments()
    print_heading("digits serve under load", ("fastapi", "uvicorn", "onnxruntime", "numpy"))
    server_core, client_core = two_cores()
    recognizer, digits = Recognizer(threads=1), load_labelled(arguments.data, 500)
    plain = single_digits(recognizer, digits, (BYTES,))
    as_json = single_digits(recognizer, digits, (JSON,))
    for_peer = [PeerCase(case.name, case.sent.replace(b"/v1/predict", b"/predict"), 200, case.told) for case in as_json]
    stay_on(client_core)
    length = arguments.seconds
    with service(core=server_core) as served:
        port = served.port
        asyncio.run(warm(port, plain))
        used = served.cpu()
        phases = [
            asyncio.run(closed_loop(f"{clients} clients, plain bytes", port, plain, clients, length))
            for clients in (16, 64)
        ]
        each_s = (served.cpu() - used) / max(1, sum(len(phase.seconds) for phase in phases))
        if arguments.peer:
            phases += _in_turns(arguments, port, as_json, for_peer, server_core)
        usual = phases[0]
        best = max(phase.rate for phase in phases if "plain" in phase.name)
        flood = Flood(plain, OVERLOAD * best)

        async def overload() -> tuple[list[float], float]:
            used = served.cpu()
            beats, _ = await asyncio.gather(pulse(port, length), flood.run(port, length))
            flood.cpu_s = served.cpu() - used
            return beats, await recovery(port, plain, quantile_ms(usual.seconds, 0.99))

        beats, again = asyncio.run(overload())
        memory = served.memory()
    print_table(("load", "right answers/s", "median ms", "p99 ms", "not right"), [phase.row() for phase in phases])
    goodput = len(flood.good) / length
    print_table(
        (f"{OVERLOAD} times {best:,.0f}/s on {CONNECTIONS} connections, {length:g} s", "requests"),
        [(fate, f"{count:,}") for fate, count in flood.fates.most_common()],
    )
    refusal_ms = quantile_ms(flood.refusals, 0.99)
    checks = [
        (f"16 clients: at least {LEAST_RATE}/s", f"{usual.rate:,.0f}/s", usual.rate >= LEAST_RATE),
        (f"16 clients: p99 at most {MOST_P99_MS} ms", *_ms(quantile_ms(usual.seconds, 0.99), MOST_P99_MS)),
        ("wrong or lost answers, all phases", *_none(phases, flood)),
        (f"goodput at least {LEAST_GOODPUT:.0%} of the best", f"{goodput / best:.0%}", goodput >= LEAST_GOODPUT * best),
        ("processor time for an answer, usually", f"{1000 * each_s:.2f} ms", True),
        ("of the processor time in the overload, share of answers", *_share(len(flood.good) * each_s, flood.cpu_s)),
        (f"refusals: p99 at most {MOST_REFUSAL_MS} ms", *_ms(refusal_ms, MOST_REFUSAL_MS)),
        (f"as before within {MOST_RECOVERY_S} s", f"{again:.1f} s", again <= MOST_RECOVERY_S),
        ("health, p99", f"{quantile_ms(beats, 0.99):.0f} ms", True),
        ("memory afterwards", f"{memory:.0f} MiB", True),
    ]
    print_table(("check", "found", "met"), [(name, found, "yes" if met else "NO") for name, found, met in checks])
    for line in [line for phase in phases for line in phase.ledger.odd][:10]:
        say(f"- {line}")
    sys.exit(0 if all(met for _, _, met in checks) else 1)


def _in_turns(
    arguments: argparse.Namespace, port: int, ours: Sequence[Case], theirs: Sequence[Case], core: int | None
) -> list[Phase]:
    """Service and peer in turns, twice each, so that a busy moment of the machine meets both."""
    length = arguments.seconds / 2
    with peer(arguments.peer_folder, core) as other:
        asyncio.run(warm(other, theirs))
        turns = 2 * (("digits serve", port, ours), ("LitServe", other, theirs))
        return [
            asyncio.run(closed_loop(f"16 clients, JSON: {name}", where, cases, 16, length))
            for name, where, cases in turns
        ]


def _share(part: float, whole: float) -> tuple[str, bool]:
    share = min(1.0, part / max(1e-9, whole))
    return f"{share:.0%}", share >= LEAST_GOODPUT


def _ms(found: float, most: float) -> tuple[str, bool]:
    return f"{found:.1f} ms", found <= most


def _none(phases: Sequence[Phase], flood: Flood) -> tuple[str, bool]:
    bad = sum(phase.ledger.sent - len(phase.seconds) for phase in phases if "LitServe" not in phase.name)
    bad += sum(count for fate, count in flood.fates.items() if fate in ("wrong", "lost") or fate.startswith("status"))
    return str(bad), bad == 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Throughput, latency and overload of digits serve, beside a peer.")
    parser.add_argument("--seconds", type=float, default=20, help="of each phase")
    parser.add_argument("--data", default=DATA, help="where the digits come from: mnist, sample, ...")
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=True)
    folder = Path(tempfile.gettempdir()) / "digits-peer"
    parser.add_argument("--peer-folder", type=Path, default=folder, help="where the peer's environment is, or is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
