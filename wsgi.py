"""What gunicorn serves: `gunicorn wsgi:app`."""

from backend.errors import SyncError
from backend.logs import set_up
from backend.web import create_app

set_up()
try:
    app = create_app()
except SyncError as error:
    raise SystemExit(str(error)) from error
