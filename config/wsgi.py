"""The WSGI application that gunicorn serves: webhooks by the short way, everything else through Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()

from config.startup import check_database  # noqa: E402  (its imports need Django to be set up)
from workflows.triggers.front_door import FrontDoor  # noqa: E402

check_database()
application = FrontDoor(django_application)
