"""The models that ship with the package, their bytes compared with the hash that lies beside them. Opens none."""

from __future__ import annotations

import hashlib
from pathlib import Path

from digit_recognizer.errors import ModelError
from digit_recognizer.model_file import ModelFile, check_model

_ASSETS = Path(__file__).parent / "assets"
_FIRST = "digits.onnx"  # a package without it ships without a model; without any other one it is damaged


def shipped_model(name: str) -> ModelFile:
    """One of the package's model files by name: digits.onnx, digits.int8.onnx, lines.onnx, ink.onnx, cells.onnx.

    The hash of NAME stands in the .sha256 file of its first part. Raises ModelError where the file is missing (``code``
    ``no_model`` where this version ships none at all) or is not as it was shipped (``damaged_model``).

    >>> shipped_model("lines.onnx").name
    'lines.onnx'
    """
    listed = f"{name.partition('.')[0]}.sha256"
    try:
        content = (_ASSETS / name).read_bytes()
        hashes = (_ASSETS / listed).read_text("ascii")
    except FileNotFoundError as error:
        if not (_ASSETS / _FIRST).exists():
            raise ModelError(
                "this version ships without a model; train one with: digits train DATA -o RUN, then --model RUN",
                code="no_model",
            ) from error
        raise _damaged(name, f"{Path(error.filename).name} is missing") from error
    except (OSError, UnicodeError) as error:
        raise _damaged(name, str(error)) from error
    expected = {words[1].lstrip("*"): words[0] for words in map(str.split, hashes.splitlines()) if len(words) == 2}
    if hashlib.sha256(content).hexdigest() != expected.get(name):
        raise _damaged(name, f"its SHA-256 is not the one in {listed}")
    return check_model(content, name)


def _damaged(name: str, why: str) -> ModelError:
    return ModelError(
        f"{name}: the model that ships with the package is damaged ({why}); install the package again",
        code="damaged_model",
    )


__all__ = ["shipped_model"]
