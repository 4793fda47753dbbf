#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How scripts/demo judges what it sees, on a stand-in for mtls whose answers are known.
load helpers

demo=$BATS_TEST_DIRNAME/../../scripts/demo

# The stand-in: a PKI of three flaws; the server's log and the client's answers come from the files `log` and `answers`.
stand_in() {
    mkdir pki
    cat >pki/manifest.json <<'END'
{"artefacts": [
 {"name": "alice", "directory": "clients/alice", "expect": {"verdict": "accepted", "reason": "ok"}},
 {"name": "client-expired", "directory": "flaws/client-expired", "flaw": {"token": "expired", "side": "client",
  "control": false}, "expect": {"verdict": "refused", "reason": "cert_expired"}},
 {"name": "client-expired/control", "directory": "flaws/client-expired/control", "flaw": {"token": "expired",
  "side": "client", "control": true}, "expect": {"verdict": "accepted", "reason": "ok"}},
 {"name": "client-name_constraint_dns", "directory": "flaws/client-name_constraint_dns", "flaw": {"token":
  "name_constraint_dns", "side": "client", "control": false}, "expect": {"verdict": "refused", "reason":
  "name_constraint"}},
 {"name": "server-revoked", "directory": "flaws/server-revoked", "flaw": {"token": "revoked", "side": "server",
  "control": false}, "expect": {"verdict": "refused", "reason": "cert_revoked"}}]}
END
    cat >log <<'END'
2026-11-23T14:00:00Z 127.0.0.1:1 refused cert_expired depth 0: CN=expired; alert certificate_expired (45)
2026-11-23T14:00:00Z 127.0.0.1:2 refused name_constraint depth 0: CN=x; alert bad_certificate (42)
END
    cat >answers <<'END'
flaws/client-expired {"local": "127.0.0.1:1", "outcome": "refused_by_server", "alert": "certificate_expired"}
flaws/client-name_constraint_dns {"local": "127.0.0.1:2", "outcome": "refused_by_server"}
alice {"local": "127.0.0.1:3", "outcome": "refused_by_us", "reason": "cert_revoked", "alert": "certificate_revoked"}
END
    cat >mtls <<'END'
#!/usr/bin/env bash
here=$(dirname "$0") command=$1
while (($#)); do
    case $1 in --ready-file) ready=$2 ;; --as) as=$2 ;; esac
    shift
done
case $command in
pki) echo made ;;
serve) cat "$here/log" >&2; echo 4433 >"$ready"; exec sleep 60 ;;
connect) sed -n "s|^$as ||p" "$here/answers" ;;
esac
END
    chmod +x mtls
    export MTLS=$PWD/mtls
}

@test "the demo itself: every wrong certificate that can be refused is, and for the right reason" {
    run -0 "$demo" pki
    says 'alice: {"subject":"CN=alice"'
    says ' 0 wrong'
    [[ $output =~ ([0-9]+)' wrong certificates: '([0-9]+)' refused' ]]
    ((BASH_REMATCH[1] >= 160 && BASH_REMATCH[1] == BASH_REMATCH[2]))
}

@test "all refused for the right reason: exit status 0" {
    stand_in
    run -0 "$demo" pki
    says '3 wrong certificates: 3 refused as expected, 0 wrong'
    [[ $output =~ 'client-expired '\ +'cert_expired '\ +'refused: cert_expired '\ +certificate_expired ]]
    [[ $output =~ 'server-revoked '\ +'cert_revoked '\ +'refused: cert_revoked '\ +certificate_revoked ]]
    [[ $output != *control* ]]
}

@test "a wrong certificate that is accepted fails" {
    stand_in
    sed -i 's/refused cert_expired.*/accepted CN=expired/' log
    run -1 "$demo" pki
    says '3 wrong certificates: 2 refused as expected, 1 wrong'
    [[ $output =~ 'client-expired '\ +'cert_expired '\ +'WRONG: accepted' ]]
}

@test "a refusal for another reason fails" {
    stand_in
    sed -i 's/cert_revoked/crl_missing/' answers
    run -1 "$demo" pki
    [[ $output =~ 'server-revoked '\ +'cert_revoked '\ +'WRONG: crl_missing' ]]
}

@test "no answer fails" {
    stand_in
    sed -i /client-expired/d answers
    run -1 "$demo" pki
    [[ $output =~ 'client-expired '\ +'cert_expired '\ +'WRONG: no answer' ]]
}

@test "the servers are gone afterwards" {
    stand_in
    sed -i "s|exec sleep 60|echo \$\$ >>'$PWD/pids'; exec sleep 60|" mtls
    run -0 "$demo" pki
    run -0 wc -l <pids
    [[ $output == 2 ]]
    while read -r pid; do
        run ! kill -0 "$pid"
    done <pids
}
