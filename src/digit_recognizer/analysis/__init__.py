"""Digits and probabilities -> figures, tables, plots and the report. Knows nothing of models or training.

``metrics``, ``audit`` and ``explore`` need numpy alone; ``plots`` and ``report`` need the extra ``report``,
so they are imported where they are used and never from here.
"""

from __future__ import annotations

__all__: list[str] = []
