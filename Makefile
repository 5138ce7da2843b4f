# Two commands matter: `make demo` and `make test`.  Everything else is for people who change Millpond.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

# What Python and pytest have compiled is kept, whatever the environment says: collecting takes a third of the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check sweep pictures migration words schema.graphql api-changes docs/released.graphql docs lock bench-peers clean

help:
	@echo "make demo    invented data, served on 127.0.0.1:8000 (PORT=…, DEMO_CUSTOMERS=…)"
	@echo "make test    the tests, on SQLite and on PostgreSQL where there is one"
	@echo "make check   style, types, layers and the long forms of the tests"
	@echo "make migration NAME=…  write the migration that the models lack"
	@echo "make words   sort the panel's catalogue, and say what has no Chinese yet"
	@echo "make pictures  take the pictures of docs/tour.md anew (needs Chromium)"
	@echo "make sweep   all cases of the tables that make check samples; some hours"
	@echo "make bench-peers  install what bench/read_path.py and bench/import_peers.py measure beside (needs npm)"
	@echo "make clean   remove the virtual environment and the demo data"

demo: $(VENV)/runtime
	@$(BIN)/millpond demo

test: $(VENV)/development
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not long"

check: $(VENV)/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m millpond.api_changes
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m long

sweep: $(VENV)/development
	MILLPOND_THOROUGH=1 $(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m sampled

pictures: $(VENV)/development
	MILLPOND_REQUIRE_BROWSER=1 MILLPOND_PICTURES=docs/pictures $(BIN)/pytest -q tests/panel/test_stories.py tests/panel/test_policy_story.py tests/panel/test_merge_story.py tests/panel/test_duplicate_story.py tests/panel/test_export_story.py tests/panel/test_import_story.py tests/panel/test_dictionary_story.py tests/panel/test_board_story.py tests/panel/test_field_story.py tests/panel/test_fact_story.py tests/panel/test_bulk_story.py tests/panel/test_report_story.py tests/panel/test_share_story.py -k "not accessible"

schema.graphql: $(VENV)/development
	$(BIN)/python -c "from schema.build import sdl; print(sdl(), end='')" > $@

# What the schema breaks for clients since the last release, and CHANGELOG.md does not say.
api-changes: $(VENV)/development
	@$(BIN)/python -m millpond.api_changes

# At each release: later changes are compared with the schema of now.
docs/released.graphql: schema.graphql
	cp schema.graphql $@

# Sorts the panel's catalogue, and names the messages that have no Chinese.
words: $(VENV)/development
	@$(BIN)/python -m tests.support.catalogue

# Writes migrations/versions/DATE_NAME.py; see CONTRIBUTING.md.
migration: $(VENV)/development
	@$(BIN)/python -m millpond.new_migration $(NAME)

docs: $(VENV)/development
	$(BIN)/python -m millpond.reference

lock: $(VENV)/development
	.ci/lock

# What benchmarks measure beside Millpond; Node comes with it.  Some 1.3 GB and several minutes.
bench-peers:
	cd bench/peers && npm install --no-audit --no-fund --no-package-lock
	python3 -m venv bench/peers/.venv
	bench/peers/.venv/bin/pip install -q "django==5.2.19" "django-import-export[xlsx]==4.4.3"

clean:
	rm -rf $(VENV) var/demo.db*

# The locked packages, then Millpond itself from this checkout; nothing outside the lock is fetched.
$(VENV)/runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/development: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/runtime

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Millpond needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "Python's venv is missing. Run: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
