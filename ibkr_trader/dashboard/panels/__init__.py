"""The parts of the screen, each a function of rows and a size to that many lines."""
