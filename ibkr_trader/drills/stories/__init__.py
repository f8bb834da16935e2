"""The drills, one a file."""
