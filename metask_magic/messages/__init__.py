"""What is said: the values that travel, frozen and without any I/O."""
