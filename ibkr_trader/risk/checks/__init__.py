"""One file a check; each registers exactly one, and adding a file adds a check."""
