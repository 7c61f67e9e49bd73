"""What the report of a case says, how it is put into words, and how it looks on paper.

`content` builds it once, as plain JSON; a signature stores that. Page and PDF show nothing else.
"""
