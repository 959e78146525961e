# Steward in one image: web server, worker and commands. The database is elsewhere; see compose.yaml.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STEWARD_DATA=/data
RUN useradd --system --uid 10001 --home-dir /app steward && mkdir /data && chown steward /data
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY --chown=steward . .
RUN SECRET_KEY=build ENCRYPTION_KEY=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ALLOWED_HOSTS=build \
    DATABASE_URL=postgresql://build@localhost/build STEWARD_DATA=/app/built \
    .venv/bin/python manage.py collectstatic --noinput && chown -R steward built
USER steward
ENV STATIC_FOLDER=/app/built/static HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD [".venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD [".venv/bin/python", "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application"]
