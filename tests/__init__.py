"""The tests, as a package: eventkit installs a `tests` too, which a mere folder would lose to."""
