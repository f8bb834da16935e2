"""When this, then that: signals, rules, strategies and indicators, without any effect."""
