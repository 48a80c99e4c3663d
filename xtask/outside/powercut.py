"""A disk whose power may be cut: what is on it then is what was synced, and of the rest nobody knows how much.

Modelled is what a file system with a journal promises, and no more:

- What was written before a sync of the file began is kept once that sync has ended. Of everything after it any part
  may be there, in any order, a write also in part, in sectors of 512 bytes; what is missing in a file reads as zeros.
- Names (files that are made, renamed or removed) change in order, and are kept once the folder was synced. Of the
  changes after it the first few may be there. A sync of a file does not keep its name.
- The folder itself is there from the beginning.
"""

import bisect
import pathlib

SECTOR = 512

# How likely a write that was not synced is there all the same; one is chosen for each file and cut.
CHANCES = [0, 0.1, 0.5, 0.9, 1]


class File:
    """The bytes of a file that are safe, and what happened to it since."""

    def __init__(self):
        self.safe = bytearray()
        self.pending = []

    def sync(self, began):
        """What had ended when the sync began is safe; a write beside it is not."""
        waiting = []
        for event in self.pending:
            if event.ended < began:
                _apply(self.safe, event)
            else:
                waiting.append(event)
        self.pending = waiting

    def after_power_cut(self, chance):
        content = bytearray(self.safe)
        likely = chance.choice(CHANCES)
        for event in self.pending:
            if chance.random() < likely:
                _apply(content, event, chance if chance.random() < 0.3 else None)
        return bytes(content)


class Disk:
    """The files of one folder, as the events of a recording change them."""

    def __init__(self, folder):
        self.folder = folder
        self.files = {}
        self.safe_names = {}
        # What the names were after each change since the folder was last synced, and when it had happened.
        self.later_names = []

    def happen(self, event):
        if event.kind == "synced" and event.path == self.folder:
            self._sync_names(event.began)
        elif event.kind == "synced":
            self.files[event.path].sync(event.began)
        elif event.kind in ("opened", "emptied") and event.path not in self.files:
            self.files[event.path] = File()
            self._names_changed(event)
        elif event.kind in ("emptied", "truncated", "written"):
            self.files[event.path].pending.append(event)
        elif event.kind == "removed":
            del self.files[event.path]
            self._names_changed(event)
        elif event.kind == "renamed":
            self.files[event.to] = self.files.pop(event.path)
            self._names_changed(event)

    def after_power_cut(self, chance):
        """The contents of the files that a reader might find, by their names in the folder."""
        names = [self.safe_names, *(names for names, _ in self.later_names)]
        found = chance.choice(names)
        return {pathlib.Path(name).name: file.after_power_cut(chance) for name, file in found.items()}

    def _names_changed(self, event):
        self.later_names.append((dict(self.files), event.ended))

    def _sync_names(self, began):
        kept = bisect.bisect_left(self.later_names, began, key=lambda change: change[1])
        if kept:
            self.safe_names, _ = self.later_names[kept - 1]
            del self.later_names[:kept]


def _apply(content, event, torn_by=None):
    if event.kind == "written":
        for start, piece in _pieces(event) if torn_by else [(event.offset, event.data)]:
            if torn_by is None or torn_by.random() < 0.5:
                _extend(content, start)
                content[start : start + len(piece)] = piece
    else:
        # To what length it was cut; an emptied file has none.
        del content[event.offset :]
        _extend(content, event.offset)


def _pieces(event):
    """What lies in each sector of the disk."""
    start = event.offset
    end = start + len(event.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield start, event.data[start - event.offset : stop - event.offset]
        start = stop


def _extend(content, length):
    content.extend(bytes(max(0, length - len(content))))
