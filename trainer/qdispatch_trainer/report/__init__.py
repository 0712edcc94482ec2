"""A training on one page: how it learned, what its policy is worth, and whether its numbers can be believed."""
