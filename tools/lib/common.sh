# SPDX-License-Identifier: Apache-2.0
# common.sh: what the tools share: where the project and its cache are, and how they speak. Sourced, never run.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cache=${SLUICE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sluice}
tool=$(basename "$0")

bold='' dim='' red='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

say() { printf '%s\n' "$*"; }
fail() { # fail TEXT…: the reason on standard error, and the end
  printf '%s: %s\n' "$tool" "$*" >&2
  exit 1
}
usage() { # the comment at the head of the tool is its help: from its second line to the first that is no comment
  sed -n '3,/^[^#]/{/^#/!q;s/^# \{0,1\}//;p;}' "$1"
}

# The Python environment is named by what is in it, so that a changed list makes a new one and never a mixture.
venv_folder() {
  printf '%s/venv-%s\n' "$cache" "$({ cat "$root/tests/lib/requirements.txt"; /usr/bin/python3 --version; } 2>/dev/null | sha256sum | cut -c1-12)"
}

# Compiled objects are shared by all build folders of all checkouts.
export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-2G} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
