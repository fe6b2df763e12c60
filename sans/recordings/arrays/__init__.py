"""Arrays behind a header: NPY and IDX files, and what dimensions mean."""
