"""How loops become machine code: what marks them, how it is made, kept on the disk, and shared.

`decorators` is what the rest of the package uses; only it, `linking`, with its
`libraries`, and `cache` import numba.
"""
