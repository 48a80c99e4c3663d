"""One visit to the server at VESTIBULE_URL, through a client that openapi-python-client has made of the API's description.

That the types fit is for mypy; what the answers hold is looked at here.
"""

import os
import uuid

from vestibule_client import AuthenticatedClient, Client
from vestibule_client.api.authentication import login, logout, me, refresh, register
from vestibule_client.api.profile import change_profile
from vestibule_client.api.sessions import list_sessions
from vestibule_client.api.todos import add_todo, change_todo, delete_todo, get_todo, list_todos
from vestibule_client.models import (
    LoginByEmail,
    Logout,
    NewTodo,
    Problem,
    ProblemCode,
    ProfileChange,
    Refresh,
    Registration,
    SessionList,
    Todo,
    TodoChange,
    TodoList,
    TokenSession,
    User,
)

URL = os.environ["VESTIBULE_URL"]
EMAIL = f"{uuid.uuid4()}@example.org"
PASSWORD = "a quiet hall of seven arches"

nobody = Client(URL, raise_on_unexpected_status=True)
registered = register.sync_detailed(client=nobody, body=Registration(email=EMAIL, password=PASSWORD, name="Ada"))
assert registered.status_code == 201, registered

refused = login.sync(client=nobody, body=LoginByEmail(email=EMAIL, password="another hall"))
assert isinstance(refused, Problem) and refused.code is ProblemCode.INVALID_CREDENTIALS, refused

session = login.sync(client=nobody, body=LoginByEmail(email=EMAIL, password=PASSWORD))
assert isinstance(session, TokenSession), session
caller = AuthenticatedClient(URL, token=session.access_token, raise_on_unexpected_status=True)

user = me.sync(client=caller)
assert isinstance(user, User) and user.email == EMAIL, user
renamed = change_profile.sync(client=caller, body=ProfileChange(name=None))
assert isinstance(renamed, User) and renamed.name is None, renamed

todo = add_todo.sync(client=caller, body=NewTodo(title="Buy milk"))
assert isinstance(todo, Todo), todo
todos = list_todos.sync(client=caller, completed=False)
assert isinstance(todos, TodoList) and todos.items == [todo], todos
done = change_todo.sync(todo.id, client=caller, body=TodoChange(completed=True))
assert isinstance(done, Todo) and done.completed, done
deleted = delete_todo.sync_detailed(todo.id, client=caller)
assert deleted.status_code == 204, deleted
gone = get_todo.sync(todo.id, client=caller)
assert isinstance(gone, Problem) and gone.code is ProblemCode.NOT_FOUND, gone

successor = refresh.sync(client=caller, body=Refresh(refresh_token=session.refresh_token))
assert isinstance(successor, TokenSession), successor
assert successor.access_token != session.access_token
caller = AuthenticatedClient(URL, token=successor.access_token, raise_on_unexpected_status=True)

sessions = list_sessions.sync(client=caller)
assert isinstance(sessions, SessionList) and len(sessions.items) == 2, sessions

logged_out = logout.sync_detailed(client=caller, body=Logout(refresh_token=successor.refresh_token))
assert logged_out.status_code == 204, logged_out
afterwards = me.sync(client=caller)
assert isinstance(afterwards, Problem) and afterwards.code is ProblemCode.REVOKED_TOKEN, afterwards
