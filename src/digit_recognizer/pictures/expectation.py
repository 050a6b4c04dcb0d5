"""What a person knows of the numbers on a picture becomes something to hold readings against: lengths, a grid, a check.

Knows nothing of pictures or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from digit_recognizer.errors import UsageError

LUHN = "luhn"
NUMBERS = ("digits", "decimal")

_LONGEST = 64  # digits that a number has at most
_MOST_CELLS = 40  # a side of a grid


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the numbers on a picture look like.

    shortest, longest: how many digits each number has; None where nothing is known. grid: (rows, columns) of a grid
    of cells with a digit each, or None. check: "luhn" where the last digit of each number is a check digit, or None.
    numbers: "digits", or "decimal" where a comma or point and a leading minus belong to them.
    """

    shortest: int | None = None
    longest: int | None = None
    grid: tuple[int, int] | None = None
    check: str | None = None
    numbers: str = "digits"

    def allows_length(self, count: int) -> bool:
        """Whether a number may have that many digits."""
        return self.shortest is None or self.shortest <= count <= self.most

    @property
    def most(self) -> int:
        """How many digits of a number are counted at most where something is asked of it."""
        return self.longest or _LONGEST

    @property
    def asks(self) -> bool:
        """Whether anything is asked of a number."""
        return self.shortest is not None or self.check is not None

    def complaint(self, digits: Sequence[int]) -> str | None:
        """Why the digits of one number are not what is expected, or None where they are."""
        if not self.allows_length(len(digits)):
            wanted = f"{self.shortest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
            return f"expected {wanted} digits, found {len(digits)}"
        if self.check == LUHN and not is_luhn(digits):
            return "its check digit (Luhn) does not fit"
        return None


def parse_expectation(
    expect: str | int | None = None, *, check: str | None = None, numbers: str = "digits"
) -> Expectation:
    """Read what was asked for. Raises UsageError where it is nothing known, or asks for what no grid holds.

    expect: a length (5 or "5"), a range of lengths ("3-7"), a grid of rows and columns ("9x9"), or None. A grid's cells
    hold single digits, so there is neither a check digit nor a decimal comma in it.

    >>> parse_expectation("3-7").longest, parse_expectation("9x9").grid
    (7, (9, 9))
    """
    if check not in (None, LUHN):
        raise UsageError(f"expected the check {LUHN!r}, found {check!r}")
    if numbers not in NUMBERS:
        raise UsageError(f"expected numbers to be one of {', '.join(NUMBERS)}, found {numbers!r}")
    shortest: int | None = None
    longest: int | None = None
    grid = None
    if expect is not None:
        text = str(expect).strip().lower()
        found = re.fullmatch(r"(\d{1,3})(?:([-x×])(\d{1,3}))?", text)
        first, between, last = (int(found[1]), found[2], int(found[3] or found[1])) if found else (0, None, 0)
        if between in ("x", "×") and 1 <= first <= _MOST_CELLS and 1 <= last <= _MOST_CELLS:
            grid = first, last
        elif between in (None, "-") and 1 <= first <= last <= _LONGEST:
            shortest, longest = first, last
        else:
            raise UsageError(
                f"expected a length such as 5, a range such as 3-7 (at most {_LONGEST}) or a grid such as 9x9, "
                f"found {text!r}"
            )
    if grid is not None and (check is not None or numbers != "digits"):
        other = f"check {check!r}" if check is not None else f"numbers {numbers!r}"
        raise UsageError(
            f"expected either expect {text!r} or {other}, found both: a grid holds single digits, no numbers; leave "
            "one of them out"
        )
    return Expectation(shortest, longest, grid, check, numbers)


def is_luhn(digits: Sequence[int]) -> bool:
    """Whether the last digit is the check digit of the others (Luhn, 1960; ISO/IEC 7812-1).

    >>> is_luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]), is_luhn([7, 9, 9, 2])
    (True, False)
    """
    return len(digits) > 1 and sum(luhn_value(digit, place) for place, digit in enumerate(reversed(digits))) % 10 == 0


def luhn_value(digit: int, place: int) -> int:
    """What a digit adds to Luhn's sum; place: 0 for the last digit, counted from right to left.

    >>> luhn_value(7, 0), luhn_value(7, 1)
    (7, 5)
    """
    return digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)


__all__ = ["LUHN", "NUMBERS", "Expectation", "is_luhn", "luhn_value", "parse_expectation"]
