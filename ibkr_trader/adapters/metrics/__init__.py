"""Figures for Prometheus: their text, and the door at which they are asked for."""
