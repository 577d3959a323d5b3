"""What the virtual plant really does; nothing outside of this package may read it."""
