"""What gunicorn serves: `gunicorn wsgi:app`."""

import gc

gc.disable()  # what a start makes stays: to look through it for garbage, again and again, takes a tenth of the start

from backend.errors import SyncError  # noqa: E402
from backend.logs import set_up  # noqa: E402
from backend.web import create_app  # noqa: E402

set_up()
try:
    app = create_app()
except SyncError as error:
    raise SystemExit(str(error)) from error
finally:
    gc.freeze()  # … nor is it looked through later
    gc.enable()
