"""A loss curve in plain characters, for terminals and model cards."""

from typing import Any

import numpy as np

WIDTH, HEIGHT = 64, 12


def curve(log: list[dict[str, Any]], name: str = "held_out_nats_per_step") -> str:
    """Draw one figure of a run's log against the step.

    Parameters
    ----------
    log
        Lines with ``step`` and `name`.
    name
        Which figure.

    Examples
    --------
    >>> print(curve([{"step": 0, "nats": 4.0}, {"step": 9, "nats": 1.0}], "nats").splitlines()[0])
     4.000 *
    """
    steps = np.array([line["step"] for line in log], dtype=float)
    values = np.array([line[name] for line in log], dtype=float)
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    columns = np.rint((steps - steps[0]) / (steps[-1] - steps[0] or 1.0) * (WIDTH - 1)).astype(int)
    rows = np.rint((high - values) / span * (HEIGHT - 1)).astype(int)
    canvas = [[" "] * WIDTH for _ in range(HEIGHT)]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        canvas[row][column] = "*"
    labels = [f"{high - span * row / (HEIGHT - 1):6.3f} " for row in range(HEIGHT)]
    lines = [label + "".join(row).rstrip() for label, row in zip(labels, canvas, strict=True)]
    axis = f"{int(steps[0]):<{WIDTH // 2}}{int(steps[-1]):>{WIDTH // 2}}"
    return "\n".join([*lines, " " * 7 + axis, f"{name.replace('_', ' ')} against training step"])
