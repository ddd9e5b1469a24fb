# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make            lists the targets
# make provision  configures hosts, make check looks at them, make test tests the collection

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help provision check report prune lint test release-check engine-test fleet-up fleet-test fleet-down benchmark mutants screenshots docs nox generate format clean

# May be given on the command line
PYTHON ?= python3
INVENTORY ?=
ARGS ?=
JOBS ?= 3
N ?=
SEED ?=
FLEET ?= 1
REPORT ?=
FILE ?=
WASMTIME ?=
FORMAT ?= text

# The recipes use these as quoted environment variables: otherwise make would expand $$(...) in them, and the shell would
# interpret quotes and backticks.
DATA := PYTHON INVENTORY ARGS N SEED FLEET JOBS REPORT FILE WASMTIME FORMAT
$(foreach name,$(DATA),$(eval override $(name) := $$(value $(name))))
export $(DATA)

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

# --- Virtual environments: .venv to provision with, .venv-dev to test with ---

# Prints one line if Python is too old or lacks venv, for which root installs the Debian package.
define ensure_python
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo 'Needs Python 3.11 or newer: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
	@"$$PYTHON" -c 'import ensurepip, venv' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && export DEBIAN_FRONTEND=noninteractive \
	    && { apt-get -qq install python3-venv || { apt-get -qq update && apt-get -qq install python3-venv; }; }; } &>/dev/null \
	  || { echo 'Needs the venv module of Python: sudo apt-get install python3-venv' >&2; exit 1; }
endef

# $(1): the environment, $(2): its requirements file. Recreated when the file has changed.
define make_environment
	@echo 'Preparing $(1) ...' >&2
	@"$$PYTHON" -m venv --clear $(1)
	@$(1)/bin/python -m pip --disable-pip-version-check install -qq -r $(2)
	@touch $(1)/ready
endef

.venv/ready: requirements.txt meta/ee-requirements.txt
	$(ensure_python)
	$(call make_environment,.venv,$<)

.venv-dev/ready: requirements-dev.txt
	$(ensure_python)
	$(call make_environment,.venv-dev,$<)

# --- Provisioning ---

# Splits ARGS into words by the shell's rules for quotes, without any other expansion.
define split_words
words=$$($(1)/bin/python -c 'import os, shlex, sys; \
	  print(shlex.join(shlex.split(os.environ["ARGS"])))' 2>/dev/null) || { echo 'ARGS has a quote without its other one' >&2; exit 1; }; \
	eval "set -- $$words"
endef

# Installs the collection into the environment's site-packages, which its ansible-playbook always searches.
define install_collection
site=$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
	&& { log=$$(.venv/bin/python -m ansible galaxy collection install --force --offline -p "$$site" . 2>&1) || { echo "$$log" >&2; exit 1; }; }
endef

# Without an inventory, configures this machine with the environment's own Python and libraries. ANSIBLE_COLLECTIONS_PATH
# prefers this collection to any other installed copy. An inventory with an error fails the run: otherwise Ansible would
# run on the hosts before the error. The output is concise unless the user sets another callback.
# $(1): the playbook, $(2): shell commands that add to its arguments
define run_playbook
	@$(call split_words,.venv); $(2) \
	if [ -n "$$INVENTORY" ]; then set -- --inventory="$$INVENTORY" "$$@"; else set -- -i localhost, -c local \
	  -e '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}' "$$@"; fi \
	&& $(install_collection) \
	&& export ANSIBLE_COLLECTIONS_PATH="$$site:$${ANSIBLE_COLLECTIONS_PATH:-$$HOME/.ansible/collections:/usr/share/ansible/collections}" \
	&& export ANSIBLE_PYTHON_INTERPRETER="$${ANSIBLE_PYTHON_INTERPRETER:-auto_silent}" LC_ALL=C.UTF-8 \
	  ANSIBLE_STDOUT_CALLBACK="$${ANSIBLE_STDOUT_CALLBACK:-wasmops.wasmtime.concise}" \
	  ANSIBLE_CALLBACK_RESULT_FORMAT="$${ANSIBLE_CALLBACK_RESULT_FORMAT:-yaml}" \
	  ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="$${ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED:-True}" \
	&& exec .venv/bin/python -m ansible playbook "$$@" wasmops.wasmtime.$(1)
endef

# Without REPORT, variables or the playbook's defaults name the files. The arguments come before those of ARGS, which take
# precedence. The templates read the environment: their values are not templated again.
define name_report
case "$$REPORT" in \
	  '') ;; \
	  */) echo 'REPORT ends with a slash; name a file without its ending, such as REPORT=cache-report' >&2; exit 1;; \
	  *) set -- -e '{"wasmtime_cache_report_page": "{{ lookup(\"ansible.builtin.env\", \"REPORT\") }}.html", \
	  "wasmtime_cache_report_data": "{{ lookup(\"ansible.builtin.env\", \"REPORT\") }}.json"}' "$$@";; \
	esac;
endef

provision: .venv/ready ## Configure hosts [INVENTORY=hosts.ini] [ARGS='--check --diff']; without INVENTORY: this machine
	$(call run_playbook,provision)

check: .venv/ready ## Report what is wrong with the hosts' caches, change nothing [INVENTORY=...] [ARGS=...]
	$(call run_playbook,check)

report: .venv/ready ## Write what the caches of all hosts hold to a page and as JSON [REPORT=cache-report] [INVENTORY=...] [ARGS=...]
	$(call run_playbook,report,$(name_report))

prune: .venv/ready ## Remove named kinds of files from the hosts' caches [INVENTORY=...] [ARGS='--check -e wasmtime_cache_prune=orphans,stale_locks']
	$(call run_playbook,prune)

# Runs no playbook: its output would be mixed with a report on standard output.
lint: .venv/ready ## Check config files without a host FILE=config.toml (or a folder) [WASMTIME=42] [FORMAT=text|sarif|junit|github]
	@$(install_collection) && exec .venv/bin/python "$$site/ansible_collections/wasmops/wasmtime/playbooks/files/lint.py" \
	  --wasmtime-version="$$WASMTIME" --format="$$FORMAT" -- "$$FILE"

# --- Testing ---

NOX := .venv-dev/bin/nox
OUTPUT := tests/output

# Without these tools, some sessions only report why they did not run; as root, installs Debian's packages.
define provide_tools
	@[ "$$(id -u)" != 0 ] || { (for tool in chromedriver chromium ip mkfs.ext4 mmdebstrap shellcheck ssh strace; do command -v $$tool || exit; done; \
	  ls /usr/lib/*/faketime/libfaketime.so.1) \
	  || { export DEBIAN_FRONTEND=noninteractive; apt-get -qq update; apt-get -qq install --no-install-recommends \
	  e2fsprogs iproute2 libfaketime mmdebstrap openssh-client shellcheck strace; \
	  apt-get -qq install --no-install-recommends chromium chromium-driver; }; } &>/dev/null || true
endef

# Runs all sessions even if one fails. The faults run alone: they use all processors, and kill processes at exact times.
# summary.py prints the result and sets the exit status.
test: .venv-dev/ready ## Run all tests and checks; the last line says how many passed
	@rm -rf $(OUTPUT) && mkdir -p $(OUTPUT)
	$(provide_tools)
	@$(NOX) --allow-parallel --parallel "$$JOBS" --report $(OUTPUT)/sessions.json </dev/null || true
	@$(NOX) -s faults --report $(OUTPUT)/faults.json </dev/null || true
	@.venv-dev/bin/python tests/summary.py $(OUTPUT)/sessions.json $(OUTPUT)/faults.json

# As above, the result does not come from nox.
release-check: .venv-dev/ready ## Check that what is here can be released: changelog, version, build, import, installation
	@rm -f $(OUTPUT)/release.json
	@$(NOX) -s changelog artifact --report $(OUTPUT)/release.json </dev/null || true
	@.venv-dev/bin/python -m tests.release $(OUTPUT)/release.json

engine-test: .venv-dev/ready ## Compare with the real engines on N generated documents each [N=10000] [SEED=...]
	@$(NOX) -s engine-test -- --count "$${N:-10000}" $${SEED:+--seed "$$SEED"}

fleet-up: .venv-dev/ready ## Start Debian hosts on this machine [FLEET=2: of each release] [FLEET='bookworm=3 forky'] (needs root)
	$(provide_tools)
	@.venv-dev/bin/python tests/fleet/lab.py up $$FLEET

fleet-test: .venv-dev/ready ## Run the scenarios over real SSH, on hosts of their own (needs root)
	$(provide_tools)
	@$(NOX) -s fleet

fleet-down: ## Remove the hosts, and whatever is left of any that were killed
	@"$$PYTHON" tests/fleet/lab.py down

benchmark: .venv-dev/ready ## Measure what tasks and runs cost, write docs/benchmark.md [ARGS=--quick] (needs root)
	$(provide_tools)
	@$(call split_words,.venv-dev); exec $(NOX) -s benchmark -- "$$@"

mutants: .venv-dev/ready ## Change the code at N random places, list what no unit test notices [N=300] [SEED=...] [ARGS='plugins/module_utils/_usage/cleanup.py ...']
	@$(call split_words,.venv-dev); exec $(NOX) -s mutants -- $${N:+--count "$$N"} $${SEED:+--seed "$$SEED"} "$$@"

screenshots: .venv-dev/ready ## Make the pictures of the report again, docs/images (needs chromium and its driver)
	$(provide_tools)
	@$(NOX) -s report -- screenshots "$$PWD/docs/images"

docs: .venv-dev/ready ## Build the documentation site in docs/build
	@$(NOX) -s docs

nox: .venv-dev/ready ## Run single sessions, e.g. make nox ARGS='-s units-3.11' (ARGS=-l lists them)
	@$(call split_words,.venv-dev); exec $(NOX) "$$@"

generate: .venv-dev/ready ## Write what follows from the table of settings: documentation, the role's options
	@$(NOX) -s generate

format: .venv-dev/ready ## Format the Python code, and correct what ruff can correct
	@$(NOX) -s ruff -- fix

clean: ## Remove environments and test results
	rm -rf .venv .venv-dev .nox docs/build $(OUTPUT)
