"""The live desk on a terminal: a pure reducer, a pure view, and a thin shell around them."""
