"""Projections: what is true of orders, positions and money, folded from events. Pure."""
