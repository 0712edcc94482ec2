"""State that outlives a process: SQL tables, their migrations, and the stores over them."""
