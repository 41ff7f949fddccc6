"""Tasks: a CRUD service with SQLite, uploads, events, a WebSocket, and a page with a login.

Run it in the folder ``examples``, beside ``python -m fakeissuer`` in another terminal::

    python -m service --issuer http://127.0.0.1:9400/oauth2/default --app tasks.app:make_tasks
"""

from __future__ import annotations

import os
from pathlib import Path

from tasks.api import Attachment, Events, Live, OneTask, Page, Tasks
from tasks.login import Callback, Login, Logout
from tasks.store import Store

from service import ResourceServerApplication, Settings, make_app


def make_tasks(settings: Settings) -> ResourceServerApplication:
    """Return the application, for ``--app``."""
    store = {"store": Store(Path(os.environ.get("TASKS_FOLDER", "tasks-data")))}
    # A public client of the fake issuer; register one of your own, with /callback as redirect URI.
    client = {"settings": settings, "client_id": os.environ.get("TASKS_CLIENT_ID", "0oaspa00000000000001")}
    routes = [
        (r"/api/tasks", Tasks, store),
        (r"/api/tasks/([0-9]{1,18})", OneTask, store),
        (r"/api/tasks/([0-9]{1,18})/attachment", Attachment, store),
        (r"/events", Events, store),
        (r"/live", Live, store),
        (r"/", Page, store),
        (r"/login", Login, client),
        (r"/callback", Callback, client),
        (r"/logout", Logout, store),
    ]
    return make_app(settings, routes=routes, tornado_settings={"template_path": str(Path(__file__).parent)})
