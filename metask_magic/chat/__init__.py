"""What comes of it: replies, and conversations made of them."""
