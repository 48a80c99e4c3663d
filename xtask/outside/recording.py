"""What a program does to the files of a folder, and what it acknowledges, in the order in which it happened.

strace records it; here its lines become events. A call that would change a file in a way that is not known here fails
the reading, so that nothing is left out in silence. What is made of the events is up to `powercut.py`.
"""

import codecs
import dataclasses
import os.path
import re

# The calls by which a file or its name may change, and those by which an answer leaves. A question mark allows for
# machines that do not have the call.
TRACED = (
    "openat,?open,?creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,?truncate,fallocate,fsync,fdatasync,"
    "?rename,renameat,?renameat2,?link,linkat,?unlink,unlinkat,lseek,mmap,copy_file_range,sendfile,splice,"
    "io_uring_setup,sendto,sendmsg"
)

# More than any program writes at once: what strace cuts off cannot be read.
LONGEST = 1 << 22

# SQLite maps this file instead of writing it, and makes it anew when nobody has it open.
SHARED_MEMORY = "-shm"

CALL = re.compile(rb"(\d+) +(\w+)\((.*)", re.DOTALL)
RESUMED = re.compile(rb"(\d+) +<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
RESULT = re.compile(rb"(.*)\) += (-?\d+|\?|0x[0-9a-f]+)(?:<([^>]*)>)?(.*)", re.DOTALL)
DESCRIPTOR = re.compile(rb"(\d+)<([^>]*)>(?!\(deleted\))")

# The calls that name files by their paths, and how they do.
BY_NAME = ("open", "creat", "truncate", "rename", "link", "unlink")
NAME = re.compile(rb'(?:\w+<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')


@dataclasses.dataclass(slots=True)
class Event:
    """A call that matters: it began, and had ended, at these lines of the recording."""

    kind: str
    path: str = ""
    offset: int = 0
    data: bytes = b""
    to: str = ""
    began: int = 0
    ended: int = 0

    @property
    def at(self):
        """The moment that counts. What a sync promises holds from its end; what is written may be on the disk as soon
        as that has begun; and nothing may be acknowledged, not even begun to be, before the sync has ended."""
        return self.ended if self.kind == "synced" else self.began


class Recording:
    """The events of one run: `opened`, `written`, `truncated`, `synced`, `renamed`, `removed` and `acknowledged`, the
    last with what `acknowledgement`, a pattern, has found of it in `data`."""

    def __init__(self, folder, trace, acknowledgement):
        self.folder = str(folder)
        self.trace = trace
        self.acknowledgement = re.compile(acknowledgement, re.DOTALL)
        self.positions = {}

    def command(self, lying=False):
        """What to put before a program to have it recorded. It stays the child of whoever starts it.

        Where the kernel is to be `lying`, syncs do nothing and succeed.
        """
        lies = ["-e", "inject=fsync,fdatasync:retval=0"] if lying else []
        options = ["-D", "-f", "--seccomp-bpf", "-qq", "-y", "-s", str(LONGEST)]
        return ["strace", *options, "-o", str(self.trace), "-e", f"trace={TRACED}", *lies]

    def events(self):
        """In order; to be called once, when the program has ended."""
        found = []
        begun = {}
        with open(self.trace, "rb") as lines:
            for number, line in enumerate(lines):
                line = line.rstrip(b"\n")
                if resumed := RESUMED.match(line):
                    call = begun.pop(resumed[1], None)
                    self._end(found, call, resumed[3], number)
                elif called := CALL.match(line):
                    self._begin(found, begun, called, number)
        return sorted(found, key=lambda event: event.at)

    def _begin(self, found, begun, called, number):
        process, name, rest = called.groups()
        if not rest.endswith(b"<unfinished ...>"):
            self._end(found, (name, b"", number), rest, number)
            return
        begun[process] = (name, rest.removesuffix(b"<unfinished ...>").rstrip(), number)

    def _end(self, found, call, rest, number):
        assert call, f"line {number}: a call ends that has not begun"
        name, arguments, began = call
        arguments, returned, descriptor_path, remark = RESULT.fullmatch(arguments + rest).groups()
        if returned.startswith(b"-") or returned == b"?":
            # It has failed, or the program has ended under it.
            return
        if event := self._event(name.decode(), arguments, descriptor_path, b"INJECTED" in remark, returned):
            event.began, event.ended = began, number
            found.append(event)

    def _event(self, name, arguments, returned_path, is_injected, returned):
        descriptor = DESCRIPTOR.match(arguments)
        path = self._watched(descriptor and descriptor[2])
        if path and path != self.folder:
            return self._file_event(name, path, descriptor[1], arguments, is_injected, returned)
        if path == self.folder and name in ("fsync", "fdatasync"):
            return None if is_injected else Event("synced", path)
        if name == "openat" and (path := self._watched(returned_path)):
            if path == self.folder:
                return None
            assert b"O_APPEND" not in arguments, f"{path} is opened to append"
            self.positions[returned] = 0
            return Event("emptied" if b"O_TRUNC" in arguments else "opened", path)
        if name in ("write", "writev", "sendto", "sendmsg"):
            if acknowledged := self.acknowledgement.search(arguments):
                return Event("acknowledged", data=acknowledged[1])
            return None
        if name.startswith(BY_NAME) and name != "openat":
            return self._name_event(name, arguments)
        return self._refuse_unseen(name, arguments)

    def _file_event(self, name, path, descriptor, arguments, is_injected, returned):
        if name == "pwrite64":
            offset = int(arguments.rpartition(b", ")[2])
            return Event("written", path, offset, _text(arguments)[: int(returned)])
        if name == "write":
            data = _text(arguments)[: int(returned)]
            offset = self.positions[descriptor]
            self.positions[descriptor] = offset + len(data)
            return Event("written", path, offset, data)
        if name == "ftruncate":
            return Event("truncated", path, int(arguments.rpartition(b", ")[2]))
        if name in ("fsync", "fdatasync"):
            return None if is_injected else Event("synced", path)
        raise AssertionError(f"{name} on {path} is not known here")

    def _name_event(self, name, arguments):
        names = [self._watched(os.path.join(folder, _unescaped(name))) for folder, name in NAME.findall(arguments)]
        if not any(names):
            return None
        if name.startswith("unlink"):
            return Event("removed", names[0])
        if name.startswith("rename") and all(names):
            return Event("renamed", names[0], to=names[1])
        raise AssertionError(f"{name} of {names} is not known here")

    def _refuse_unseen(self, name, arguments):
        """A file that is mapped, or copied into by the kernel, changes without its new content being seen here."""
        assert name != "io_uring_setup", "requests in a ring are not recorded"
        is_mapped = name == "mmap" and b"PROT_WRITE" in arguments and b"MAP_SHARED" in arguments
        if is_mapped or name in ("copy_file_range", "splice"):
            for _, path in DESCRIPTOR.findall(arguments):
                assert not self._watched(path), f"{name} on {path} is not known here"

    def _watched(self, path):
        """The path as text, if it is the folder or in it."""
        path = (path or b"").decode()
        inside = path == self.folder or path.startswith(f"{self.folder}/")
        return path if inside and not path.endswith(SHARED_MEMORY) else None


def _text(arguments):
    """The bytes between the first and the last quotation mark, which strace has escaped as C does."""
    start, end = arguments.index(b'"'), arguments.rindex(b'"')
    assert not arguments.startswith(b"...", end + 1), "strace has cut what was written"
    return _unescaped(arguments[start + 1 : end])


def _unescaped(text):
    return codecs.escape_decode(text)[0]
