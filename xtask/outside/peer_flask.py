"""The same routes as somebody would write them with Flask and Flask-SQLAlchemy, to measure the program beside.

It stands on what Flask's documentation uses, behind gunicorn with one worker of several threads. Refresh tokens are
rotated, commits on SQLite are durable, and a hash costs as much as the program's. It is here for `bench_peers.py`
alone.

    peer_flask.py PORT FOLDER
"""

import datetime
import hashlib
import pathlib
import secrets
import sys

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy
from gunicorn.app.base import BaseApplication
from sqlalchemy import ForeignKey, event, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

KEY = secrets.token_hex(32)
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
ACCESS = datetime.timedelta(minutes=15)
THREADS = 8


class Base(DeclarativeBase):
    pass


database = SQLAlchemy(model_class=Base)


class User(database.Model):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class RefreshToken(database.Model):
    __tablename__ = "refresh_tokens"
    hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    used: Mapped[bool] = mapped_column(default=False)


app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{pathlib.Path(sys.argv[2]).resolve() / 'peer.db'}"
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}}
database.init_app(app)


@app.post("/api/auth/register")
def register():
    user = User(email=request.json["email"], password_hash=HASHER.hash(request.json["password"]))
    database.session.add(user)
    database.session.flush()
    return opened(user), 201


@app.post("/api/auth/login")
def login():
    user = database.session.scalar(select(User).where(User.email == request.json["login"]))
    if user is None or not is_password_of(user, request.json["password"]):
        abort(401)
    return opened(user)


@app.post("/api/auth/refresh")
def refresh():
    presented = hashlib.sha256(request.json["refresh_token"].encode()).hexdigest()
    unused = update(RefreshToken).where(RefreshToken.hash == presented, RefreshToken.used.is_(False))
    if database.session.execute(unused.values(used=True)).rowcount != 1:
        abort(401)
    token = database.session.get(RefreshToken, presented)
    return opened(database.session.get(User, token.user_id))


@app.get("/api/auth/me")
def me():
    if request.authorization is None or request.authorization.type != "bearer":
        abort(401)
    try:
        claims = jwt.decode(request.authorization.token, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        abort(401)
    return shown(database.session.get(User, int(claims["sub"])))


def opened(user):
    """Both tokens of a user, the longer of which is stored before it is given away."""
    token = secrets.token_urlsafe(32)
    database.session.add(RefreshToken(hash=hashlib.sha256(token.encode()).hexdigest(), user_id=user.id))
    body = shown(user)
    database.session.commit()
    claims = {"sub": str(body["id"]), "exp": datetime.datetime.now(datetime.UTC) + ACCESS}
    return {"access_token": jwt.encode(claims, KEY, "HS256"), "refresh_token": token, "user": body}


def shown(user):
    return {"id": user.id, "email": user.email}


def is_password_of(user, password):
    try:
        return HASHER.verify(user.password_hash, password)
    except VerifyMismatchError:
        return False


def make_durable(connection, _):
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


class Gunicorn(BaseApplication):
    """gunicorn as its documentation has it inside another program."""

    def load_config(self):
        self.cfg.set("bind", f"127.0.0.1:{sys.argv[1]}")
        self.cfg.set("worker_class", "gthread")
        self.cfg.set("threads", THREADS)
        self.cfg.set("control_socket_disable", True)

    def load(self):
        with app.app_context():
            event.listen(database.engine, "connect", make_durable)
            database.create_all()
        return app


if __name__ == "__main__":
    Gunicorn().run()
