"""The market in a box: an exchange, its instruments and prices, and a gateway to it.

`exchange.py` is the one door. Nothing inward of this package knows that it exists.
"""
