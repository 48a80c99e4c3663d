"""Many users at once, each of whom must never be sent a byte of another.

Whatever a user writes holds a word of theirs, and whatever any of them is sent is searched for the words and the ids
of the others. They try the ids of others, too, which have to be answered like ids of nothing, byte for byte. And in
the end everybody has what they wrote and nothing else.

    isolation.py [--engine E]... [--users N] [--requests N] [--seed N]
"""

import argparse
import json
import random
import re
import resource
import uuid

from checks import Checks, expect, expect_answer
from client import Answer, Client
from crowd import Visitor, visit
from databases import Database
from load import PASSWORD
from server import NO_LIMITS, Server
from workload import is_refusal

# So many hashes are waited for at a time, and so often whoever is refused at the begin asks again.
REGISTERING = 8
ROUNDS = 20

# How often each is asked for among a hundred and more. What else users keep is to be written and read here as well.
MIX = {"add": 20, "change": 10, "replace": 5, "delete": 5, "read": 15, "list": 20, "search": 5, "trespass": 15}
MIX |= {"me": 2, "profile": 1, "sessions": 2}
MIX |= {"put": 8, "get": 8, "documents": 2}

# The same for all of them: a document is told by its owner alone.
KEYS = ["settings", "Settings", "a.b", "0"]

LISTS = ["", "?limit=100", "?sort=title&limit=5", "?sort=due_at&offset=2", "?completed=true", "?q=word"]
TRESPASSES = ["GET", "PUT", "PATCH", "DELETE"]

WORD = re.compile(rb"word[0-9a-f]{16}")
ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Headers that are of one answer, and of nobody.
OF_THE_MOMENT = {"date", "x-request-id"}


class User:
    """Somebody with an account, and what they know to be theirs."""

    def __init__(self):
        self.word = None
        self.access = None
        # By id, with the version and the title of each.
        self.todos = {}
        # By key.
        self.documents = {}
        # What an id of nothing is answered, by method.
        self.nothing = {}
        self.answered = 0
        # Whether something was asked for that may have happened although it was refused.
        self.is_unsure = False

    def registration(self, chance):
        """Under another name each time: one that was refused may be taken nevertheless."""
        self.word = f"word{chance.getrandbits(64):016x}"
        body = {"email": f"{self.word}@example.org", "username": self.word, "name": f"I am {self.word}"}
        return Visitor("POST", "/api/auth/register", {**body, "password": PASSWORD})

    def ask(self, method, path, body=None, headers=None):
        return Visitor(method, path, body, self.access, headers=headers)


class Crowd:
    """All users, who come in waves of one request each."""

    def __init__(self, url, users, chance):
        self.url = url
        self.chance = chance
        self.users = [User() for _ in range(users)]
        self.owners = {}
        self.wrong = []
        self.refused = 0

    def begin(self):
        """Everybody has an account, and knows what an id of nothing is answered."""
        for user, answer in self.answers(lambda user: user.registration(self.chance), REGISTERING):
            expect_answer(answer, 201)
            user.access = answer["access_token"]
            self.belongs_to(user, answer["user"]["id"])
        path = f"/api/todos/{uuid.UUID(int=7)}"
        for method in TRESPASSES:
            asked = self.answers(lambda user: user.ask(method, path, body_for(method, user)), len(self.users))
            for user, answer in asked:
                expect_answer(answer, 404)
                user.nothing[method] = comparable(answer)

    def answers(self, ask, at_a_time):
        """What each user is answered; whoever is refused asks again."""
        answers, asking = [], self.users
        for _ in range(ROUNDS):
            visitors = [ask(user) for user in asking]
            visit(self.url, visitors, at_a_time)
            heard = [(user, answer_to(visitor)) for user, visitor in zip(asking, visitors, strict=True)]
            asking = [user for user, answer in heard if is_refusal(answer, 503, "unavailable")]
            answers += [(user, answer) for user, answer in heard if user not in asking]
            if not asking:
                return answers
        raise AssertionError(f"{len(asking)} users were refused {ROUNDS} times")

    def wave(self):
        """Everybody does something, all at the same time."""
        deeds = [self.deed(user, self.chance.choices(list(MIX), MIX.values())[0]) for user in self.users]
        visit(self.url, [visitor for visitor, *_ in deeds], len(deeds))
        for user, (visitor, hear, *about) in zip(self.users, deeds, strict=True):
            answer = answer_to(visitor)
            self.wrong += [f"{visitor.request!r}: {leak}" for leak in leaks(user, answer, self.owners)]
            if is_refusal(answer, 503, "unavailable"):
                self.refused += 1
                user.is_unsure = True
                for todo in about:
                    user.todos.pop(todo, None)
                continue
            user.answered += 1
            hear(answer)

    def deed(self, user, what):
        """A request, what to make of its answer, and the todo that it may change."""
        title = f"{user.word} {self.chance.randrange(1000)}"
        body = {"title": title, "description": user.word * 3, "completed": self.chance.random() < 0.5}
        if what in ("change", "replace", "delete", "read") and user.todos:
            todo = self.chance.choice(list(user.todos))
            path = f"/api/todos/{todo}"
            seen = {"If-Match": f'"{user.todos[todo][0]}"'}
            match what:
                case "change":
                    return user.ask("PATCH", path, body, seen), lambda answer: self.keep(user, answer, 200), todo
                case "replace":
                    return user.ask("PUT", path, body, seen), lambda answer: self.keep(user, answer, 200), todo
                case "read":
                    return user.ask("GET", path), lambda answer: self.keep(user, answer, 200)
                case "delete":
                    return user.ask("DELETE", path, headers=seen), lambda answer: self.forget(user, answer, todo), todo
        # Where a refused change may have happened, there is no telling what is kept.
        if what in ("put", "get", "documents") and not user.is_unsure:
            return self.with_documents(user, what)
        others = [other for other in self.chance.sample(self.users, min(len(self.users), 5)) if other is not user]
        foreign = [todo for other in others for todo in other.todos]
        if what == "trespass" and foreign:
            return self.trespass(user, self.chance.choice(foreign))
        reads = {
            "list": f"/api/todos{self.chance.choice(LISTS)}",
            "search": f"/api/todos?q={self.chance.choice(self.users).word}",
            "me": "/api/auth/me",
            "profile": "/api/user/profile",
            "sessions": "/api/auth/sessions",
        }
        if what in reads:
            return user.ask("GET", reads[what]), lambda answer: self.expected(answer, 200)
        return user.ask("POST", "/api/todos", body), lambda answer: self.keep(user, answer, 201)

    def with_documents(self, user, what):
        key = self.chance.choice(KEYS)
        path = f"/api/user/data/{key}"
        match what:
            case "put":
                document = {"of": user.word, "number": self.chance.randrange(10**9)}
                return user.ask("PUT", path, document), lambda answer: self.put(user, answer, key, document)
            case "get":
                return user.ask("GET", path), lambda answer: self.got(user, answer, key)
            case "documents":
                return user.ask("GET", "/api/user/data"), lambda answer: self.listed(user, answer)

    def trespass(self, user, todo):
        method = self.chance.choice(TRESPASSES)
        headers = self.chance.choice([None, {"If-Match": '"1"'}, {"If-Match": '"0"'}])
        visitor = user.ask(method, f"/api/todos/{todo}", body_for(method, user), headers)

        def hear(answer):
            if comparable(answer) != user.nothing[method]:
                self.wrong.append(f"{method} of another's todo: {answer!r} instead of {user.nothing[method]!r}")

        return visitor, hear

    def keep(self, user, answer, status):
        if self.expected(answer, status):
            self.belongs_to(user, answer["id"])
            user.todos[answer["id"]] = (int(answer.headers["ETag"].strip('"')), answer["title"])

    def forget(self, user, answer, todo):
        if self.expected(answer, 204):
            del user.todos[todo]

    def put(self, user, answer, key, document):
        if self.expected(answer, 204 if key in user.documents else 201):
            user.documents[key] = document

    def got(self, user, answer, key):
        if self.expected(answer, 200 if key in user.documents else 404) and key in user.documents:
            self.is_kept(user, answer, {key: json.loads(answer.bytes)}, {key: user.documents[key]})

    def listed(self, user, answer):
        if self.expected(answer, 200):
            keys = [document["key"] for document in answer["items"]]
            self.is_kept(user, answer, keys, sorted(user.documents))

    def is_kept(self, user, answer, found, wanted):
        if found != wanted:
            self.wrong.append(f"{answer!r} instead of {wanted!r} of {user.word}")

    def expected(self, answer, status):
        if answer.status != status:
            self.wrong.append(f"{answer!r} instead of {status}")
        return answer.status == status

    def belongs_to(self, user, identifier):
        self.owners[identifier.encode()] = user


def body_for(method, user):
    return {"title": f"{user.word} was here"} if method in ("PUT", "PATCH") else None


def answer_to(visitor):
    expect(visitor.failure, None)
    return visitor.heard.answer


def comparable(answer):
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in OF_THE_MOMENT]
    return answer.status, sorted(headers), answer.bytes


def leaks(user, answer, owners):
    """What of an answer belongs to others."""
    head = "\n".join(value for name, value in answer.headers.items() if name.lower() != "link")
    # The links of a list repeat what was asked for, which may be the word of somebody else.
    sent = head.encode() + b"\n" + answer.bytes
    words = [word for word in WORD.findall(sent) if word != user.word.encode()]
    ids = [found for found in ID.findall(sent) if owners.get(found, user) is not user]
    return sorted({*words, *ids})


def nobody_is_sent_a_byte_of_another(crowd):
    expect(crowd.wrong, [])


def most_requests_were_answered(crowd, requests):
    answered = sum(user.answered for user in crowd.users)
    assert crowd.refused * 10 < answered, f"{crowd.refused} refused, {answered} answered"
    assert answered >= len(crowd.users) * requests, answered


def everybody_has_what_they_wrote_and_nothing_else(crowd):
    client = Client(crowd.url)
    for user in crowd.users:
        found, offset = {}, 0
        while True:
            answer = client.get(f"/api/todos?limit=100&offset={offset}", user.access)
            expect_answer(answer, 200)
            page = json.loads(answer.bytes)
            found |= {todo["id"]: todo["title"] for todo in page["items"]}
            offset += 100
            if offset >= page["total"]:
                break
        export = client.get("/api/user/export", user.access)
        expect_answer(export, 200)
        expect(leaks(user, export, crowd.owners), [])
        expect({todo["id"]: todo["title"] for todo in export["todos"] if todo["deleted_at"] is None}, found)
        if not user.is_unsure:
            expect({document["key"]: document["content"] for document in export["documents"]}, user.documents)
        known = {todo: title for todo, (_, title) in user.todos.items()}
        if user.is_unsure:
            found = {todo: title for todo, title in found.items() if todo in known}
        expect(found, known)


def a_foreign_byte_is_found(crowd):
    """A negative control: answers that were doctored."""
    user = crowd.users[0]
    own = Client(crowd.url).get("/api/todos?limit=100", user.access)
    expect(leaks(user, own, crowd.owners), [])
    other = next(other for other in crowd.users[1:] if other.todos)
    for byte in [other.word, next(iter(other.todos))]:
        in_body = Answer(200, own.headers, own.bytes + byte.encode())
        expect(leaks(user, in_body, crowd.owners), [byte.encode()])
        in_header = Answer(200, {"Location": f"/api/todos/{byte}"}, own.bytes)
        expect(leaks(user, in_header, crowd.owners), [byte.encode()])
    before = len(crowd.wrong)
    _, hear = crowd.trespass(user, next(iter(other.todos)))
    hear(own)
    expect(len(crowd.wrong), before + 1)
    crowd.wrong.pop()


def try_engine(checks, engine, users, requests, chance):
    database = None if engine == "sqlite" else Database(engine)
    with Server(*NO_LIMITS, "--token-access-ttl=24h", database=database and database.url) as server:
        crowd = Crowd(server.url, users, chance)
        crowd.begin()
        waves = 0
        while waves < requests or (min(user.answered for user in crowd.users) < requests and waves < 2 * requests):
            crowd.wave()
            waves += 1
        written = sum(len(user.todos) for user in crowd.users)
        print(f"-- {engine}: {users} users, {waves} requests each, {written} todos left", flush=True)
        checks.run_all([nobody_is_sent_a_byte_of_another], crowd)
        checks.run_all([most_requests_were_answered], crowd, requests)
        checks.run_all([everybody_has_what_they_wrote_and_nothing_else, a_foreign_byte_is_found], crowd)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres", "mariadb"])
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")

    # A connection for each user.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    checks = Checks()
    chance = random.Random(arguments.seed)
    for engine in arguments.engine or ["sqlite", "postgres", "mariadb"]:
        try_engine(checks, engine, arguments.users, arguments.requests, chance)
    checks.finish()


main()
