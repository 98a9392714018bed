"""What each operation is for a whole batch: rules by operation, and the running of a tape by them."""
