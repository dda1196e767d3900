r"""Cut Roboto down to the letters that a piano roll needs: Latin, Greek and Cyrillic.

    pip install fonttools
    python tools/subset_font.py /usr/share/fonts/truetype/roboto/unhinted/RobotoTTF \
        partimento/rendering/fonts

The source is Debian's package `fonts-roboto-unhinted` (2017, Apache-2.0). Pictures are drawn with
these files on every machine, whatever fonts it has.
"""

import argparse
from pathlib import Path

from fontTools import subset

LETTERS = [*range(0x20, 0x180), *range(0x370, 0x530), *range(0x2010, 0x2040), 0x20AC, 0x2122]


def main() -> None:
    """Write the two weights we use."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for name in ("Roboto-Regular.ttf", "Roboto-Medium.ttf"):
        options = subset.Options(layout_features=["kern"], hinting=False, recalc_timestamp=False)
        font = subset.load_font(str(arguments.source / name), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=LETTERS)
        subsetter.subset(font)
        subset.save_font(font, str(arguments.target / name), options)
        print(arguments.target / name, (arguments.target / name).stat().st_size, "bytes")


if __name__ == "__main__":
    main()
