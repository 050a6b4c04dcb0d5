"""Images of many requests become few runs of the network. Knows neither HTTP nor what a run answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from digit_recognizer.digits import Images

Answer = TypeVar("Answer")


class QueueFull(Exception):
    """More images wait for the network than may; come again later."""


@dataclass(frozen=True, eq=False)
class _Job(Generic[Answer]):
    images: Images
    answer: asyncio.Future[Sequence[Answer]]


class Batcher(Generic[Answer]):
    """Gathers what several requests ask for at about the same time and runs it at once, on a thread of its own.

    run: what answers images uint8 (N, 28, 28) with N answers, in order; called on a thread of ``executor``, once at a
    time. at_once: images per run, unless one job alone brings more. waiting: images that may wait. gather_s: how long
    a job waits for others at most. Where nobody else is about, none waits: only where jobs came together, or did so
    the last time, does waiting pay. observe: told the number of images of each run.

    Use it from one event loop alone.

    >>> async def sums() -> list[int]:
    ...     from concurrent.futures import ThreadPoolExecutor
    ...     with ThreadPoolExecutor(1) as executor:
    ...         batcher = Batcher(lambda images: images.sum(axis=(1, 2)).tolist(), executor)
    ...         return list(await batcher.submit(np.ones((2, 28, 28), np.uint8)))
    >>> asyncio.run(sums())
    [784, 784]
    """

    def __init__(
        self,
        run: Callable[[Images], Sequence[Answer]],
        executor: Executor,
        *,
        at_once: int = 256,
        waiting: int = 8192,
        gather_s: float = 0.002,
        observe: Callable[[int], Any] = lambda count: None,
    ) -> None:
        self._run = run
        self._executor = executor
        self._at_once = at_once
        self._most_waiting = waiting
        self._gather_s = gather_s
        self._observe = observe
        self._jobs: deque[_Job[Answer]] = deque()
        self._waiting = 0
        self._runner: asyncio.Task[None] | None = None
        self._company = False  # whether the last run was of several jobs

    @property
    def waiting(self) -> int:
        """How many images wait for the network now."""
        return self._waiting

    async def submit(self, images: Images) -> Sequence[Answer]:
        """The answers for images uint8 (N, 28, 28), in order.

        Raises QueueFull at once where too many wait, and whatever the run raised.
        """
        if self._waiting + len(images) > self._most_waiting:
            raise QueueFull
        job = _Job[Answer](images, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._waiting += len(images)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._work())
        return await job.answer

    async def _work(self) -> None:
        """Run batch after batch until nothing waits."""
        while self._jobs:
            if (self._company or len(self._jobs) > 1) and self._waiting < self._at_once:
                await asyncio.sleep(self._gather_s)
            batch = self._take()
            self._company = len(batch) > 1
            if batch:
                await self._answer(batch)

    def _take(self) -> list[_Job[Answer]]:
        """The jobs of the next run. Those whose asker has gone are dropped."""
        batch: list[_Job[Answer]] = []
        count = 0
        while self._jobs and (not batch or count + len(self._jobs[0].images) <= self._at_once):
            job = self._jobs.popleft()
            self._waiting -= len(job.images)
            if not job.answer.done():
                batch.append(job)
                count += len(job.images)
        return batch

    async def _answer(self, batch: list[_Job[Answer]]) -> None:
        try:
            images = batch[0].images if len(batch) == 1 else np.concatenate([job.images for job in batch])
            self._observe(len(images))
            answers = await asyncio.get_running_loop().run_in_executor(self._executor, self._run, images)
        except Exception as error:  # whatever it is, those who wait for it must hear of it
            for job in batch:
                if not job.answer.done():
                    job.answer.set_exception(error)
            return
        start = 0
        for job in batch:
            end = start + len(job.images)
            if not job.answer.done():
                job.answer.set_result(answers[start:end])
            start = end


__all__ = ["Batcher", "QueueFull"]
