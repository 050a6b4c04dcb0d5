"""The counts of a batch become one page of HTML, for a person to look at. Reads no parts; nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from digit_recognizer.apps.about import threshold_sentence
from digit_recognizer.apps.batch.drift import CHANCE, NOTABLE, Difference, notable
from digit_recognizer.apps.batch.tally import BINS, Tally
from digit_recognizer.apps.terminal import counted, percent
from digit_recognizer.files import write_text
from digit_recognizer.model_file import ModelMetadata

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1f2933 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .2rem .8rem .2rem 0; text-align: right; font-weight: normal }
th:first-child { text-align: left } thead th { color: #5f6b78; border-bottom: 1px solid #d5dbe1 }
td { font-variant-numeric: tabular-nums; white-space: nowrap }
p, li { overflow-wrap: anywhere } .soft { color: #5f6b78 }
div { overflow-x: auto }
.bar { display: inline-block; height: .7rem; background: #005f96; vertical-align: middle }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #e6eaee } .bar { background: #6db3e2 }
.soft, thead th { color: #a9b4bf } thead th { border-color: #3a444f } }
@media (max-width: 560px) { th, td { padding-right: .5rem } .bar { max-width: 26vw } }
"""


def write_summary(
    path: Path,
    facts: Mapping[str, Any],
    tally: Tally,
    along: Sequence[Tally],
    metadata: ModelMetadata,
    rate: float | None,
    drift: Sequence[Difference] | None,
) -> None:
    """Write the page, whole or not at all. Raises FileError.

    facts: what the manifest says. along: counts of up to ten stretches of the input, in order. metadata: of the model.
    rate: pictures/s of the last run, None where it read none.
    drift: the input beside what the model knows, None where its file does not tell.
    """
    page = facts["task"] == "read"
    speed = f". {words}" if (words := speed_words(rate)) else ""
    outcome = (
        f"{counted(tally.pictures, 'picture')}: {tally.read:,} read, {tally.failures:,} failed"
        f"{_of(tally.failures, tally.pictures)}. {tally.accepted:,} accepted{_of(tally.accepted, tally.read)}{speed}."
    )
    origin = (
        f"Model {escape(str(facts['model']['name']))}, SHA-256 {escape(facts['model']['sha256'])}, preset "
        f"{escape(metadata.preset)}, learnt from {escape(metadata.data)}. digit-recognizer "
        f"{escape(str(facts['version']))}. Rows: parts/*.parquet; failures: errors.parquet."
    )
    body = [
        f"<h1>{escape(str(facts['source']))}</h1>",
        f"<p>{outcome}</p>",
        f'<p class="soft">{origin}{_passed_over(facts)}</p>',
        "<h2>Confidence of the digits</h2>",
        _histogram([f"{number / BINS:.2f}" for number in range(BINS)], tally.confidence),
        _threshold(metadata, facts.get("min_confidence")),
        "<h2>Not accepted</h2>",
        _counts(("reason", "pictures" if not page else "pages", "share of all read"), tally.reasons, tally.read),
        "<h2>Not read</h2>",
        _counts(("code", "pictures", "share of all"), tally.failed, tally.pictures),
        "<h2>Digits</h2>",
        _histogram([str(digit) for digit in range(10)], tally.digits),
        "<h2>Drift</h2>",
        _drift(drift),
        "<h2>Along the input</h2>",
        _along(along),
    ]
    write_text(
        path,
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(str(facts['source']))} – digits batch</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n",
    )


def passed_over_words(ignored: Mapping[str, int]) -> str:
    """What was passed over, for a sentence; empty where nothing was.

    >>> passed_over_words({"hidden file": 1, "symbolic link": 2})
    '1 hidden file, 2 symbolic links'
    """
    return ", ".join(f"{count:,} {_plural(kind, count)}" for kind, count in sorted(ignored.items()))


def speed_words(rate: float | None) -> str:
    """How fast it went, never rounded to nothing; empty where nothing was done.

    >>> speed_words(1234.5), speed_words(0.25), speed_words(None)
    ('1,234 pictures a second', '0.25 pictures a second', '')
    """
    if not rate:
        return ""
    return f"{rate:,.0f} pictures a second" if rate >= 10 else f"{rate:.2g} pictures a second"


def _plural(kind: str, count: int) -> str:
    if count == 1:
        return kind
    return kind.replace("file that is no picture", "files that are no pictures") if "that is" in kind else f"{kind}s"


def _passed_over(facts: Mapping[str, Any]) -> str:
    words = passed_over_words(facts.get("ignored", {}))
    return f" Passed over: {escape(words)}." if words else ""


def _histogram(names: Sequence[str], counts: Sequence[int]) -> str:
    most, total = max([1, *counts]), sum(counts)
    rows = [
        f"<tr><th>{name}</th><td>{count:,}</td><td>{percent(count / total if total else 0)}</td>"
        f'<td style="text-align:left"><span class="bar" style="width:{14 * count / most:.2f}rem"></span></td></tr>'
        for name, count in zip(names, counts, strict=True)
    ]
    return f"<div><table>{''.join(rows)}</table></div>"


def _counts(header: Sequence[str], counts: Mapping[str, int], total: int) -> str:
    if not counts:
        return "<p>None.</p>"
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return _table(header, [(name, f"{count:,}", percent(count / total if total else 0)) for name, count in ordered])


def _threshold(metadata: ModelMetadata, asked: float | None) -> str:
    """What "accepted" means. asked: the threshold that somebody gave, None for the model's own."""
    if asked is not None:
        return f'<p class="soft">Left: the lower end of each bin. Accepted from {asked:.4f} on, as was asked for.</p>'
    if metadata.min_confidence > 1:
        told = threshold_sentence(metadata.min_confidence, metadata.max_error)
        return f'<p class="soft">Left: the lower end of each bin. The model {told}.</p>'
    chosen = ""
    if metadata.max_error is not None:
        chosen = f", chosen so that at most {percent(metadata.max_error)} of accepted validation digits are read wrong"
    return (
        f'<p class="soft">Left: the lower end of each bin. Accepted from {metadata.min_confidence:.4f} on{chosen}; on '
        "worse pictures more are.</p>"
    )


def _drift(found: Sequence[Difference] | None) -> str:
    """What came in beside what the model was validated on, as far as its file tells."""
    if found is None:
        return (
            "<p>The model's file holds no figures of its inputs, as those of earlier versions, so nothing is compared: "
            "keep the first summary that you have checked by eye, and compare with that.</p>"
        )
    rows = [
        (
            each.words,
            _number(each.here),
            _number(each.known),
            _number(each.deviation),
            "–" if each.distance is None else f"{each.distance:+.2f}{' !' if each.is_notable else ''}",
        )
        for each in found
    ]
    sentences = notable(found)
    said = (
        "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"
        if sentences
        else "<p>Nothing notable.</p>"
    )
    return (
        said
        + _table(("", "this input", "the model's validation digits", "their deviation", "deviations apart"), rows)
        + f'<p class="soft">Notable (!): further apart than {NOTABLE:g} of the standard deviation among single digits, '
        f"and than {CHANCE:g} standard errors of the difference. Of the shares of digits, the one that is furthest "
        "off. Drift says that the input is another one, not that it is read wrong: look at some of it.</p>"
    )


def _along(along: Sequence[Tally]) -> str:
    rows = [
        (
            f"{number}",
            f"{part.pictures:,}",
            f"{part.failures:,}",
            _share(part.reject_rate),
            _number(part.mean_confidence),
            _number(part.mean_ink),
        )
        for number, part in enumerate(along, 1)
    ]
    return _table(("stretch", "pictures", "failed", "not accepted", "mean confidence", "mean ink"), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>" for row in rows
    )
    return f"<div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _of(count: int, total: int) -> str:
    return f" ({percent(count / total)})" if total and count else ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


__all__ = ["passed_over_words", "speed_words", "write_summary"]
