"""Two nodes on one PostgreSQL, and two on one MariaDB: what one of them takes away, the other does too; and of what both
are asked at the same moment, one thing happens.

Times are measured by asking again and again, and printed. Once the nodes are kept from hearing of each other, where the
check that they do has to fail: else it would have said nothing.

    nodes.py [--rounds N] [--galera]

With --galera the same is done on a cluster, whose nodes are named by VESTIBULE_TEST_GALERA.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse

from checks import Checks, expect, expect_answer
from databases import Database
from load import PASSWORD
from pair import pair

# What is promised: what one node takes away, the others do within so many seconds.
PROMISED_SECONDS = 5

# How often all proofs are tried again that were refused once.
AGAIN = 5

# For what takes a moment on any machine.
PATIENCE = 60

# So often a call that waits for a row may be given up before everybody else is done.
MOST_GIVEN_UP = 5


class Person:
    """An account with two sessions, one that holds tokens and one that is a cookie."""

    numbers = itertools.count(1)

    def __init__(self, node, admin):
        self.email = f"person-{next(self.numbers)}@example.org"
        self.id = admin.add(node, self.email, "staff")["id"]
        client = node.client()
        answer = client.login(self.email, PASSWORD)
        expect_answer(answer, 200)
        self.tokens(answer)
        answer = client.login(self.email, PASSWORD, mode="cookie")
        expect_answer(answer, 200)
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def tokens(self, answer):
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]

    @property
    def bearer_header(self):
        return {"Authorization": f"Bearer {self.access}"}

    @property
    def cookie_header(self):
        return {"Cookie": self.cookie}

    def headers(self):
        """Both proofs, each as the headers of a request."""
        return [self.bearer_header, self.cookie_header]


class Admin:
    """Somebody with the role, logged in at a node."""

    def __init__(self, node, email):
        answer = node.client().login(email, PASSWORD)
        expect_answer(answer, 200)
        self.id, self.access = answer["user"]["id"], answer["access_token"]

    def change(self, node, user_id, **change):
        return ask_json(node.client(), "PATCH", f"/api/admin/users/{user_id}", change, self.access)

    def add(self, node, email, role):
        answer = node.client().post(
            "/api/admin/users", {"email": email, "password": PASSWORD, "roles": [role]}, self.access
        )
        expect_answer(answer, 201)
        return json.loads(answer.bytes)


def ask_json(client, method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return client.ask(method, path, headers, json.dumps(body))


def me(client, headers):
    return client.ask("GET", "/api/auth/me", headers)


def at_once(*questions):
    """Asks all of them at the same moment, each on a thread of its own, and returns the answers in their order."""
    together = threading.Barrier(len(questions))

    def ask(question):
        together.wait()
        return question()

    with concurrent.futures.ThreadPoolExecutor(len(questions)) as threads:
        return list(threads.map(ask, questions))


# What is shared.


def both_nodes_have_started_on_an_empty_database(installation):
    """Both are up; each migration was applied once."""
    for node in installation.nodes:
        expect_answer(node.client().get("/readyz"), 200)
    applied = installation.database.ask("SELECT count(*), count(DISTINCT version) FROM vestibule_migrations")
    migrations, names = map(int, applied[0])
    assert migrations == names > 0, applied


def of_all_who_use_a_set_up_link_at_once_one_becomes_the_first_admin(installation):
    """Each node has offered one; the one that was offered last is good, at both nodes."""
    codes = [(node.data / "setup-link").read_text().strip().split("#code=")[1] for node in installation.nodes]
    attempts = [
        lambda node=node, code=code, email=email: node.client().post(
            "/api/auth/setup", {"code": code, "email": email, "password": PASSWORD}
        )
        for node in installation.nodes
        for code in codes
        for email in ["root@example.org", "other@example.org"]
    ]
    answers = at_once(*attempts)
    made = [answer for answer in answers if answer.status == 201]
    expect(len(made), 1)
    for refused in answers:
        if refused not in made:
            expect_answer(refused, 403, "setup_refused")
    installation.admin = Admin(installation.nodes[0], made[0]["user"]["email"])


def a_token_of_one_node_is_accepted_by_the_other(installation):
    for one, other in installation.both_ways():
        person = Person(one, installation.admin)
        for headers in person.headers():
            expect_answer(me(other.client(), headers), 200)
        expect_answer(other.client().refresh(person.refresh), 200)


def a_new_signing_key_is_taken_up_by_both_nodes(installation):
    one, other = installation.nodes
    person = Person(one, installation.admin)
    before = key_ids(other)
    one.command("keys", "rotate", "--now")
    deadline = time.monotonic() + PROMISED_SECONDS
    for giver, taker in installation.both_ways():
        while (key := key_of(token := log_in(giver, person))) in before:
            assert time.monotonic() < deadline, f"{giver.listen} signs with the old key still"
        # Whoever does not know the key yet asks for it.
        expect_answer(taker.client().me(token), 200)
        while key not in key_ids(taker):
            assert time.monotonic() < deadline, f"{taker.listen} does not publish the new key"
    for node in installation.nodes:
        expect_answer(node.client().me(person.access), 200)


def log_in(node, person):
    answer = node.client().login(person.email, PASSWORD)
    expect_answer(answer, 200)
    return answer["access_token"]


def key_ids(node):
    return {key["kid"] for key in node.client().get("/.well-known/jwks.json")["keys"]}


def key_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


# What one node takes away. Each of these ends sessions at a node and returns the headers that are worth nothing then.


def logging_out(node, admin, person):
    client = node.client()
    expect_answer(client.post("/api/auth/logout", token=person.access), 204)
    same_origin = {**person.cookie_header, "Sec-Fetch-Site": "same-origin"}
    expect_answer(client.ask("POST", "/api/auth/logout", same_origin), 204)
    return person.headers()


def ending_all_other_sessions(node, admin, person):
    expect_answer(ask_json(node.client(), "DELETE", "/api/auth/sessions", token=person.access), 204)
    return [person.cookie_header]


def changing_the_password(node, admin, person):
    old = person.headers()
    body = {"current_password": PASSWORD, "new_password": f"{PASSWORD} again"}
    expect_answer(node.client().post("/api/auth/password", body, person.access), 200)
    return old


def presenting_a_spent_refresh_token(node, admin, person):
    client, spent = node.client(), person.refresh
    for _ in range(2):
        person.tokens(client.refresh(person.refresh))
    expect_answer(client.refresh(spent), 401, "refresh_token_reused")
    return [person.bearer_header]


def deleting_ones_account(node, admin, person):
    answer = node.client().post("/api/user/profile/delete", {"current_password": PASSWORD}, person.access)
    expect_answer(answer, 204)
    return person.headers()


def disabling_by_an_admin(node, admin, person):
    expect_answer(admin.change(node, person.id, disabled=True), 200)
    return person.headers()


def deleting_by_an_admin(node, admin, person):
    expect_answer(ask_json(node.client(), "DELETE", f"/api/admin/users/{person.id}", token=admin.access), 204)
    return person.headers()


def lowering_a_role(node, admin, person):
    expect_answer(admin.change(node, person.id, roles=[]), 200)
    return person.headers()


def disabling_by_the_command_line(node, admin, person):
    node.command("user", "disable", person.email)
    return person.headers()


WAYS_TO_TAKE_AWAY = [
    logging_out,
    ending_all_other_sessions,
    changing_the_password,
    presenting_a_spent_refresh_token,
    deleting_ones_account,
    disabling_by_an_admin,
    deleting_by_an_admin,
    lowering_a_role,
    disabling_by_the_command_line,
]


def takes_effect_on_both_nodes(installation, take_away, one, other):
    """The node asks for itself at once; the command line is a node of its own."""
    person = remembered(Person(one, installation.admin), installation.nodes)
    worthless = take_away(one, installation.admin, person)
    taken_away = time.monotonic()
    if take_away != disabling_by_the_command_line:
        for headers in worthless:
            expect_answer(me(one.client(), headers), 401)
    seconds = [until_refused(node, worthless, taken_away) for node in (other, one)]
    print(f"-- {seconds[0]:.2f} s after {take_away.__name__.replace('_', ' ')}", flush=True)


def remembered(person, nodes):
    """The same, when all nodes have seen both sessions; the second question is answered from memory.

    Nothing was taken away from anybody since they last heard of something, or they would forget these again.
    """
    for node in nodes * 2:
        for headers in person.headers():
            expect_answer(me(node.client(), headers), 200)
    return person


def until_refused(node, worthless, taken_away):
    """How long a node took to refuse all of it, which it must go on to do."""
    client = node.client()
    while any(me(client, headers).status == 200 for headers in worthless):
        passed = time.monotonic() - taken_away
        assert passed <= PROMISED_SECONDS, f"accepted {passed:.1f} s after it was taken away"
        time.sleep(0.01)
    passed = time.monotonic() - taken_away
    assert passed <= PROMISED_SECONDS, f"refused after {passed:.1f} s"
    for headers in worthless * AGAIN:
        expect_answer(me(client, headers), 401)
    return passed


def until_answered(node, good):
    """A node that cannot say yet what was taken away says so, and knows it before long."""
    deadline = time.monotonic() + PATIENCE
    while any((answer := me(node.client(), headers)).status == 503 for headers in good):
        assert time.monotonic() < deadline, answer
    for headers in good:
        expect_answer(me(node.client(), headers), 200)


def what_is_committed_late_takes_effect_all_the_same(installation):
    """It begins, waits for a row that somebody else holds, and commits when later ones are long known."""
    for _ in range(MOST_GIVEN_UP):
        if committed_late(installation):
            return
    raise AssertionError(f"what had to be late was given up {MOST_GIVEN_UP} times before the others were done")


def committed_late(installation):
    """Whether it came to that; on a slow machine the one that waits may be given up before."""
    one, other = installation.nodes
    late = remembered(Person(one, installation.admin), installation.nodes)
    # Few, as they have to be done with before the one that waits is given up.
    others = [Person(one, installation.admin) for _ in range(2)]
    with held_row(installation.database, late.email) as release, concurrent.futures.ThreadPoolExecutor() as thread:
        answer = thread.submit(installation.admin.change, one, late.id, disabled=True)
        until_somebody_waits(installation.database)
        for early in others:
            remembered(early, installation.nodes)
            until_refused(other, logging_out(one, installation.admin, early), time.monotonic())
            # Remembered once more, under the count that these have raised.
            remembered(late, installation.nodes)
        was_late = not answer.done()
        release()
    if answer.result().status == 503:
        return False
    expect_answer(answer.result(), 200)
    assert was_late, "it did not wait for the row"
    seconds = until_refused(other, late.headers(), time.monotonic())
    print(f"-- {seconds:.2f} s after the late commit", flush=True)
    return True


@contextlib.contextmanager
def held_row(database, email):
    """Holds the row of an account by another client of the database, until told to release it."""
    command = database.client() + ([] if database.engine == "postgres" else ["--unbuffered"])
    holder = subprocess.Popen(
        command, env=database.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        holder.stdin.write(f"BEGIN; SELECT 'held' FROM users WHERE email_key = '{email}' FOR UPDATE;\n")
        holder.stdin.flush()
        expect(holder.stdout.readline().strip(), "held")
        yield lambda: holder.communicate("COMMIT;\n", timeout=30)
    finally:
        holder.kill()
        holder.wait()


def until_somebody_waits(database):
    question = {
        "postgres": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        "mariadb": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    }[database.engine]
    deadline = time.monotonic() + 30
    while database.ask(question) == [["0"]]:
        assert time.monotonic() < deadline, "nobody waits for the row"
        # MariaDB looks anew only when it was not asked within the last 100 ms.
        time.sleep(0.15)


# Every change of the count is made into none.
SILENCE = {
    "postgres": [
        "CREATE FUNCTION silence() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE TRIGGER silence BEFORE UPDATE ON revocations FOR EACH ROW EXECUTE FUNCTION silence()",
    ],
    "mariadb": ["CREATE TRIGGER silence BEFORE UPDATE ON revocations FOR EACH ROW SET NEW.count = OLD.count"],
}
END_OF_SILENCE = {"postgres": "DROP TRIGGER silence ON revocations", "mariadb": "DROP TRIGGER silence"}


def nodes_that_do_not_hear_of_each_other_are_found_out(installation):
    """The count of revocations is kept where it is, so that no node learns what another one did."""
    database = installation.database
    database.ask("; ".join(SILENCE[database.engine]))
    try:
        takes_effect_on_both_nodes(installation, logging_out, *installation.nodes)
    except AssertionError as failure:
        assert "after it was taken away" in str(failure), failure
    else:
        raise AssertionError("a node that cannot have heard of it has refused a token")
    finally:
        database.ask(END_OF_SILENCE[database.engine])


def a_node_that_slept_accepts_nothing_that_was_taken_away_meanwhile(installation):
    """The requests lie in its sockets when it wakes, so that they are what it does first."""
    one, other = installation.nodes
    gone, stays = (remembered(Person(one, installation.admin), installation.nodes) for _ in range(2))
    clients = [other.client() for _ in range(10)]
    other.process.send_signal(signal.SIGSTOP)
    try:
        worthless = disabling_by_an_admin(one, installation.admin, gone)
        for client, headers in zip(clients, itertools.cycle(worthless)):
            client.connection.request("GET", "/api/auth/me", headers=headers)
        time.sleep(PROMISED_SECONDS + 0.5)
    finally:
        other.process.send_signal(signal.SIGCONT)
    answers = [client.connection.getresponse().status for client in clients]
    assert set(answers) <= {401, 503}, answers
    print(f"-- the first answers after the sleep: {answers}", flush=True)
    for headers in worthless * AGAIN:
        again = me(other.client(), headers)
        assert again.status in (401, 503), again
    until_answered(other, stays.headers())


# Races.


def a_refresh_token_at_both_nodes_at_once_has_one_successor(installation, rounds):
    """Nobody is logged out by it; an older token ends the session at both nodes."""
    person = Person(installation.nodes[0], installation.admin)
    spent = []
    for _ in range(rounds):
        clients = [node.client() for node in installation.nodes * 2]
        answers = at_once(*(lambda client=client: client.refresh(person.refresh) for client in clients))
        for answer in answers:
            expect_answer(answer, 200)
        successors = {answer["refresh_token"] for answer in answers}
        expect(len(successors), 1)
        spent.append(person.refresh)
        person.tokens(answers[-1])
    for node in installation.nodes:
        expect_answer(me(node.client(), person.bearer_header), 200)
    expect_answer(installation.nodes[1].client().refresh(spent[-2]), 401, "refresh_token_reused")
    until_refused(installation.nodes[0], [person.bearer_header], time.monotonic())
    expect_answer(installation.nodes[0].client().refresh(person.refresh), 401)


def an_address_that_is_registered_at_both_nodes_at_once_has_one_account(installation, rounds):
    for number in range(rounds):
        email = f"wanted-{number}@example.org"
        clients = [node.client() for node in installation.nodes * 2]
        answers = at_once(*(lambda client=client: client.register(email, PASSWORD) for client in clients))
        expect(sorted(answer.status for answer in answers), [201, 409, 409, 409])


def two_admins_who_both_resign_leave_one(installation, rounds):
    """Each at a node of their own; and each may try to take the other's role instead."""
    one, other = installation.nodes
    for number in range(rounds):
        email = f"admin-{number}@example.org"
        first = installation.admin
        first.add(one, email, "admin")
        second = Admin(other, email)
        itself = number % 2 == 0
        answers = at_once(
            lambda: first.change(one, first.id if itself else second.id, roles=[]),
            lambda: second.change(other, second.id if itself else first.id, roles=[]),
        )
        statuses = [answer.status for answer in answers]
        expect(statuses.count(200), 1)
        # Who has lost the role by the other's request is told so, or is nobody any more.
        assert set(statuses) <= ({200, 409} if itself else {200, 401, 403, 409}), answers
        remaining = installation.database.ask(
            "SELECT email FROM users JOIN user_roles ON user_id = users.id WHERE role = 'admin' AND deleted_at IS NULL"
        )
        expect(len(remaining), 1)
        installation.admin = Admin(one, remaining[0][0])


class Installation:
    """Two nodes, their database, and whoever administers it."""

    def __init__(self, database, nodes):
        self.database = database
        self.nodes = nodes
        self.admin = None

    def both_ways(self):
        one, other = self.nodes
        return [(one, other), (other, one)]


def try_all(checks, name, database, urls, rounds, together=True):
    """Everything, with a node at each of the URLs of the database.

    Where these are not of the same server, not what rests on a lock: two first starts, and the last admin.
    """

    def run(check, *arguments):
        checks.run(f"{name}: {check.__name__.replace('_', ' ')}", check, *arguments)

    with pair(urls, at_once=together) as nodes:
        installation = Installation(database, nodes)
        run(both_nodes_have_started_on_an_empty_database, installation)
        run(of_all_who_use_a_set_up_link_at_once_one_becomes_the_first_admin, installation)
        run(a_token_of_one_node_is_accepted_by_the_other, installation)
        run(a_new_signing_key_is_taken_up_by_both_nodes, installation)
        for number in range(max(1, rounds // 20)):
            for take_away in WAYS_TO_TAKE_AWAY:
                sentence = f"{name}: {take_away.__name__} takes effect on both nodes".replace("_", " ")
                one, other = installation.both_ways()[number % 2]
                checks.run(sentence, takes_effect_on_both_nodes, installation, take_away, one, other)
        run(what_is_committed_late_takes_effect_all_the_same, installation)
        run(nodes_that_do_not_hear_of_each_other_are_found_out, installation)
        run(a_node_that_slept_accepts_nothing_that_was_taken_away_meanwhile, installation)
        run(a_refresh_token_at_both_nodes_at_once_has_one_successor, installation, rounds)
        run(an_address_that_is_registered_at_both_nodes_at_once_has_one_account, installation, rounds)
        if together:
            run(two_admins_who_both_resign_leave_one, installation, rounds)


# Whether the disk of a busy machine keeps up is not the question here.
NO_DISK = {
    "postgres": ["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
    "mariadb": ["innodb_flush_log_at_trx_commit=0", "innodb_doublewrite=0"],
}


def try_engine(checks, engine, rounds):
    database = Database(engine, *NO_DISK[engine])
    try_all(checks, engine, database, [database.url] * 2, rounds)


def try_galera(checks, rounds):
    """Both nodes at one node of a cluster, as it is recommended; then each at one of its own."""
    first, second, _third = os.environ["VESTIBULE_TEST_GALERA"].split()
    database = Database.at("mariadb", first)
    try_all(checks, "galera", database, [database.url] * 2, rounds)
    database = Database.at("mariadb", first)
    second = urllib.parse.urlsplit(second)._replace(path=urllib.parse.urlsplit(database.url).path).geturl()
    try_all(checks, "galera, two of its nodes", database, [database.url, second], rounds, together=False)
    checks.run("galera, two of its nodes: there were conflicts between them", conflicts_were_met, database, second)


def conflicts_were_met(database, second):
    """Else the nodes of the cluster were never in each other's way, and nothing was said about what happens then."""
    question = "SHOW STATUS WHERE Variable_name IN ('wsrep_local_cert_failures', 'wsrep_local_bf_aborts')"
    counts = [int(count) for url in (database.url, second) for _, count in database.ask(question, url)]
    print(f"-- {sum(counts)} transactions were in the way of others", flush=True)
    assert sum(counts) > 0, counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--galera", action="store_true")
    arguments = parser.parse_args()

    checks = Checks()
    if arguments.galera:
        try_galera(checks, arguments.rounds)
    else:
        # Most of it is waiting, so both are tried at the same time.
        engines = ("postgres", "mariadb")
        with concurrent.futures.ThreadPoolExecutor(len(engines)) as threads:
            for _ in threads.map(lambda engine: try_engine(checks, engine, arguments.rounds), engines):
                pass
    checks.finish()


main()
