"""The same three routes as somebody would write them with FastAPI and SQLAlchemy, to measure the program beside.

It stands on what FastAPI's own tutorial uses, with refresh tokens that are rotated, durable commits on SQLite and the
program's cost of a hash. It is here for `bench_peers.py` alone.

    peer_fastapi.py PORT FOLDER
"""

import datetime
import hashlib
import pathlib
import secrets
import sys

import jwt
import uvicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, event, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

KEY = secrets.token_hex(32)
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
ACCESS = datetime.timedelta(minutes=15)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class RefreshToken(Base):
    __tablename__ = "refresh_tokens"
    hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    used: Mapped[bool] = mapped_column(default=False)


class Login(BaseModel):
    login: str
    password: str


class Registration(BaseModel):
    email: str
    password: str


class Refresh(BaseModel):
    refresh_token: str


app = FastAPI()
engine = create_engine(f"sqlite:///{pathlib.Path(sys.argv[2]) / 'peer.db'}", connect_args={"timeout": 30})


@event.listens_for(engine, "connect")
def make_durable(connection, _):
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def database():
    with Session(engine) as session:
        yield session


@app.post("/api/auth/register", status_code=201)
def register(body: Registration, session: Session = Depends(database)):
    user = User(email=body.email, password_hash=HASHER.hash(body.password))
    session.add(user)
    session.flush()
    return opened(session, user)


@app.post("/api/auth/login")
def login(body: Login, session: Session = Depends(database)):
    user = session.scalar(select(User).where(User.email == body.login))
    if user is None or not is_password_of(user, body.password):
        raise HTTPException(401)
    return opened(session, user)


@app.post("/api/auth/refresh")
def refresh(body: Refresh, session: Session = Depends(database)):
    presented = hashlib.sha256(body.refresh_token.encode()).hexdigest()
    unused = update(RefreshToken).where(RefreshToken.hash == presented, RefreshToken.used.is_(False))
    if session.execute(unused.values(used=True)).rowcount != 1:
        raise HTTPException(401)
    token = session.get(RefreshToken, presented)
    return opened(session, session.get(User, token.user_id))


@app.get("/api/auth/me")
def me(bearer: HTTPAuthorizationCredentials = Depends(HTTPBearer()), session: Session = Depends(database)):
    try:
        claims = jwt.decode(bearer.credentials, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401)
    return shown(session.get(User, int(claims["sub"])))


def opened(session, user):
    """Both tokens of a user, the longer of which is stored before it is given away."""
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(hash=hashlib.sha256(token.encode()).hexdigest(), user_id=user.id))
    body = shown(user)
    session.commit()
    claims = {"sub": str(body["id"]), "exp": datetime.datetime.now(datetime.UTC) + ACCESS}
    return {"access_token": jwt.encode(claims, KEY, "HS256"), "refresh_token": token, "user": body}


def shown(user):
    return {"id": user.id, "email": user.email}


def is_password_of(user, password):
    try:
        return HASHER.verify(user.password_hash, password)
    except VerifyMismatchError:
        return False


if __name__ == "__main__":
    Base.metadata.create_all(engine)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="info", access_log=True)
