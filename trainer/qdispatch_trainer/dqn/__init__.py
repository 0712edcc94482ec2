"""Deep Q-learning: pure losses, the agent that updates a network with them, exploration."""
