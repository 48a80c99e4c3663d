"""Cuts the power, in so far as a test can, and looks whether every write that was acknowledged before is there.

What the released program writes, syncs and answers under load is recorded. For cuts at random moments its files are
rebuilt with what was synced by then and any part of what was not (`powercut.py` says what that is); the program is
started on them, and must know what it had acknowledged. To kill a process shows less, as the operating system still
writes what it was handed.

What finds nothing has to be able to find something: the same is tried where the kernel does nothing for a sync, where
the folder is never synced, and with a small program that acknowledges at `synchronous=OFF` and `NORMAL` of SQLite. All
of them have to lose.

    durability.py [--rounds N] [--writes N] [--cuts N] [--seed N]
"""

import argparse
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile

from checks import Checks, expect, unsound
from client import PatientClient
from load import CLIENTS, LATE_REPEATS, Account, Load, broken_promises, no_answer_was_a_failure
from powercut import Disk
from recording import Recording
from server import NO_LIMITS, DidNotStart, Server

# The tokens of one server are for the others that follow, on other ports.
FLAGS = [*NO_LIMITS, LATE_REPEATS, "--token-issuer=durability", "--token-audience=durability"]

ANSWER = rb"HTTP/1\.1 2\d\d .*?x-request-id: ([0-9a-f-]+)"

# Of the accounts at a cut, so many of the newest and of the others are looked at: each client is at one of the newest.
NEWEST, OTHERS = CLIENTS + 2, 2

# Cuts while the program starts for the first time.
FIRST_CUTS = 6

# Where something has to be lost: writes, and cuts one of which is enough.
CARELESS_WRITES, CARELESS_CUTS = 60, 40

WRITER = pathlib.Path(__file__).with_name("sqlite_writer.py")
ROWS, WRITER_CUTS = 200, 40


def recorded_load(writes, seed, lying=False):
    """The events of a run of the program, and the load that it was under."""
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        server = Server(*FLAGS)
        recording = Recording(server.data.resolve(), pathlib.Path(folder) / "trace", ANSWER)
        server.under = recording.command(lying)
        with server:
            load = Load(server.url, 0, seed)
            load.wait_for_answers(writes)
            load.end_by(server.stop)
        return recording, recording.events(), load


def moments(events, number, chance):
    """When the power goes: right behind an acknowledgement, right before the end of a sync, or at any time."""
    acknowledged = [event.at for event in events if event.kind == "acknowledged"]
    later = [event for event in events if event.at > acknowledged[0]]
    before_synced = [event.at - 1 for event in later if event.kind == "synced"]
    anytime = [event.at for event in later]
    kinds = [kind for kind in (acknowledged, before_synced, anytime) if kind]
    return [chance.choice(kinds[index % len(kinds)]) for index in range(number)]


def moments_of_the_first_start(events, number, chance):
    """Before anything is acknowledged, while the files and the schema are made."""
    started = next(event.at for event in events if event.kind == "acknowledged")
    return [chance.choice([event.at for event in events if event.at < started]) for _ in range(number)]


def cuts(recording, events, moments, chance):
    """For each moment the files as they might be found then, and the acknowledgements that had been sent."""
    disk = Disk(recording.folder)
    acknowledged = []
    happened = 0
    for moment in sorted(moments):
        while happened < len(events) and events[happened].at <= moment:
            event = events[happened]
            if event.kind == "acknowledged":
                acknowledged.append(event.data.decode())
            else:
                disk.happen(event)
            happened += 1
        yield disk.after_power_cut(chance), list(acknowledged)


def put(files, folder):
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def accounts_of(load, acknowledged, chance):
    """What clients knew: of some of the newest accounts, those just asked for included, and of a few others."""
    sent = set(acknowledged)
    past = [account.as_of(sent) for account in load.accounts]
    known = sum(account.exists for account in past)
    assert known, "an answer was recorded that nobody has received"
    older = max(0, known - NEWEST)
    return past[older : known + 2] + chance.sample(past[:older], min(OTHERS, older))


def lost_by(files, accounts):
    """Lines that say what the program does not know any more, or what is wrong with its file."""
    server = Server(*FLAGS)
    put(files, server.data)
    with server:
        broken = broken_promises(PatientClient(server.url), accounts)
        expect(server.stop(), 0)
        return broken + unsound(server.data / "vestibule.db")


def every_answer_was_recorded(events, load):
    recorded = sum(event.kind == "acknowledged" for event in events)
    assert recorded >= load.answered, f"{recorded} of {load.answered}"


def everything_acknowledged_is_there(files, accounts):
    expect(lost_by(files, accounts), [])


def a_first_start_that_was_cut_is_repeated(recording, events, chance):
    """Nothing was promised yet; whatever is left must be no obstacle."""
    for files, _ in cuts(recording, events, moments_of_the_first_start(events, FIRST_CUTS, chance), chance):
        everything_acknowledged_is_there(files, [Account("first@example.org")])


def one_round(checks, number, writes, cut_number, chance):
    """One recorded run and its cuts; returns how many writes were acknowledged."""
    recording, events, load = recorded_load(writes, chance.random())
    checks.run_all([no_answer_was_a_failure], load)
    checks.run_all([every_answer_was_recorded], events, load)
    print(f"-- round {number}: {load.answered} acknowledged writes, {len(events)} events", flush=True)
    checks.run_all([a_first_start_that_was_cut_is_repeated], recording, events, chance)
    chosen = moments(events, cut_number, chance)
    for cut, (files, acknowledged) in enumerate(cuts(recording, events, chosen, chance), 1):
        accounts = accounts_of(load, acknowledged, chance)
        name = f"cut {number}.{cut}, after {len(acknowledged)} answers: everything acknowledged is there"
        checks.run(name, everything_acknowledged_is_there, files, accounts)
    return load.answered


def a_kernel_that_does_nothing_for_a_sync_loses_acknowledged_writes(chance):
    must_lose(*recorded_load(CARELESS_WRITES, chance.random(), lying=True), chance)


def a_program_that_forgets_to_sync_its_folder_loses_acknowledged_writes(chance):
    recording, events, load = recorded_load(CARELESS_WRITES, chance.random())
    must_lose(recording, [event for event in events if event.path != recording.folder], load, chance)


def must_lose(recording, events, load, chance):
    """One cut must show it, of a program that starts: one that does not is of no use, but has not forgotten anything."""
    for files, acknowledged in cuts(recording, events, moments(events, CARELESS_CUTS, chance), chance):
        try:
            lost = lost_by(files, accounts_of(load, acknowledged, chance))
        except DidNotStart:
            continue
        if lost:
            print("-- lost, as it had to be:", *lost, sep="\n   ", flush=True)
            return
    raise AssertionError(f"{CARELESS_CUTS} cuts have lost nothing")


def losses_of_the_writer(synchronous, chance):
    """How many of the cuts have lost a row that was acknowledged, or more."""
    with tempfile.TemporaryDirectory(prefix="vestibule-") as place:
        folder = pathlib.Path(place).resolve() / "data"
        folder.mkdir()
        recording = Recording(folder, pathlib.Path(place) / "trace", rb"acknowledged (\d+)")
        command = [*recording.command(), sys.executable, str(WRITER), str(folder / "facts.db"), synchronous, str(ROWS)]
        # The end of its output is that of strace, too.
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        lost = 0
        events = recording.events()
        chosen = moments(events, WRITER_CUTS, chance)
        for number, (files, acknowledged) in enumerate(cuts(recording, events, chosen, chance), 1):
            rebuilt = pathlib.Path(place) / f"cut-{number}"
            put(files, rebuilt)
            lost += not holds_rows(rebuilt / "facts.db", int(acknowledged[-1]))
        return lost


def holds_rows(path, number):
    try:
        with sqlite3.connect(path) as database:
            (found,) = database.execute("SELECT count(*) FROM facts WHERE number <= ?", [number]).fetchone()
            return found == number and not unsound(path)
    except sqlite3.DatabaseError:
        return False


def a_writer_at_synchronous_full_loses_nothing(chance):
    expect(losses_of_the_writer("FULL", chance), 0)


def a_writer_at_synchronous_normal_loses_acknowledged_rows(chance):
    the_writer_loses("NORMAL", chance)


def a_writer_at_synchronous_off_loses_acknowledged_rows(chance):
    the_writer_loses("OFF", chance)


def the_writer_loses(synchronous, chance):
    lost = losses_of_the_writer(synchronous, chance)
    print(f"-- synchronous={synchronous}: {lost} of {WRITER_CUTS} cuts have lost something", flush=True)
    assert lost, f"{WRITER_CUTS} cuts have lost nothing"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--writes", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")

    checks = Checks()
    chance = random.Random(arguments.seed)
    controls = [
        a_writer_at_synchronous_full_loses_nothing,
        a_writer_at_synchronous_normal_loses_acknowledged_rows,
        a_writer_at_synchronous_off_loses_acknowledged_rows,
        a_kernel_that_does_nothing_for_a_sync_loses_acknowledged_writes,
        a_program_that_forgets_to_sync_its_folder_loses_acknowledged_writes,
    ]
    checks.run_all(controls, chance)
    answered = sum(
        one_round(checks, number, arguments.writes, arguments.cuts, chance) for number in range(1, arguments.rounds + 1)
    )
    print(f"-- {answered} acknowledged writes, {arguments.rounds * arguments.cuts} cuts", flush=True)
    checks.finish()


main()
