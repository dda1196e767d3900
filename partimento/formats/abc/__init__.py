"""ABC: the part of the notation that folk tunes are written in.

`read_abc` reads one tune of a file, `split_tunes` finds them all. What is read:

| | |
|---|---|
| fields | ``X`` number, ``T`` title, ``M`` meter, ``L`` unit, ``Q`` tempo, ``K`` key, ``V`` voice; in the header, on lines of their own, and in brackets; all others are passed over |
| keys | tonic and mode (major, minor, the church modes), ``HP``, ``none``, and signs of their own, as in ``K:D ^g`` |
| notes | ``^ _ =``, letters, ``, '``, lengths, rests ``z x Z``, chords ``[CEG]``, ties, broken rhythm, tuplets ``(3`` and ``(p:q:r`` |
| repeats | ``|: :| ::``, endings ``|1 :|2 [1,3``: unfolded |
| jumps | ``!D.C.! !D.S.! !segno! !coda! !dacoda! !fine!`` and ``!D.C.alfine!`` and the like: followed |
| passed over | grace notes, chord symbols, other decorations, slurs, lyrics, comments: grace notes and chord symbols are counted |

Overlays (``&``) are left out, and counted. Macros and ``U:`` are not known.

References
----------
Chris Walshaw, "The abc music standard 2.1", 2011, https://abcnotation.com/wiki/abc:standard:v2.1
"""  # noqa: E501 (a table)

from partimento.formats.abc.reader import AbcReading, read_abc, read_abc_report
from partimento.formats.abc.tunes import split_tunes

__all__ = ["AbcReading", "read_abc", "read_abc_report", "split_tunes"]
