"""This codec beside others on the user's own recordings: bytes, errors and speed."""

from sans.bench.measurements import find, judge
from sans.bench.peers import PEERS, Peer, missing_peers, present_peers
from sans.bench.recorded import Recorded, read_recording
from sans.bench.results import BenchRow, in_total, write_results

__all__ = [
    "PEERS",
    "BenchRow",
    "Peer",
    "Recorded",
    "find",
    "in_total",
    "judge",
    "missing_peers",
    "present_peers",
    "read_recording",
    "write_results",
]
