"""The tables of the workbench, and what of SQLAlchemy it uses.

SQLAlchemy is found by its name when a workbench is opened: the pages of a server without one do not need it.
"""

from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

_DRAFT = ("title", "protocol", "asked", "changed")
_JOB = ("kind", "title", "draft", "words", "facts", "state", "asked_at", "begun_at", "ended_at", "log", "failure")


@cache
def load_tables() -> Any:
    """The functions of SQLAlchemy that the store calls, with its two tables ``drafts`` and ``jobs``.

    Lists and maps are JSON in a column of text; times are text in UTC, which sorts as time does.
    """
    sql: Any = import_module("sqlalchemy")
    tables = sql.MetaData()

    def table(name: str, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Any:
        columns = [sql.Column(one, sql.Text, nullable=False) for one in texts]
        columns += [sql.Column(one, sql.Integer, nullable=False) for one in numbers]
        return sql.Table(name, tables, sql.Column("id", sql.Text, primary_key=True), *columns)

    return SimpleNamespace(
        tables=tables,
        drafts=table("draft", _DRAFT, ("revision",)),
        jobs=table("job", _JOB, ("number", "attempts")),
        select=sql.select,
        func=sql.func,
        text=sql.text,
        event=sql.event,
        create_engine=sql.create_engine,
        NullPool=import_module("sqlalchemy.pool").NullPool,
        SQLAlchemyError=import_module("sqlalchemy.exc").SQLAlchemyError,
    )
