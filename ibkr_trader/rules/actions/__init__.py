"""What rules do, one file each: discovered by name, and named by strategy files."""
