"""May this command go out? Pure: a command and a view in, a verdict with every reason out."""
