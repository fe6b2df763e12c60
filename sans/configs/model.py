"""What a network is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sans.activations import ACTIVATIONS
from sans.configs.checks import check_name, integers
from sans.configs.encoding import (
    Numbers,
    check_cosines,
    check_encoding,
    checked_densities,
    checked_texts,
)
from sans.configs.layout import (
    Layout,
    fitting_layout,
    layout_of,
    leads_text,
    learned_layout,
    parsed,
)
from sans.families import Spec, learned_text
from sans.stretching import stretched_size

SIZES = (15,)
"""The sizes of kernels where nothing is said of them."""


def _later(default: Any) -> Any:
    """Return a field that earlier versions did not have: files leave it out at its default."""
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything that a network is, but its weights.

    Examples:
        >>> from sans import ModelConfig
        >>> config = ModelConfig(activation="extrema", kernel_sizes=(15, 31))
        >>> config.densities  # by the paper's rule: three less
        (12, 28)
        >>> config.weights
        46
    """

    activation: str = "extrema"
    """A name in `sans.ACTIVATIONS`."""

    kernel_sizes: tuple[int, ...] = SIZES
    """Samples along each side of every kernel; where `kernel` gives them, those of its members,
    which follow from it if they are left out."""

    densities: Numbers = ()
    """The density parameter of the activation for every kernel, 0 where the activation has none.
    Where it is left out: the paper's rule, with the tolerance 3 for signals and 2 for images; the
    rule of `topk` needs the size of the signals, see `ModelOptions.config`."""

    dimensions: int = 1
    """Dimensions of space: 1 for signals, 2 for images."""

    decoder: str = "adjoint"
    """`adjoint`: an activation draws its kernel; `paper`: it draws it mirrored, as published."""

    competition: bool = _later(False)
    """Whether kernels compete for territory: no spike of any kernel lies within the distance of
    `extrema` of a stronger one, the distance of the kernel of the stronger; see
    `sans.activations.competing_extrema`."""

    encoder: str = _later("single-pass")
    """`single-pass`: the activation function; `pursuit`: spikes are chosen again and again on what
    is not described yet, see `sans.pursuit`; the activation function has no part in it then."""

    stop: str = _later("phi")
    """When a pursuit stops, see `sans.pursuit.stop.Stop`."""

    refit: str = _later("squares")
    """What the amplitudes of a pursuit minimise: the sum of `squares` of what is left, or, in a
    last step, its sum of `absolute` values, which is what φ counts; with `places`, spikes move in
    that step, too, where φ falls by it."""

    stretches: tuple[float, ...] = _later(())
    """Factors by which every kernel of a pursuit is stretched in time; each spike takes one of the
    stretched kernels, or the kernel itself."""

    kernel: tuple[str, ...] = _later(())
    """Texts that give the kernels, such as "hann", "derivative:9,17" and "learned:30", as
    `sans.families.parse` reads them; none: learned kernels of `kernel_sizes`."""

    leads: int = _later(1)
    """Leads of the signals, which are described together."""

    rank: str = _later("one")
    """What a learned kernel of several leads is: of rank `one`, a shape with a pattern of leads; of
    `full` rank, weights of its own in every lead. Without a meaning for one lead."""

    def __post_init__(self) -> None:
        check_name("activation", self.activation, ACTIVATIONS)
        object.__setattr__(self, "stretches", tuple(float(factor) for factor in self.stretches))
        check_encoding(self)
        if self.dimensions not in (1, 2):
            raise ValueError(f"a signal has 1 or 2 dimensions of space, not {self.dimensions}")
        if self.stretches and self.dimensions != 1:
            raise ValueError("kernels of signals stretch in time, not those of images")
        (leads,) = integers("leads", (self.leads,))
        if leads < 1:
            raise ValueError(f"signals have at least 1 lead, not {leads}")
        object.__setattr__(self, "leads", leads)
        object.__setattr__(self, "kernel", checked_texts("kernel", self.kernel))
        object.__setattr__(self, "kernel_sizes", integers("kernel sizes", self.kernel_sizes))
        if self.kernel:
            self._take_kernel()
        elif not self.kernel_sizes or min(self.kernel_sizes) < 1:
            raise ValueError(f"kernel sizes must be at least 1, not {list(self.kernel_sizes)}")
        densities = checked_densities(self.activation, self.densities) or self._densities_by_rule()
        object.__setattr__(self, "densities", densities)
        if len(self.densities) != len(self.kernel_sizes):
            raise ValueError(
                f"{len(self.densities)} densities for {len(self.kernel_sizes)} kernels: "
                "give one for each"
            )

    def _take_kernel(self) -> None:
        """Write the texts of kernels as equal ones are written, and the sizes that follow.

        Raises:
            ValueError: if a text is none, or other sizes are given.
        """
        kernel = tuple(spec.text for spec in parsed(self.kernel, self.dimensions))
        object.__setattr__(self, "kernel", kernel)
        whole = layout_of(kernel, self.dimensions, self.leads, self.rank)
        if whole.cosines:
            check_cosines(self.encoder)
        if self.kernel_sizes in ((), SIZES):
            object.__setattr__(self, "kernel_sizes", whole.sizes)
        elif self._side() == 0:
            raise ValueError(
                f"kernel sizes {list(self.kernel_sizes)} are not those of the kernels "
                f"{' '.join(kernel)}: {list(whole.sizes)}"
            )

    def _side(self) -> int | None:
        """Return to which side of signals the members of standard banks belong that are here.

        None: all are here; 0: the sizes are not those of the kernels for any signals.
        """
        for side in (None, *sorted(set(self.kernel_sizes), reverse=True)):
            found = layout_of(self.kernel, self.dimensions, self.leads, self.rank, side)
            if found.sizes == self.kernel_sizes:
                return side
        return 0

    def _densities_by_rule(self) -> Numbers:
        """Return the densities that the paper's rule gives without knowing the signals."""
        if self.activation == "topk" and self.kernel_sizes:
            raise ValueError("topk has no densities: give k for each kernel, or see ModelOptions")
        rule, tolerance = ACTIVATIONS[self.activation].paper_density, 4 - self.dimensions
        return tuple(rule(size, size, self.dimensions, tolerance) for size in self.kernel_sizes)

    @property
    def label(self) -> str:
        """What finds the spikes: the name of the activation, or pursuit."""
        return self.encoder if self.encoder == "pursuit" else self.activation

    @property
    def layout(self) -> Layout:
        """Its kernels one by one, with their patterns of leads."""
        if not self.kernel:
            return learned_layout(self.kernel_sizes, self.dimensions, self.leads, self.rank)
        return layout_of(self.kernel, self.dimensions, self.leads, self.rank, self._side())

    @property
    def specs(self) -> tuple[Spec, ...]:
        """What `kernel` says, parsed; none where all kernels are learned ones of `kernel_sizes`."""
        return parsed(self.kernel, self.dimensions)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that give the kernels, those of learned ones included."""
        return self.kernel or (learned_text(self.kernel_sizes),)

    @property
    def learned_sizes(self) -> tuple[int, ...]:
        """Samples along a side of every kernel whose weights are learned."""
        if not self.kernel:
            return self.kernel_sizes
        return tuple(member.size for member in self.layout.members if member.learned)

    @property
    def cosines(self) -> bool:
        """Whether the cosines of the window are one more shape of a spike, the last."""
        return bool(self.kernel) and self.layout.cosines

    @property
    def shapes(self) -> int:
        """The count of shapes that a spike may have, q of φₐ: kernels, stretched ones, cosines."""
        return len(self.kernel_sizes) * (1 + len(self.stretches)) + self.cosines

    @property
    def weights(self) -> int:
        """The count of numbers in all kernels together, W of φ.

        A learned kernel counts its weights; kernels that formulas give count their parameters if
        they were chosen for the data; a pattern of leads counts one number for each.
        """
        if not self.kernel and self.leads == 1:
            return sum(size**self.dimensions for size in self.kernel_sizes)
        return self.layout.weights

    @property
    def least(self) -> int:
        """Samples of the largest kernel: a signal that misses samples must have as many."""
        return int(max(self.kernel_sizes, default=1) ** self.dimensions)

    def with_kernel(self, kernel: Sequence[str], side: int | None = None) -> ModelConfig:
        """Return the same network with kernels given by other texts, and densities by rule.

        Args:
            kernel: texts such as "hann:9,17".
            side: samples along the shortest side of the signals: members of standard banks that
                are longer are left out; None: all are there.

        Raises:
            ValueError: if a text is none, or none of the kernels is as short as the signals.
        """
        found = fitting_layout((*kernel,), self.dimensions, self.leads, self.rank, side)
        rule, tolerance = ACTIVATIONS[self.activation].paper_density, 4 - self.dimensions
        return replace(
            self,
            kernel=(*kernel,),
            kernel_sizes=found.sizes,
            densities=tuple(rule(m, side or m, self.dimensions, tolerance) for m in found.sizes),
        )

    def check_space(self, space: Sequence[int]) -> None:
        """Raise a ValueError unless kernels of this network fit signals of shape ``(*space)``."""
        if len(space) != self.dimensions:
            kind = {1: "signals", 2: "images"}[self.dimensions]
            raise ValueError(f"the network is for {kind}, not for data of shape {tuple(space)}")
        for spec in self.specs:
            spec.check_space(space)
        drawn = [stretched_size(m, f) for m in self.kernel_sizes for f in (1, *self.stretches)]
        if (largest := max(drawn, default=1)) > min(space):
            raise ValueError(f"the kernel size must be between 1 and {min(space)}, not {largest}")

    def check_leads(self, leads: int) -> None:
        """Raise a ValueError unless the network is for signals of so many leads."""
        if leads != self.leads:
            wanted = leads_text(self.leads)
            raise ValueError(f"the network is for {wanted}, the signals have {leads}")
