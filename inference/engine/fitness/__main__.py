"""`python -m inference.engine.fitness`: how every shipped version stands to the rule for use."""

import sys
from typing import TextIO

from inference.engine.catalogue import all_shipped
from inference.engine.fitness.rule import fitness_of
from inference.engine.fitness.seating import all_seats

WORDS = {"holds": "holds", "fails": "FAILS", "unknown": "CANNOT BE TOLD"}


def main(out: TextIO) -> int:
    """One line for each condition of each version. 0 where a version of every modality meets the rule."""
    seated = {seat.record.name: seat for seat in all_seats()}
    for record in sorted((one.record for one in all_shipped()), key=lambda one: (one.modality, one.name)):
        found = fitness_of(record)
        use = "answers" if record.name in seated else "answers nobody"
        mark = "" if found.holds or record.name not in seated else ", experimental"
        out.write(f"{record.name}: {use}{mark}\n")
        for one in (*found.lacking, *(one for one in found.conditions if one.state == "holds")):
            out.write(f"  {WORDS[one.state]}: {' '.join(one.sentences)}\n")
    return int(not all(seat.fitness.holds for seat in seated.values()))


if __name__ == "__main__":
    sys.exit(main(sys.stdout))
