"""Images of many requests in few runs: each gets its own answers, in order, or the error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from digit_recognizer.apps.server.batching import Batcher, QueueFull
from digit_recognizer.digits import Images


def numbered(*numbers: int) -> Images:
    return np.stack([np.full((28, 28), number, np.uint8) for number in numbers])


def corners(images: Images) -> list[int]:
    return [int(image[0, 0]) for image in images]


def play(scene: Callable[[ThreadPoolExecutor], Coroutine[Any, Any, None]]) -> None:
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(scene(executor))


def test_each_request_gets_its_own_answers_from_a_shared_run() -> None:
    async def scene(executor: ThreadPoolExecutor) -> None:
        sizes: list[int] = []
        batcher = Batcher(corners, executor, observe=sizes.append)
        asked = [(1,), (2, 3), (4,), (5, 6, 7)]
        answers = await asyncio.gather(*(batcher.submit(numbered(*numbers)) for numbers in asked))
        assert [tuple(answer) for answer in answers] == asked
        assert sizes == [7]
        assert batcher.waiting == 0

    play(scene)


def test_runs_are_no_larger_than_allowed_unless_one_request_is() -> None:
    async def scene(executor: ThreadPoolExecutor) -> None:
        sizes: list[int] = []
        batcher = Batcher(corners, executor, at_once=2, observe=sizes.append)
        asked = [(1,), (2,), (3,), (4, 5, 6), (7,)]
        answers = await asyncio.gather(*(batcher.submit(numbered(*numbers)) for numbers in asked))
        assert [tuple(answer) for answer in answers] == asked
        assert sizes == [2, 1, 3, 1]

    play(scene)


def test_an_error_reaches_all_who_waited_for_that_run_and_nobody_after() -> None:
    def moody(images: Images) -> list[int]:
        if (images == 13).any():
            raise ValueError("thirteen")
        return corners(images)

    async def scene(executor: ThreadPoolExecutor) -> None:
        batcher = Batcher(moody, executor)
        both = await asyncio.gather(batcher.submit(numbered(1)), batcher.submit(numbered(13)), return_exceptions=True)
        assert [type(answer) for answer in both] == [ValueError, ValueError]
        assert list(await batcher.submit(numbered(2))) == [2]

    play(scene)


def test_an_error_before_a_run_reaches_those_who_wait_for_it_too() -> None:
    def counted(size: int) -> None:
        if size == 3:
            raise ValueError("three")

    async def scene(executor: ThreadPoolExecutor) -> None:
        batcher = Batcher(corners, executor, observe=counted)
        odd = np.zeros((1, 27, 27), np.uint8)  # which cannot be laid on the others
        for second in (numbered(2, 3), odd):
            asked = asyncio.gather(batcher.submit(numbered(1)), batcher.submit(second), return_exceptions=True)
            assert [type(answer) for answer in await asyncio.wait_for(asked, 5)] == [ValueError, ValueError]
        assert list(await batcher.submit(numbered(4))) == [4]

    play(scene)


def test_a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() -> None:
    go = threading.Event()

    def slow(images: Images) -> list[int]:
        assert go.wait(20)
        return corners(images)

    async def scene(executor: ThreadPoolExecutor) -> None:
        batcher = Batcher(slow, executor, waiting=2)
        first = asyncio.create_task(batcher.submit(numbered(1)))
        while not batcher._runner or batcher.waiting:  # until it runs
            await asyncio.sleep(0)
        second = asyncio.create_task(batcher.submit(numbered(2, 3)))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await batcher.submit(numbered(4))
        go.set()
        assert (list(await first), list(await second)) == ([1], [2, 3])
        assert list(await batcher.submit(numbered(4))) == [4]

    play(scene)


def test_who_gave_up_waiting_is_not_worked_for() -> None:
    go = threading.Event()

    def slow(images: Images) -> list[int]:
        assert go.wait(20)
        return corners(images)

    async def scene(executor: ThreadPoolExecutor) -> None:
        sizes: list[int] = []
        batcher = Batcher(slow, executor, observe=sizes.append)
        first = asyncio.create_task(batcher.submit(numbered(1)))
        while not sizes:
            await asyncio.sleep(0)
        gone = asyncio.create_task(batcher.submit(numbered(2)))
        stays = asyncio.create_task(batcher.submit(numbered(3)))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        go.set()
        assert (list(await first), list(await stays)) == ([1], [3])
        assert sizes == [1, 1]

    play(scene)
