"""Does what a guide shows in its console blocks, in an empty folder, and compares what is printed with what stands there.

`…` stands for anything. Commands that a guide shows otherwise, such as those of other programs, are left out.

    guide.py docs/guides/NAME.md
"""

import sys
import tempfile

from checks import Checks
from console import Console, blocks, commands, environment_with_program
from server import ROOT


def main():
    [guide] = sys.argv[1:]
    checks = Checks()
    # The program lies beside the folder of the reader, not in it.
    with tempfile.TemporaryDirectory() as elsewhere, tempfile.TemporaryDirectory() as folder:
        reader = Console(folder, environment_with_program(elsewhere))
        try:
            for block in blocks((ROOT / guide).read_text()):
                for command, output in commands(block):
                    checks.run(command, reader.run, command, output)
        finally:
            reader.close()
    checks.finish()


main()
