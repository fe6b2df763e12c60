"""This codec beside others on the user's own recordings: bytes, errors and speed."""

from sans.contest.contest import check_prdn, find, judge
from sans.contest.peers import PEERS, Peer, missing_peers, present_peers
from sans.contest.results import Row, in_total, write_results
from sans.contest.tracks import Recorded, read_recording

__all__ = [
    "PEERS",
    "Peer",
    "Recorded",
    "Row",
    "check_prdn",
    "find",
    "in_total",
    "judge",
    "missing_peers",
    "present_peers",
    "read_recording",
    "write_results",
]
