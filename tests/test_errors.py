"""Errors travel: from worker processes, by pickle, as what they are."""

from __future__ import annotations

import copy
import pickle

import pytest

from digit_recognizer import errors
from digit_recognizer.errors import DigitsError, Interrupted, MissingExtra, TooManyPixels

KINDS = [getattr(errors, name) for name in errors.__all__]


def make(kind: type[DigitsError]) -> DigitsError:
    if issubclass(kind, MissingExtra):
        return kind("data", "reading Parquet")
    if issubclass(kind, TooManyPixels):
        return kind("a.png: 9 × 9 pixels", pixels=81)
    if issubclass(kind, Interrupted):
        return kind("stopped", signal_number=15)
    return kind("train.csv: wrong", code="of_its_own")


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_comes_back_from_pickle_as_it_was(kind: type[DigitsError]) -> None:
    error = make(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own bytes
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)
