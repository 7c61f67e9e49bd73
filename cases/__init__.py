"""What we know about a pregnancy: the record."""
