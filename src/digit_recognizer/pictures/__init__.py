"""Pictures become ink: decode safely, then frame as MNIST does."""

from digit_recognizer.pictures.ink import to_frame, to_frames
from digit_recognizer.pictures.load import load_grey

__all__ = ["load_grey", "to_frame", "to_frames"]
