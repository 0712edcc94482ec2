"""Two or more policies on the same days: what differs, by how much, and whether that is proved."""
