"""gunicorn's settings, read by `gunicorn -c config/gunicorn.py config.wsgi:application`."""

import os

# The machine itself only, unless told otherwise; behind a proxy on another machine set HOST=0.0.0.0.
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))

# Import once, then fork: half the start-up time and shared memory. New code needs a restart, not a HUP.
preload_app = True
control_socket_disable = True  # it would put a socket into the home folder

# A request that takes longer holds a transaction open for too long; slow work belongs to the worker.
timeout = 60
graceful_timeout = 20
# Idle connections cost gthread no thread, but a proxy should be the one to close them: set it above the proxy's.
keepalive = int(os.environ.get("WEB_KEEPALIVE_SECONDS", "75"))

# The heartbeat file must be in memory: on a slow disk a busy machine would kill healthy workers.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 gunicorn's own file

loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "warning")
# Requests are logged by the application, with the organization and without query strings.
accesslog = None
errorlog = "-"
proc_name = "steward"
