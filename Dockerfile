# Two stages: what installs stays behind, and what runs is not root and has no compiler and no pip cache.
FROM python:3.12-slim AS built
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json \
    DATABASE_URL=sqlite:////data/sync.db PORT=8000
RUN useradd --system --uid 10001 --home-dir /app sync && mkdir /data && chown sync /data
COPY --from=built /venv /venv
WORKDIR /app
COPY gunicorn.conf.py wsgi.py shopify_grist_sync.py LICENSE ./
COPY backend backend
COPY widget widget
USER sync
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz')"]
# The database is brought up to date at the start; several that start together wait for each other.
CMD ["gunicorn", "wsgi:app"]
