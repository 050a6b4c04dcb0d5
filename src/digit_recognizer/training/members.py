"""The members of an ensemble, each trained as a task of its own, become one trained network.

A member ends with the same weights as where all are trained one after another by as many threads: every random choice
is a function of its number. Knows nothing of where tasks run: an engine may do them in any process, on any machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from digit_recognizer.errors import CheckpointError, FileError, Interrupted
from digit_recognizer.training.assembly import assemble
from digit_recognizer.training.checkpoint import CheckpointFolder, Snapshot
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.member_folder import MemberFolder
from digit_recognizer.training.progress import HistoryRow, Progress, StopRequest
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.trainer import Labelled, Trained, train


@dataclass(frozen=True)
class MemberJob:
    """What an engine is to do: train member ``member``, from 1, of the recipe.

    seed: of the whole training. checkpoints: a folder for those of this member, for who sees the disk it lies on.
    """

    recipe: Recipe
    member: int
    seed: int
    checkpoints: Path


@dataclass(frozen=True)
class FinishedMember:
    """weights: as ``state_dict`` gives them, on the CPU. history: a row an epoch."""

    member: int
    weights: Mapping[str, Tensor]
    history: Sequence[HistoryRow]

    @property
    def seconds(self) -> float:
        """Spent training it."""
        return sum(float(row["seconds"] or 0) for row in self.history)


# Does the jobs on (training, validation), in any order and perhaps side by side; yields each member as it is there, and
# calls the last argument with each epoch's row of the history, of whichever member, when the epoch ends.
MembersEngine = Callable[
    [Sequence[MemberJob], Labelled, Labelled, Callable[[HistoryRow], None]], Iterator[FinishedMember]
]


def train_member(
    job: MemberJob,
    training: Labelled,
    validation: Labelled,
    *,
    hardware: Hardware,
    checkpoints: CheckpointFolder | None = None,
    stop: StopRequest | None = None,
    on_row: Callable[[HistoryRow], None] = lambda row: None,
) -> FinishedMember:
    """Train one member; what an engine calls. on_row: called with each epoch's row. Raises what ``train`` does."""
    trained = train(
        job.recipe,
        training,
        validation,
        seed=job.seed,
        hardware=hardware,
        checkpoints=checkpoints,
        stop=stop,
        on_progress=lambda progress: on_row(progress.row) if progress.row is not None else None,
        member=job.member,
    )
    return FinishedMember(job.member, trained.network.state_dict(), trained.history)


def train_members(
    recipe: Recipe,
    training: Labelled,
    validation: Labelled,
    *,
    seed: int,
    engine: MembersEngine,
    folder: MemberFolder,
    on_member: Callable[[FinishedMember, list[HistoryRow]], None] = lambda finished, history: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda note: None,
) -> Trained:
    """Have every member trained that ``folder`` does not hold yet, and put all of them together.

    on_member: called with each member as it is finished, and with the history of all that are, member by member.
    on_progress: called as the members' epochs end. tell: called with a sentence where there is something to say.
    Raises what the engine raises, FileError where the run folder vanished; Interrupted says how many members are kept.
    """
    numbers = range(1, recipe.members + 1)
    done = {member: found for member in numbers if (found := _kept(folder, member, tell)) is not None}
    if done:
        tell(f"{len(done)} of {recipe.members} nets are there, going on with the others")
    jobs = [
        MemberJob(recipe, member, seed, folder.checkpoints(member).folder.absolute())
        for member in numbers
        if member not in done
    ]
    try:
        show = _progress_of_rows(recipe, len(training), done, on_progress)
        for finished in engine(jobs, training, validation, show) if jobs else ():
            if not folder.folder.parent.is_dir():  # writing would make a new run folder, without what belongs in it
                raise FileError(f"{folder.folder.parent}: the run folder vanished during training")
            folder.write(finished.member, Snapshot(finished.weights, {"history": list(finished.history)}))
            done[finished.member] = finished
            on_member(finished, _history(done))
    except Interrupted as interrupted:
        raise Interrupted(
            f"stopped; {len(done)} of {recipe.members} nets are finished and kept, go on with --resume",
            signal_number=interrupted.signal_number,
        ) from interrupted
    network = assemble(recipe, [done[member].weights for member in numbers])
    return Trained(network, _history(done), sum(each.seconds for each in done.values()))


def _progress_of_rows(
    recipe: Recipe, images: int, done: Mapping[int, FinishedMember], on_progress: Callable[[Progress], None]
) -> Callable[[HistoryRow], None]:
    """What turns rows, of members trained side by side, into the progress of all. images: to learn from."""
    reached = dict.fromkeys(done, recipe.epochs)
    per_epoch = sum(recipe.images_in_epoch(epoch, images) for epoch in range(1, recipe.epochs + 1)) / recipe.epochs
    began, shown = time.perf_counter(), 0

    def show(row: HistoryRow) -> None:
        nonlocal shown
        member, epoch = int(row["member"] or 1), int(row["epoch"] or 1)
        reached[member] = epoch
        shown += 1
        ended, epochs = sum(reached.values()), recipe.members * recipe.epochs
        seconds = max(time.perf_counter() - began, 1e-9)
        on_progress(
            Progress(
                member=member,
                epoch=epoch,
                epochs=recipe.epochs,
                step=ended,
                steps=epochs,
                loss=float(row["loss"] or 0),
                accuracy=float(row["accuracy"] or 0),
                images_per_second=shown * per_epoch / seconds,
                seconds_left=(epochs - ended) * seconds / shown,
                row=row,
            )
        )

    return show


def _kept(folder: MemberFolder, member: int, tell: Callable[[str], None]) -> FinishedMember | None:
    try:
        saved = folder.read(member)
        return None if saved is None else FinishedMember(member, saved.tensors, saved.facts["history"])
    except (CheckpointError, KeyError) as error:
        tell(f"{error}; net {member} is trained again")
        return None


def _history(done: Mapping[int, FinishedMember]) -> list[HistoryRow]:
    return [dict(row) for member in sorted(done) for row in done[member].history]


__all__ = ["FinishedMember", "MemberJob", "MembersEngine", "train_member", "train_members"]
