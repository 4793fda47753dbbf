#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls ticket-key: the file of ticket keys that replicas share.
load helpers

keys() { # how many are in the file
    grep -c '^mtls-ticket-key 1 ' tickets
}

# Seconds from now until the last line's key seals.
until_sealing() {
    echo $(($(date -d "$(tail -n 1 tickets | cut -d' ' -f5)" +%s) - $(date +%s)))
}

@test "makes the file, for its owner only, with a key that seals at once" {
    umask 000
    run mtls ticket-key tickets
    ((status == 0))
    says "tickets: the new key seals from "
    [[ $(stat -c %a tickets) == 600 ]]
    [[ $(keys) == 1 ]]
    (($(until_sealing) <= 0))
    # and the key itself is shown to nobody
    [[ $output != *$(tail -n 1 tickets | cut -d' ' -f4)* ]]
}

@test "adds a key that seals later, so that every server can have it by then, or at once" {
    mtls ticket-key tickets
    old=$(tail -n 1 tickets)
    mtls ticket-key tickets
    [[ $(keys) == 2 ]]
    (($(until_sealing) > 300 && $(until_sealing) <= 600))
    grep -qxF "$old" tickets
    mtls ticket-key --from-now other
    mv other tickets
    mtls ticket-key --from-now tickets
    [[ $(keys) == 2 ]]
    (($(until_sealing) <= 0))
}

@test "drops a key that no ticket can need any more" {
    mtls ticket-key tickets
    name=00112233445566778899aabbccddeeff
    key=$name$name
    printf 'mtls-ticket-key 1 %s %s 2020-01-01T00:00:00Z\nmtls-ticket-key 1 %s %s 2020-02-01T00:00:00Z\n' \
        "$name" "$key" "${name/00/01}" "$key" >tickets
    mtls ticket-key tickets
    [[ $(keys) == 2 ]]
    run -1 grep -q " $name " tickets
    grep -q " ${name/00/01} " tickets
}

@test "leaves alone what it does not understand, or what others may read" {
    echo hello >tickets
    chmod 600 tickets
    run mtls ticket-key tickets
    ((status == 3))
    says 'tickets:1: expected "mtls-ticket-key 1 NAME KEY FROM"'
    [[ $(cat tickets) == hello ]]
    rm tickets
    mtls ticket-key tickets
    chmod 644 tickets
    run mtls ticket-key tickets
    ((status == 3))
    says "tickets holds secrets, but its mode is 0644: chmod 600 tickets"
    [[ $(keys) == 1 ]]
    run mtls ticket-key
    ((status == 2))
    run mtls ticket-key no/such/folder/tickets
    ((status == 3))
}
