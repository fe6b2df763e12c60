"""How many images are described at once."""

from __future__ import annotations

from torch import Tensor

from sans.pursuit.tensors.scene import TensorSetting

CHUNK = 2**27
"""Numbers that all images described at once may hold at a time: a gigabyte."""

FEW = 2**22
"""Numbers that a device handles in the time that it takes to ask it to."""

MAPS = 10
"""Arrays as large as the activations that a round holds at a time."""


def images_at_once(activations: int) -> int:
    """Return how many images to begin with together, of so many activations each."""
    return max(1, CHUNK // (MAPS * max(1, activations)))


def kept_together(images: int, going: int, numbers: int) -> int:
    """Return how many images to go on with together: first those that go on, then the others.

    Those that wait are set aside where there are many and it saves time, and half of the images
    where all would hold too many numbers.
    """
    if going <= images // 2 and images * numbers > FEW:
        return going
    return images if images * numbers <= CHUNK else max(1, images // 2)


def numbers_held(width: int, scene: TensorSetting, refit: str) -> int:
    """Return how many numbers an image of so many spikes holds at a time."""
    atom, around = scene.kernels[0].numel(), len(scene.kernels) * _around(scene).numel()
    return width * (5 * width + 4 * atom + 2 * around * (refit == "absolute"))


def _around(scene: TensorSetting) -> Tensor:
    """Return one image of the size on which a kernel meets every other at any distance."""
    rows, columns = scene.kernels.shape[1:]
    return scene.kernels.new_empty((2 * rows - 1, 2 * columns - 1))
