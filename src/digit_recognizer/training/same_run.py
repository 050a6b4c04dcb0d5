"""Whether the run in a folder is the one that is to be gone on with: two configurations are compared, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from digit_recognizer._version import __version__
from digit_recognizer.errors import CheckpointError
from digit_recognizer.training.run_folder import RunFolder

SIDE_BY_SIDE = "side_by_side"  # in config.json: whether an engine trains the members


def check_same_run(folder: RunFolder, config: Mapping[str, Any], tell: Callable[[str], None]) -> None:
    """Raise CheckpointError, naming the difference, where the run in the folder is not the one asked for.

    config: what config.json would say of the run that is asked for. tell: called where the threads are others.
    """
    saved = {"versions": {}, "recipe": {}, "data": {}, **folder.read_json(folder.config)}
    if not all(isinstance(saved[name], dict) for name in ("versions", "recipe", "data")):
        raise CheckpointError(f"{folder.config}: does not describe a run")
    major = str(saved["versions"].get("digit-recognizer")).split(".")[0]
    if major != __version__.split(".")[0]:
        raise CheckpointError(f"{folder.path}: was started by version {major} of this package, this is {__version__}")
    if saved["data"].get("fingerprint") != config["data"]["fingerprint"]:
        raise CheckpointError(
            f"{folder.path}: was begun on other data ({saved['data'].get('name')}, {saved['data'].get('train')} images"
            f" to learn from; now {config['data']['name']}, {config['data']['train']}); give the same to resume"
        )
    if bool(saved.get(SIDE_BY_SIDE)) != bool(config.get(SIDE_BY_SIDE)):
        begun = "side by side" if saved.get(SIDE_BY_SIDE) else "one after another"
        raise CheckpointError(f"{folder.path}: its nets were begun {begun}; resume with the same --engine")
    differences = [
        f"{name} {old}, not {new}"
        for was, now in ((saved, config), (saved["recipe"], _as_json(config["recipe"])))
        for name, new in now.items()
        if (old := was.get(name)) != new
        and (now is not config or name in ("seed", "val", "device", "precision", "strokes", "fonts", "max_error"))
    ]
    if differences:
        raise CheckpointError(
            f"{folder.path}: was started with {'; '.join(differences)}; give the same to resume, or start anew"
        )
    if saved.get("threads") != config["threads"]:
        tell(
            f"started with {saved.get('threads')} threads, going on with {config['threads']}: "
            "the weights will differ in their last digits"
        )


def _as_json(value: Any) -> Any:
    """The value as it comes back from a JSON file: tuples become lists."""
    if isinstance(value, Mapping):
        return {name: _as_json(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_as_json(item) for item in value]
    return value


__all__ = ["SIDE_BY_SIDE", "check_same_run"]
