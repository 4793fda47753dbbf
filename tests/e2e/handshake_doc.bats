#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docs/handshake.md and its drawings are what scripts/handshake-doc makes of the program as it is.
load helpers

root=$BATS_TEST_DIRNAME/../..

# Without what differs from run to run. Whether the server's close_notify is seen is chance: drawings are compared up to there.
masked() { # FILE
    sed -E '/close_notify/,$ { /<svg|<text|<g |<path|<rect|<circle|<title|<\/g>|<\/svg>/d }
        s/[0-9a-f]{24,}/HEX/g; s/mtls-handshake-[0-9a-f]{8}/ID/g; s/[0-9]+ octets/# octets/g; s/[0-9]+\.[0-9]+ ms/# ms/g' "$1"
}

@test "the page about the nine steps is what handshakes of today say" {
    MTLS=$(realpath "$MTLS") "$root/scripts/handshake-doc" docs
    local file
    for file in handshake.md handshake-tls12-rsa.svg handshake-tls12.svg handshake-tls13.svg; do
        diff -u <(masked "$root/docs/$file") <(masked "docs/$file") ||
            fail "docs/$file is not what scripts/handshake-doc writes: run that, read, and commit it"
    done
    [[ $(masked docs/handshake.md | grep -c '^### [1-9]\. ') == 27 ]]
}

@test "a change in the page is seen" {
    cp "$root/docs/handshake.md" changed.md
    sed -i 's/TLS_AES_128_GCM_SHA256/TLS_AES_256_GCM_SHA384/' changed.md
    run ! diff -q <(masked "$root/docs/handshake.md") <(masked changed.md)
    sed -E 's/\| `[0-9a-f]{24}/| `000000000000000000000000/' "$root/docs/handshake.md" >changed.md
    run ! cmp -s "$root/docs/handshake.md" changed.md
    run -0 diff -q <(masked "$root/docs/handshake.md") <(masked changed.md)
}
