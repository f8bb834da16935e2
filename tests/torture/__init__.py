"""Real processes, really killed: `make torture N=1000`, or `python -m tests.torture N`."""
