"""The shell around the dashboard: bytes in, frames out, a terminal left as it was found."""
