#!/bin/bash
# Names every system package that is missing, with the one command that installs them. Usage: check_system.sh PYTHON
python="$1"
missing=()
say() { echo "setup: $1" >&2; }

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  say "no Python 3.11 or newer ($python); give another with make PYTHON=…"
  missing+=(python3 python3-venv python3-dev)
else
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    say "$python cannot make virtual environments"
    missing+=("python$version-venv")
  fi
  if ! "$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'; then
    say "the headers of Python $version are missing"
    missing+=("python$version-dev")
  fi
fi
if ! command -v "${CXX:-g++}" >/dev/null && ! command -v c++ >/dev/null; then
  say "no C++ compiler"
  missing+=(g++)
fi
if ! command -v "${CC:-gcc}" >/dev/null && ! command -v cc >/dev/null; then
  say "no C compiler"
  missing+=(gcc)
fi
if [ ${#missing[@]} -gt 0 ]; then
  say "install what is missing with:  sudo apt install ${missing[*]}"
  exit 1
fi
if ! ldconfig -p 2>/dev/null | grep -q libEGL.so.1; then
  say "note: the simulated cameras need OpenGL:  sudo apt install libegl1 libgl1-mesa-dri"
fi
