"""Benchmarks: ours beside a peer, or beside the least code that could do the job."""
