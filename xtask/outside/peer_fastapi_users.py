"""FastAPI Users as its documentation has it, to measure the program beside: its routers, its SQLAlchemy adapter, JWTs.

Of its own are durable commits on SQLite and the program's cost of a hash. It has no refresh tokens, and its login
stores nothing. It is here for `bench_peers.py` alone.

    peer_fastapi_users.py PORT FOLDER
"""

import contextlib
import pathlib
import secrets
import sys
import uuid

import uvicorn
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users.password import PasswordHelper
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import event
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

KEY = secrets.token_hex(32)
HELPER = PasswordHelper(PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),)))
ACCESS_SECONDS = 15 * 60


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


class UserUpdate(schemas.BaseUserUpdate):
    pass


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    pass


engine = create_async_engine(
    f"sqlite+aiosqlite:///{pathlib.Path(sys.argv[2]) / 'peer.db'}", connect_args={"timeout": 30}
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def make_durable(connection, _):
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


async def session():
    async with new_session() as opened:
        yield opened


async def user_database(opened=Depends(session)):
    yield SQLAlchemyUserDatabase(opened, User)


async def manager(database=Depends(user_database)):
    yield Manager(database, HELPER)


def strategy():
    return JWTStrategy(secret=KEY, lifetime_seconds=ACCESS_SECONDS)


backend = AuthenticationBackend("jwt", BearerTransport(tokenUrl="auth/jwt/login"), get_strategy=strategy)
users = FastAPIUsers[User, uuid.UUID](manager, [backend])


@contextlib.asynccontextmanager
async def lifespan(_):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(users.get_register_router(UserRead, UserCreate), prefix="/auth")
app.include_router(users.get_auth_router(backend), prefix="/auth/jwt")
app.include_router(users.get_users_router(UserRead, UserUpdate), prefix="/users")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="info", access_log=True)
