"""The recipe `imitate-then-q`: imitate a planner on the states the network itself meets, then learn from rollouts."""
