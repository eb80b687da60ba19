"""What is asked: templates over the notebook's names, and what its objects and files become in them."""
