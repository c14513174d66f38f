"""What verify.yml finds of a stamp, and how it says so. This package is private to the collection."""
