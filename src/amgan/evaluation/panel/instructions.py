"""What raters are told: how to judge, and nothing about what is what."""

from __future__ import annotations

import textwrap

from amgan.evaluation.panel.design import Settings
from amgan.evaluation.panel.key import Key, PairKey

_START = """
Thank you for judging.

1. Copy the folder "forms" and give the copy your name. Fill in the CSV files of the copy, with any spreadsheet program
   or text editor, and save them as CSV with commas. Leave the columns "panel" and "number" as they are.
2. Look at one sheet of "sheets" after the other at its full size (100%), on a screen that is not dimmed. Each sheet
   shows one part of many faces; its number is below each picture.
3. Judge what is there, not what you think was done to it. Do not go back to change an answer, and do not talk about
   the sheets with another rater before both of you are done. Fill in every line.
"""

_RATINGS = """
For every number:

severity     0 to 100, how strong the sign named at the top of the sheet is: 0 none, 20 faint, 40 fine, 60 clear,
             80 deep, 100 extreme. Look at the sheet of the same name in "calibration" first, and again whenever you are
             unsure: it shows real people, and below each how severe the sign is.
naturalness  0 to 100, how much it looks like a photograph of real skin: 100 I would never doubt it, 75 something is
             a little odd, 50 I am not sure, 25 probably made, 0 certainly made. Bad light or a soft lens are natural.
occluded     yes if hair, glasses or a hand hide so much that the sign cannot be judged; then leave the other two empty.
             Else no.

Some pictures are photographs as they were taken, some were changed by a computer. How many, nobody tells you.
"""

_PAIRS = """
Every number is a pair: one is a photograph of someone, the other was made old by a computer. The people are different.

made         left or right: which was made? Guess if you do not know.
why          in a few words by what you could tell; leave it empty if you guessed.
"""


def instructions(key: Key, settings: Settings) -> str:
    """The text of README.txt.

    Args:
        key: Of the study; only its name and whether it is of pairs are told.
        settings: Give the signs.
    """
    signs = textwrap.fill(f"Signs, a form each: {', '.join(settings.signs)}", 110, break_long_words=False)
    body = _PAIRS if isinstance(key, PairKey) else _RATINGS
    return f"Reader study {key.panel}\n{_START}{body}\n{signs}\n"
