"""What each format's header declares, read in pure Python from bytes nobody has vetted.

Each module has `inspect(data)`: it raises Refusal or says what the decoder may count on. Nothing here
allocates by a number found in the file, and every loop is bounded by the file's own length or a constant.
"""
