"""The words of a page are held against each other: among letters, what looks like a digit may be one more letter.

Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.numbers.aligned import aligned
from digit_recognizer.pictures.numbers.apart import spaced
from digit_recognizer.pictures.numbers.beside import without_brackets
from digit_recognizer.pictures.numbers.by_hand import Letters, are_uneven, is_by_hand, is_of_digits, letters_of
from digit_recognizer.pictures.numbers.evenness import are_of_a_height
from digit_recognizer.pictures.numbers.judged import DOUBTED, judged, number_of
from digit_recognizer.pictures.numbers.listed import listed
from digit_recognizer.pictures.numbers.neighbours import Neighbours, neighbours_of
from digit_recognizer.pictures.numbers.read_word import ReadWord, refused_digits
from digit_recognizer.pictures.words.signs import MINUS
from digit_recognizer.pictures.words.within import APART, numbers_within
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Rejected, around

AMONG_LETTERS = "among letters, which it may be itself"
BESIDE_LETTER = "beside a mark that may be a letter"

_LIKELY = 0.9  # confidence from which on digits that are not accepted may make a number among letters
_FEW = 3  # letters near by that make no text yet
_ELSEWHERE = 0.8  # what a letter or digit in another line counts
_ALIKE = (0.55, 1.8)  # of a word's height: how tall others are that it is held against
_PARTS = 4.0  # and of a lone mark's: the dots and feet of letters may have come off them
# What letters look like: o, l, I, z, s, b, B, g, q. Hardly one looks like 3, 4 or 7.
_LETTERLIKE = frozenset((0, 1, 2, 5, 6, 8, 9))
_LETTERLIKE_PAIR = frozenset((0, 1, 5, 6, 8))  # so, lo, is, GO: of two digits, only these make up words
_LETTERLIKE_MOST = frozenset((0, 1, 5))  # SOS, OIL, loss: words of these alone are many
# Of a digit's height: how tall small letters are, but for b, d, g and such, and the share of these on a page of them.
_SMALL_LETTERS, _MIXED = 0.85, 0.3
_RATHER_LETTERS = frozenset((0, 1))  # I and O stand alone more often than S, Z, B and G
_SPELL_NOTHING = (frozenset((0,)), frozenset((5,)))
_SAME_BREADTH = 1.2  # times a font's broadest digit is broader than its narrowest but the 1; O and S differ more
_LETTER_APART = 0.35  # heights between two letters of a word at most
_LETTER_SHARED = 0.3  # of the lower one's height that they share, be one a g
_MOST_AFTER_POINT = 3  # digits of a price, or of a group of thousands
_PAIR_APART = 0.35  # heights between two digits and the words beside them, where nothing else tells them apart
_MANY, _MANY_APART = 4, 0.25  # and of many that are even and stand clear: spaces of narrow print are no wider
_SMALL_LETTER = 0.78  # of a capital's height that digits beside it are at least, and small letters are not
_CLEAR = 1.5  # times that is wider than the widest gap between the digits of a number, be they even or not


def without_text(words: Sequence[ReadWord], expectation: Expectation | None = None) -> list[ReadWord]:
    """The same words; in the company of letters, only what hardly can be letters itself keeps its digits.

    Letters of about a word's size, those of its own line counting most, are held against the digits of sure numbers.
    Where letters prevail, a number stays if all of its digits are accepted and it does not look like a word of ``o l I
    z s b B g q``: a lone 3, 4 or 7, two even digits that are not such a word, or three and more that are either even or
    have one of those in them. So does one that is of another hand or size than the letters (``by_hand``), accepted
    where it is as uneven as no print. In a line of printed text, a lone 0 or 1 and what is lower than capitals are not
    sure, whoever prevails, and sure digits as tall as capitals are read among small letters. A word that was not read
    or does not stay is searched for even numbers between its letters, which follow it in the list. Where there is no
    letter at all, a word keeps digits that were only doubted, none of them accepted, and why. A number with a mark at
    its ends that is no digit is read where no letters stand in its line, and accepted where that mark surely is a sign,
    or stands clear. The numbers of a list, each with a point, one below the other, stay; so does what stands in a row
    or column of numbers (``aligned``), be it doubted, none of it accepted.
    """
    result = []
    expectation = expectation or Expectation()
    neighbours = neighbours_of(words)
    words = [_beside_signs(word, neighbours, expectation) for word in words]
    neighbours = neighbours_of(words)
    has_letters = any(word.letters for word in words)
    letters = letters_of(words)
    of_list = listed(words)
    found = [
        word if place in of_list else _alone_or_among(word, neighbours, letters) for place, word in enumerate(words)
    ]
    of_table = aligned(words, [bool(word.digits) and all(digit.accepted for digit in word.digits) for word in found])
    for place, (word, kept) in enumerate(zip(words, found, strict=True)):
        if place in of_table and word.digits and not kept.digits:
            kept = replace(word, digits=_among_letters(word))
        numbers = [] if kept.digits or place in of_table else _within(kept, expectation)
        if kept.doubted and not numbers and (place in of_table or not has_letters):
            doubted = Rejected(around(digit.box for digit in kept.doubted), DOUBTED)
            kept = number_of(kept, kept.doubted, [doubted], expectation)
        result.append(_around(kept, numbers) if numbers else kept)
        result += numbers
    return result


def _beside_signs(word: ReadWord, neighbours: Neighbours, expectation: Expectation) -> ReadWord:
    """The word with the digits that stand beside what may be a sign; as it is where it has none, or others' letters."""
    beside = word.beside
    if beside is None or word.line in neighbours.with_letters:
        return word
    rejected = [Rejected(box, NOT_A_DIGIT) for box in beside.marks]
    digits = beside.digits
    if not beside.is_sure:
        tallest = max(digit.box[3] for digit in digits)
        is_alone = not neighbours.with_letters and neighbours.in_line[word.line] == 1
        is_alone &= all(tallest >= _SMALL_LETTER * mark[3] for mark in beside.marks)
        is_alone &= len(digits) > 2 or not _is_between(digits, beside.marks)
        if not is_alone and not _is_number(digits, word.tallest):
            return word
        digits = refused_digits(digits, BESIDE_LETTER)
        rejected.append(Rejected(around(digit.box for digit in digits), BESIDE_LETTER))
    return number_of(replace(word, letters=0, beside=None), digits, rejected, expectation)


def _is_between(digits: Sequence[PlacedReading], marks: Sequence[Box]) -> bool:
    """Whether marks stand on both sides of digits."""
    x, _, width, _ = around(digit.box for digit in digits)
    return min(mark[0] for mark in marks) < x and max(mark[0] + mark[2] for mark in marks) > x + width


def _alone_or_among(word: ReadWord, neighbours: Neighbours, found: Letters | None) -> ReadWord:
    if not word.digits:
        return word
    largest = _PARTS if len(word.digits) == 1 else _ALIKE[1]
    letters, digits = neighbours.company(word.line, _ALIKE[0] * word.height, largest * word.height, _ELSEWHERE)
    is_lone = _is_lone_among(word, neighbours)
    is_letter = len(word.parts) <= 1 and len(word.digits) == 1 and _is_letter(word, neighbours.marks)
    is_number = _is_number(word.digits, word.tallest, pointed=_is_pointed(word), timed=word.is_of_time)
    if not is_letter and (is_number or ((letters < _FEW or letters <= digits) and not is_lone)):
        is_sure = is_number or not word.is_parted or not _may_be_word(word, found)
        return word if is_sure else replace(word, digits=_among_letters(word))
    if not is_letter and not is_lone and word.is_parted and _are_capitals_or_digits(word, found):
        return replace(word, digits=_among_letters(word))
    if found is not None and not is_letter and is_of_digits(word) and is_by_hand(word.digits, found):
        return word if are_uneven(word.digits) else replace(word, digits=_among_letters(word))
    if is_of_digits(word):
        likely = _likely(word.digits)
        if len(likely) > 1 and _is_number(likely, word.tallest, pointed=_is_pointed(word)):
            return replace(word, digits=_among_letters(word))
    whole = Rejected(word.box, AMONG_LETTERS)
    return replace(word, text="", digits=(), rejected=(*word.rejected, whole))


def _among_letters(word: ReadWord) -> tuple[PlacedReading, ...]:
    return refused_digits(word.digits, AMONG_LETTERS)


def _may_be_word(word: ReadWord, found: Letters | None) -> bool:
    """Whether digits beside printed words may be one of these, however few: I, O, or some as low as small letters."""
    if found is not None and is_of_digits(word) and is_by_hand(word.digits, found):
        return False
    is_lone = len(word.digits) == 1 and word.digits[0].digit in _RATHER_LETTERS
    return is_lone or not are_of_a_height(word.digits, word.tallest)


def _are_capitals_or_digits(word: ReadWord, found: Letters | None) -> bool:
    """Whether all of a word are sure digits as tall as capitals, among small letters: words in capitals are rarer there
    than numbers are. A lone I or O is not.
    """
    if not is_of_digits(word) or not all(digit.accepted for digit in word.digits):
        return False
    if len(word.digits) == 1 and word.digits[0].digit in _RATHER_LETTERS:
        return False
    height = min(digit.box[3] for digit in word.digits)
    lower = 0.0 if found is None else float((found.heights <= _SMALL_LETTERS * height).mean())
    return lower >= _MIXED and are_of_a_height(word.digits, word.tallest)


def _is_lone_among(word: ReadWord, neighbours: Neighbours) -> bool:
    """Whether a lone digit stands in a row of lone letters, as at the head of a calendar, or in a column of letters
    with a point each, be there numbers beside and below.
    """
    if len(word.parts) > 1 or len(word.digits) != 1:
        return False
    letters, numbers = neighbours.row(word.line)
    if _FEW <= letters > numbers:
        return True
    letters, numbers = neighbours.column(word.digits[0].box[0], word.height)
    return bool(word.signs) and 1 < letters >= numbers


def _is_letter(word: ReadWord, marks: npt.NDArray[np.int64]) -> bool:
    """Whether a lone digit stands right beside a mark of another line that is none, as the g of kg does, which hangs
    lower. marks: int64 (M, 5), the line, x, y, width and height of what is tall and no digit.
    """
    x, y, _, tall = word.digits[0].box
    line, left, top, broad, high = marks.T
    shared = np.minimum(top + high, y + tall) - np.maximum(top, y)
    beside = (line != word.line) & (left < x) & (np.abs(x - left - broad) <= _LETTER_APART * tall)
    return bool((beside & (shared >= _LETTER_SHARED * np.minimum(high, tall))).any())


def _is_pointed(word: ReadWord) -> bool:
    """Whether a word looks like a price: one point or comma, few digits after it, and no row of bars."""
    places = [place for place, sign in word.signs if sign != MINUS]
    if len(places) != 1 or sum(digit.digit == 1 for digit in word.digits) > len(word.digits) / 2:
        return False
    after = sum(digit.box[0] > places[0] for digit in word.digits)
    return 0 < after <= _MOST_AFTER_POINT and after < len(word.digits)


def _within(word: ReadWord, expectation: Expectation) -> list[ReadWord]:
    """The numbers between the letters of a word that was not read, each a word of its own."""

    def is_number(digits: Sequence[PlacedReading], apart: float, widest: float) -> bool | None:
        several = len(digits) > 2
        even = are_of_a_height(digits, word.tallest)
        clear = math.isfinite(apart) and apart >= _CLEAR * widest
        least = APART if several else _PAIR_APART
        if even and clear and len(digits) >= _MANY:
            least = _MANY_APART
        if len(digits) < 2 or apart < least or not (even or (several and clear)):
            return False
        if several and even and clear:
            digits = _likely(digits)
        if (clear or _of_one_breadth(digits)) and _is_number(digits, word.tallest):
            return True
        if several and even and _is_other_hand(word, digits):
            return True
        return None if several else False

    places = [place for place, _ in word.signs]
    found = []
    for digits in numbers_within(without_brackets(word.parts, word.height), places, word.height, is_number):
        first, last = digits[0].box[0], digits[-1].box[0]
        signs = [
            (place, sign)
            for place, sign in word.signs
            if first < place < last or (sign == MINUS and first - 2 * word.height < place < first)
        ]
        sure = all(digit.accepted for digit in digits)
        told = tuple(digits) if sure else refused_digits(digits, AMONG_LETTERS)
        one = ReadWord(word.line, word.height, "", told, (), 0, len(digits), word.tallest, told, signs=tuple(signs))
        one = replace(one, is_parted=word.is_parted)
        found += [judged(each, [], each.signs, expectation) for each in spaced(one, expectation)]
    return found


def _likely(digits: Sequence[PlacedReading]) -> tuple[PlacedReading, ...]:
    """The digits as if each were accepted that is likely."""
    return tuple(replace(digit, accepted=digit.accepted or digit.confidence >= _LIKELY) for digit in digits)


def _is_other_hand(word: ReadWord, digits: Sequence[PlacedReading]) -> bool:
    """Whether digits, likely ones, are of another hand than the rest of their word."""
    rest = tuple(part for part in word.parts if part not in digits)
    letters = letters_of([replace(word, parts=rest)])
    is_likely = all(digit.accepted or digit.confidence >= _LIKELY for digit in digits)
    return is_likely and letters is not None and are_uneven(digits) and is_by_hand(digits, letters)


def _around(word: ReadWord, numbers: Sequence[ReadWord]) -> ReadWord:
    """What is left of a word that was not read without the numbers in it: what was rejected lies between those."""
    read = [digit for number in numbers for digit in number.digits]
    boxes: list[list[Box]] = [[]]
    for part in word.parts:
        if not isinstance(part, PlacedReading):
            boxes[-1].append(part)
        elif not any(part.box == digit.box for digit in read):
            boxes[-1].append(part.box)
        elif boxes[-1]:
            boxes.append([])
    reason = word.rejected[-1].reason if word.rejected else NOT_A_DIGIT
    return replace(word, rejected=tuple(Rejected(around(some), reason) for some in boxes if some))


def _is_number(digits: Sequence[PlacedReading], tallest: float, *, pointed: bool = False, timed: bool = False) -> bool:
    """Whether digits are a number even where letters prevail. tallest: of the marks in their line, in pixels. pointed,
    timed: whether a point or comma stands between them, or a colon between them and others, as between no letters.
    """
    found = frozenset(digit.digit for digit in digits)
    if not all(digit.accepted for digit in digits):
        return False
    even = are_of_a_height(digits, tallest)
    if even and (timed or (pointed and len(digits) > 1)):
        return True
    if len(digits) == 1:
        return even and not found & _LETTERLIKE
    if len(digits) == 2:
        return even and not found <= _LETTERLIKE_PAIR
    if found <= _LETTERLIKE_MOST and found not in _SPELL_NOTHING:
        return False
    if found <= _LETTERLIKE:
        return even and _of_one_breadth(digits)
    return True


def _of_one_breadth(digits: Sequence[PlacedReading]) -> bool:
    """Whether digits are as broad as each other, 1s left out, as those of most fonts are."""
    breadths = [digit.box[2] for digit in digits if digit.digit != 1]
    return not breadths or max(breadths) <= _SAME_BREADTH * min(breadths)


__all__ = [
    "AMONG_LETTERS",
    "BESIDE_LETTER",
    "without_text",
]
