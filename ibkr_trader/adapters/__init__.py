"""The edge: one outside system each; they never meet."""
