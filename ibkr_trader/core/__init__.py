"""The vocabulary of everything else: values, facts and commands, and nothing that acts."""
