"""Reading a case: who may see what, calipers, reads, signatures, and the models' call beside them."""
