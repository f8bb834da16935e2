"""The indicators, one file each; see `rules/indicator.py`."""
