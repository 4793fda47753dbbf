# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share. Sourcing it makes the repository the current folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

script=${0##*/}

say() {
    printf '%s: %s\n' "$script" "$*" >&2
}

die() { # the environment is not fit: exit status 3, as mtls itself has it
    say "$*"
    exit 3
}

# Runs a command with its output in a log, which is shown only when the command fails.
logged() { # LOG COMMAND...
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null || {
        tail -n 40 "$log" >&2
        return 1
    }
}

# Configures a preset. MTLS_MBEDTLS_SOURCE in the environment is the source of mbedTLS to build (folder or tarball).
configure() { # PRESET [-DNAME=VALUE...]
    mkdir -p build
    logged build/configure.log cmake --preset "$@" \
        ${MTLS_MBEDTLS_SOURCE:+"-DMTLS_MBEDTLS_SOURCE=$(realpath "$MTLS_MBEDTLS_SOURCE")"} ||
        die "cmake could not configure the build (build/configure.log has all of it)"
}
