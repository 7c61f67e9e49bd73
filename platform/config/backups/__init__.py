"""An installation put away and brought back: its database and its stored files, as of one moment.

A folder of backups holds the stored files of all of them once, by hash, and for each backup a folder with the
database (`database.dump`), the list of its files (`blobs.txt`) and what it is (`manifest.json`). Files never
change, so a backup copies what is new, and one that was broken off goes on where it was.
"""
