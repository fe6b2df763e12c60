"""The pictures: kernels, a signal on its way through a network, and many networks compared."""

from sans.plots.kernels import Share, plot_kernels
from sans.plots.passage import Passage
from sans.plots.reconstruction import plot_reconstruction
from sans.plots.reproduction import plot_density, plot_kernel_table, plot_phi_by_epoch
from sans.plots.style import Picture, image_format, save_figure
from sans.plots.sweeps import Family, plot_phi_by_size, plot_plane

__all__ = [
    "Family",
    "Passage",
    "Picture",
    "Share",
    "image_format",
    "plot_density",
    "plot_kernel_table",
    "plot_kernels",
    "plot_phi_by_epoch",
    "plot_phi_by_size",
    "plot_plane",
    "plot_reconstruction",
    "save_figure",
]
