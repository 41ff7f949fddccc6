"""Tasks in SQLite, and their attachments in files."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as its owner sees it."""

    id: int
    title: str
    done: bool


class Store:
    """The tasks of all users. Statements run in threads, because SQLite blocks."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._watching: dict[str, set[Callable[[], None]]] = defaultdict(set)
        self._execute("CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, owner, title, done)", ())

    async def read(self, owner: str, number: str | None = None) -> list[Task]:
        """Return the tasks of a user, or the one with this number, if the user has it."""
        sql = "SELECT id, title, done FROM tasks WHERE owner = ? AND id = ifnull(?, id) ORDER BY id"
        return await asyncio.to_thread(self._execute, sql, (owner, number))

    async def add(self, owner: str, title: str, *, done: bool) -> Task:
        """Add a task."""
        sql = "INSERT INTO tasks (owner, title, done) VALUES (?, ?, ?)"
        (task,) = await self._change(owner, sql, owner, title, done)
        return task

    async def replace(self, owner: str, number: str, title: str, *, done: bool) -> list[Task]:
        """Replace a task, and return it if the user has it."""
        sql = "UPDATE tasks SET title = ?, done = ? WHERE owner = ? AND id = ?"
        return await self._change(owner, sql, title, done, owner, number)

    async def remove(self, owner: str, number: str) -> list[Task]:
        """Remove a task, and return it if the user had it."""
        return await self._change(owner, "DELETE FROM tasks WHERE owner = ? AND id = ?", owner, number)

    def attachment(self, number: str) -> Path:
        """Return the file for the attachment of a task."""
        return self.folder / f"attachment-{int(number)}"

    @contextmanager
    def watch(self, owner: str, on_change: Callable[[], None]) -> Iterator[None]:
        """Call a function after each change that this process makes to the tasks of a user."""
        self._watching[owner].add(on_change)
        try:
            yield
        finally:
            self._watching[owner].discard(on_change)

    async def _change(self, owner: str, sql: str, *values: object) -> list[Task]:
        tasks = await asyncio.to_thread(self._execute, f"{sql} RETURNING id, title, done", values)
        for on_change in self._watching.get(owner, set()).copy():
            on_change()
        return tasks

    def _execute(self, sql: str, values: tuple[object, ...]) -> list[Task]:
        # A connection for each statement belongs to its thread, and needs no end when the service stops.
        with closing(sqlite3.connect(self.folder / "tasks.sqlite")) as database, database:
            rows = database.execute(sql, values)
            return [Task(id=number, title=title, done=bool(done)) for number, title, done in rows]
