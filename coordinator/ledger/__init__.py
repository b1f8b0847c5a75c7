"""The ledger: double entry in base units. Value in flight is the balance of its leg's account; there is no pending list."""
