"""Fire drills: what goes wrong at a broker, rehearsed with the user's own settings in a sandbox.

A drill is a file in `stories/`: a script of what happens at a gateway of its own, in this process,
whose time passes only when the script lets it. The desk on it is a whole one. What became of it is
judged by the exchange's ledger and the wire log, never by what the desk says.
"""
