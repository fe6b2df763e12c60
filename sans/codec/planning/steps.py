"""The largest step with which an error is still what is asked for."""

from __future__ import annotations

from collections.abc import Callable

TRIES = 12
"""How often a step is tried, at most."""

CLOSE = 0.997
"""An error of this share of what is asked for is close enough."""

AIM = 0.9985
"""The share of it that is aimed at."""

LARGEST_STEP = (1 << 40) - 1
"""Steps are below this: see `sans.codec.entropy.numbers.DIGITS`."""


def largest_step(error: Callable[[int], float], asked: float, guess: float) -> int:
    """Return a step with which an error is what is asked for, or a little less; 0 if none is.

    Args:
        error: the error, squared, of a step in 1/256; it mostly grows with the step.
        asked: the largest error, squared.
        guess: a step to begin with.
    """
    low, high = 0, LARGEST_STEP
    step = min(max(1, round(guess)), LARGEST_STEP - 1)
    for _ in range(TRIES):
        found = error(step)
        if found <= asked:
            low = max(low, step)
            if found >= CLOSE**2 * asked:
                break
        else:
            high = min(high, step)
        if high - low <= 1:
            break
        # Errors are nearly proportional to steps.
        aim = step * (AIM**2 * asked / found) ** 0.55 if found else 2.0 * step
        # Where they jump, such an aim lies beyond what is known, again and again: take the middle.
        step = round(aim) if low < round(aim) < high else (low + high) // 2
    return low
