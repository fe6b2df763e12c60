"""Where independent tasks are run: threads or processes here, or a Dask cluster, by joblib."""

from sans.engines.engine import Engine
from sans.engines.stopping import Stopped, StoppedError, ending

__all__ = ["Engine", "Stopped", "StoppedError", "ending"]
