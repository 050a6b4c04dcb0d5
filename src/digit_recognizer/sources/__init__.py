"""Bytes of any kind become Digits. ``load`` takes whatever a person names; each reader stands in its own module."""

from digit_recognizer.sources.catalog import NAMES, load
from digit_recognizer.sources.pixel_csv import read_pixel_csv

__all__ = ["NAMES", "load", "read_pixel_csv"]
