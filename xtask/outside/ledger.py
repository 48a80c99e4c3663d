"""What clients were told: the accounts and sessions that a server has confirmed, and whether that is still true.

A request that was answered with success has happened. One that was refused for want of a database, or got no
answer, has happened whole or not at all, and either is accepted from then on.
"""

PASSWORD = "a long and uncommon sentence"

# How a request stands whose effect is looked for later.
NOT_ASKED, ASKED, ANSWERED = "not asked", "asked", "answered"


class Session:
    """A session as its client knows it. For one thread at a time, as are accounts."""

    def __init__(self, answer):
        self.access = answer["access_token"]
        self.refresh = answer["refresh_token"]
        self.logout = NOT_ASKED

    def renew(self, client):
        answer = client.refresh(self.refresh)
        if answer.status == 200:
            self.access, self.refresh = answer["access_token"], answer["refresh_token"]
        return answer

    def end(self, client):
        self.logout = ASKED
        answer = client.post("/api/auth/logout", token=self.access)
        if answer.status == 204:
            self.logout = ANSWERED
        return answer


class Account:
    """An account that was asked for."""

    def __init__(self, email):
        self.email = email
        self.registration = NOT_ASKED
        # The last name that was confirmed, and those asked for since.
        self.names = [None]
        self.sessions = []

    def register(self, client):
        self.registration = ASKED
        answer = client.register(self.email, PASSWORD)
        if answer.status == 201:
            self.registration = ANSWERED
            self.sessions.append(Session(answer))
        return answer

    def log_in(self, client):
        answer = client.login(self.email, PASSWORD)
        if answer.status == 200:
            self.sessions.append(Session(answer))
        return answer

    def rename(self, client, session, name):
        self.names.append(name)
        answer = client.patch("/api/user/profile", {"name": name}, session.access)
        if answer.status == 200:
            self.names = [name]
        return answer

    def usable(self):
        """The sessions that nobody has asked to end."""
        return [session for session in self.sessions if session.logout == NOT_ASKED]


def broken_promises(client, accounts):
    """What was confirmed and is not so, a sentence each; empty on a server that keeps its word."""
    return [broken for account in accounts for broken in _of_account(client, account)]


def _of_account(client, account):
    if account.registration == ASKED:
        # Whole or not at all: the name is free, or the account behind it works.
        again = client.register(account.email, PASSWORD)
        if again.status not in (201, 409):
            yield f"{account.email} cannot be registered again: {again!r}"
    if account.registration != NOT_ASKED:
        login = client.login(account.email, PASSWORD)
        if login.status != 200:
            yield f"{account.email} was registered and cannot log in: {login!r}"
        elif login["user"]["name"] not in account.names:
            yield f"{account.email} was renamed to {account.names} and is {login['user']['name']!r}"
    for session in account.sessions:
        yield from _of_session(client, account, session)


def _of_session(client, account, session):
    """The refresh token comes first, which is not answered from memory."""
    was_open = session.logout == NOT_ASKED
    answer = session.renew(client)
    if answer.status != 200 and (was_open or answer.status != 401):
        yield f"a session of {account.email} cannot be refreshed: {answer!r}"
    if answer.status == 200 and session.logout == ANSWERED:
        yield f"a session of {account.email} was logged out and is refreshed: {answer!r}"
    me = client.me(session.access)
    if me.status != answer.status:
        yield f"a session of {account.email} is refreshed with {answer.status} and used with {me.status}"


def control(client, number):
    """The negative control: promises that nobody made, each of which `broken_promises` must find broken.

    Returns the accounts with them, and how many there are.
    """
    never = Account(f"never-registered-{number}@example.org")
    never.registration = ANSWERED
    honest = Account(f"control-{number}@example.org")
    assert honest.register(client).status == 201
    still_open = Account(honest.email)
    assert honest.log_in(client).status == 200
    still_open.sessions = [honest.sessions.pop()]
    still_open.sessions[0].logout = ANSWERED
    ended = Account(honest.email)
    assert honest.log_in(client).status == 200
    ended.sessions = [honest.sessions.pop()]
    assert ended.sessions[0].end(client).status == 204
    ended.sessions[0].logout = NOT_ASKED
    renamed = Account(honest.email)
    renamed.registration = ANSWERED
    renamed.names = ["a name that was never asked for"]
    return [never, still_open, ended, renamed], 4


def the_check_for_lost_writes_finds_promises_that_were_not_kept(client, number):
    accounts, wrong = control(client, number)
    found = broken_promises(client, accounts)
    assert len(found) == wrong, f"{len(found)} found of {wrong}: {found}"
