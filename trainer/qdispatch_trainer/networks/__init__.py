"""Q-networks: `set` (any fleet, sparse pairs) and `flat` (the classic 10 x 20 reference)."""
