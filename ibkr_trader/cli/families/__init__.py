"""The command families, one file each; importing one registers it.

They are imported at every start, so each imports late what its commands need.
"""
