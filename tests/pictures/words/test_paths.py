"""The best way through a word against trying all ways; lengths and check digits against a sum by hand."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.errors import UsageError
from digit_recognizer.pictures.expectation import Expectation, is_luhn, luhn_value, parse_expectation
from digit_recognizer.pictures.words import paths
from digit_recognizer.pictures.words.cutting import Candidate, Piece, candidates
from digit_recognizer.pictures.words.paths import _costs, best_path

HEIGHT = 20.0


def word(count: int, seed: int) -> tuple[list[Candidate], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Pieces in a row, all that they could make up, and made-up scores."""
    rng = np.random.default_rng(seed)
    found = candidates([Piece(n + 1, (n * 6, 0, 5, 20), 60) for n in range(count)], HEIGHT)
    powers = np.exp(rng.normal(0, 3, (len(found), 11)))
    rows = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return found, rows[:, :10], rows[:, 10]


@pytest.mark.parametrize("seed", range(12))
def test_the_path_found_is_the_cheapest_of_all(seed: int) -> None:
    found, probabilities, strange = word(5, seed)
    digit_costs, none_costs = _costs(found, probabilities, strange, HEIGHT)
    each = np.minimum(digit_costs[np.arange(len(found)), probabilities.argmax(1)], none_costs)

    def ways(start: int) -> list[float]:
        if start == 5:
            return [0.0]
        return [
            float(each[number]) + rest
            for number, candidate in enumerate(found)
            if candidate.start == start
            for rest in ways(candidate.end)
        ]

    path = best_path(5, found, probabilities, strange, HEIGHT, Expectation())
    cost = sum(
        none_costs[step.candidate] if step.digit is None else digit_costs[step.candidate, step.digit] for step in path
    )
    assert cost == pytest.approx(min(ways(0)))
    assert [found[step.candidate].start for step in path] == [0, *(found[step.candidate].end for step in path[:-1])]


def test_a_check_digit_decides_between_two_likely_digits() -> None:
    found = [Candidate(place, place + 1, (place * 20, 0, 14, 20)) for place in range(4)]
    probabilities = np.full((4, 10), 0.001, np.float32)
    for place, digit in enumerate((1, 8, 7, 9)):
        probabilities[place, digit] = 0.99
    probabilities[1, 8], probabilities[1, 3] = 0.6, 0.39
    none = np.zeros(4, np.float32)
    right = [n for n in itertools.product((1,), (8, 3), (7,), range(10)) if is_luhn(n)]
    wanted = next(number for number in right if number[1] == 3)
    probabilities[3] = 0.001
    probabilities[3, wanted[3]] = 0.99
    free = best_path(4, found, probabilities, none, HEIGHT, Expectation())
    checked = best_path(4, found, probabilities, none, HEIGHT, parse_expectation(check="luhn"))
    assert [step.digit for step in free] == [1, 8, 7, wanted[3]]
    assert [step.digit for step in checked] == list(wanted)


@pytest.mark.parametrize(("number", "fits"), [("4539578763621486", True), ("4539578763621487", False), ("0", False)])
def test_luhns_sum_is_that_of_doubling_every_second_digit_by_hand(number: str, fits: bool) -> None:
    total = 0
    for place, letter in enumerate(reversed(number)):
        total += sum(map(int, str(int(letter) * (2 if place % 2 else 1))))
    assert (total % 10 == 0 and len(number) > 1) == fits == is_luhn([int(letter) for letter in number])


@pytest.mark.parametrize("text", ["", "0", "7-3", "9y9", "3-", "x9", "99x99", "-4", "1e3", "100"])
def test_an_expectation_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a length"):
        parse_expectation(text)


@pytest.mark.parametrize("other", [{"check": "luhn"}, {"numbers": "decimal"}])
def test_what_asks_for_numbers_is_refused_beside_a_grid_of_single_digits(other: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=rf"expect '4x4' or {next(iter(other))} '"):
        parse_expectation("4x4", **other)
    assert parse_expectation("4", **other).shortest == 4


def test_expectations_are_read_from_words() -> None:
    assert (parse_expectation(5).shortest, parse_expectation("5").longest) == (5, 5)
    assert [parse_expectation("3-7").allows_length(count) for count in (2, 3, 7, 8)] == [False, True, True, False]
    assert parse_expectation("9X9").grid == parse_expectation("9×9").grid == (9, 9)
    assert parse_expectation().complaint([1, 2]) is None
    assert parse_expectation("3-7").complaint([1, 2]) == "expected 3 to 7 digits, found 2"


@pytest.mark.parametrize(("expect", "check"), [("4", None), ("1-4", None), ("6", None), (None, "luhn"), ("4", "luhn")])
def test_no_sure_digit_is_left_out_to_meet_an_expectation(expect: str | None, check: str | None) -> None:
    found = [Candidate(place, place + 1, (place * 20, 0, 14, 20)) for place in range(5)]
    probabilities = np.full((5, 10), 1e-5, np.float32)
    probabilities[range(5), [1, 2, 3, 4, 6]] = 0.999
    path = best_path(5, found, probabilities, np.zeros(5, np.float32), HEIGHT, parse_expectation(expect, check=check))
    assert [step.digit for step in path] == [1, 2, 3, 4, 6]
    probabilities[2, 3] = 0.6  # nobody is sure of it
    path = best_path(5, found, probabilities, np.full(5, 0.01, np.float32), HEIGHT, parse_expectation("4"))
    assert [step.digit for step in path] == [1, 2, None, 4, 6]


def test_a_number_of_any_length_may_be_read_where_nobody_asks() -> None:
    assert parse_expectation().complaint([1] * 70) is None
    assert parse_expectation(check="luhn").complaint([0] * 70) is None
    assert parse_expectation("64").complaint([1] * 70) == "expected 64 digits, found 70"


def test_a_check_digit_asks_for_no_more_sums_than_there_are_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    sums: list[int] = []

    def counting(digit: int, place: int) -> int:
        sums.append(place)
        return luhn_value(digit, place)

    monkeypatch.setattr(paths, "luhn_value", counting)
    counts = []
    for count in (120, 240):
        sums.clear()
        best_path(count, *word(count, 1), HEIGHT, parse_expectation(check="luhn"))
        counts.append(len(sums))
        assert max(sums) < 64  # no number has more digits
    assert counts[1] <= 2.5 * counts[0]


@pytest.mark.parametrize("expect", [None, "3-4"])
@pytest.mark.parametrize("seed", range(6))
def test_the_path_that_fits_a_check_digit_is_the_cheapest_that_does(expect: str | None, seed: int) -> None:
    found, probabilities, strange = word(5, seed)
    digit_costs, none_costs = _costs(found, probabilities, strange, HEIGHT)
    expectation = parse_expectation(expect, check="luhn")
    free = best_path(5, found, probabilities, strange, HEIGHT, Expectation())
    least = sum(
        none_costs[step.candidate] if step.digit is None else digit_costs[step.candidate, step.digit] for step in free
    )
    for step in free:
        if (
            step.digit is not None
            and probabilities[step.candidate, step.digit] >= 0.9
            and strange[step.candidate] <= 0.05
        ):
            taken = range(found[step.candidate].start, found[step.candidate].end)
            for number, candidate in enumerate(found):
                if set(taken) & set(range(candidate.start, candidate.end)):
                    none_costs[number] = np.inf

    def ways(start: int) -> list[tuple[float, tuple[int, ...]]]:
        if start == 5:
            return [(0.0, ())]
        return [
            (cost + rest, (*taken, *others))
            for number, candidate in enumerate(found)
            if candidate.start == start
            for rest, others in ways(candidate.end)
            for cost, taken in [
                (float(none_costs[number]), ()),
                *(
                    (float(digit_costs[number, digit]), (digit,))
                    for digit in np.flatnonzero(probabilities[number] >= paths._ALTERNATIVE).tolist()
                ),
            ]
        ]

    every = ways(0)
    cheapest = min(cost for cost, digits in every if expectation.complaint(digits) is None)
    path = best_path(5, found, probabilities, strange, HEIGHT, expectation)
    cost = sum(
        none_costs[step.candidate] if step.digit is None else digit_costs[step.candidate, step.digit] for step in path
    )
    assert cost == pytest.approx(cheapest if cheapest <= least + paths._FORCED else least)
