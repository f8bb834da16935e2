"""How people are reached: by whatever apprise knows."""
