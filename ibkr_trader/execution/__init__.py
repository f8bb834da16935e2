"""The shell: asyncio, and every decision delegated inward."""
