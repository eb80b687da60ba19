"""Many requests at the pace that a gateway takes."""
