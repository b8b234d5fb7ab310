# The reference service under the distribution's launcher.
FROM python:3.13-slim
WORKDIR /srv
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY pyproject.toml README.md LICENSE uv.lock ./
COPY mita_otel ./mita_otel
COPY collector ./collector
RUN pip install "uv>=0.9,<1" && uv sync --frozen --no-default-groups --extra app --no-editable
COPY app ./app
# Audit events wait there for the database: a volume, so that they outlive the container.
RUN useradd --create-home --uid 10001 mita && install --directory --owner mita /var/lib/mita/audit
USER mita
ENV PATH=/srv/.venv/bin:$PATH
EXPOSE 8000
CMD ["opentelemetry-instrument", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
