#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls explain --svg: handshakes of every kind, drawn. Chromium measures every text of them, and its pictures, in light
# and dark, are kept for people to look at.
load helpers
load pki
load explain

# What is drawn, by name: the steps in the order in which their numbers stand in it. A step comes back where its messages
# do. It is chance how much the client sends before it hears that it is refused.
kinds='
12-rsa      1 2 3 5 4 5 7 6 8 9
12          1 2 3 5 4 5 7 6 8 9
12-resumed  1 2 6 8 3 4 5 7 9
12-unasked  1 2 3 4 5 7 6 8 9
12-nobody   1 2 3 5 *6 *8 9
12-refusing 1 2 *3 *4 5 6 7 8 9
13          1 2 8 3 4 5 7 6 9
13-resumed  1 2 6 8 3 4 5 7 9
13-unasked  1 2 8 3 4 5 7 6 9
13-nobody   1 2 8 3 4 5 7 *6*
13-revoked  1 2 8 3 4 5 7 *6*
13-bare     1 2 8 3 4 5 7 *6*
13-refusing 1 2 *4 3 *5 6 7 9
13-early    1 2 6 8 3 4 5 7 9
13-retried  1 2 8 3 4 5 7 6 9
13-hidden   1 2 4 5 2 3 6 8 9
13-cut      1 2 *9
'

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    server_pids=()
    small_pki '  - {name: carol, issuer: issuing}' "  - {name: $(printf 'long%.0s' {1..12}), issuer: issuing}"
    mtls ca revoke clients/carol >/dev/null
    make_captures
}

teardown_file() { # where a capture failed
    stop_servers
}

# --- captures: NAME.pcap and NAME.keys in the file's folder ---

# A server, the relay before it for `count` connections, and afterwards their capture by its name.
capture() { # NAME COUNT SERVER... -- CLIENT...
    local name=$1 count=$2 server=() client
    shift 2
    while [[ $1 != -- ]]; do
        server+=("$1")
        shift
    done
    shift
    rm -f server.in server.log keys.log
    "${server[@]}"
    start_relay "$count" "$address"
    for ((client = 0; client < count; client++)); do
        "$@"
        set -- "${@/-sess_out/-sess_in}"
    done
    end
    stop_servers
    mv capture.pcap "$name.pcap"
    mv keys.log "$name.keys"
}

# The first time it gets a session, then it sends early data.
client_early() {
    echo 'early words' >words
    local how=(-sess_out early.session)
    [[ ! -s early.session ]] || how=(-sess_in early.session -early_data words)
    timeout 20 openssl s_client -connect "127.0.0.1:$relay_port" -tls1_3 "${how[@]}" >/dev/null 2>&1 < <(sleep 1 && echo Q)
}

make_captures() {
    local version pem=(-cert pki/servers/localhost/cert.pem -key pki/servers/localhost/key.pem)
    openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj /CN=localhost -days 2 2>/dev/null
    capture 12-rsa 1 serve_openssl -Verify 3 -www -cert rsa.pem -key rsa.key -tls1_2 -- \
        client_openssl 2 alice -cipher AES128-GCM-SHA256
    for version in 2 3; do
        capture 1$version 1 serve_mtls -- client_mtls $version alice
        capture 1$version-resumed 2 serve_mtls -- client_openssl $version alice -sess_out session
        capture 1$version-unasked 1 serve_openssl -www "${pem[@]}" -- client_openssl $version -
        capture 1$version-nobody 1 serve_mtls -- client_mtls $version -
        capture 1$version-refusing 1 serve_mtls -- client_openssl $version alice -verify_return_error \
            -CAfile pki/clients/bob/cert.pem
    done
    capture 13-bare 1 serve_mtls -- client_openssl 3 - -cert pki/clients/alice/cert.pem -key pki/clients/alice/key.pem
    capture 13-revoked 1 serve_mtls -- client_mtls 3 carol
    capture long 1 serve_mtls -- client_openssl 3 "$(printf 'long%.0s' {1..12})" \
        -servername "$(printf '<&>%.0s' {1..60})"
    capture 13-early 2 serve_openssl -tls1_3 -early_data "${pem[@]}" -- client_early
    capture 13-retried 1 serve_openssl -www -groups P-384 "${pem[@]}" -- client_openssl 3 - -groups P-256:P-384
    cp 13.pcap 13-hidden.pcap
    : >13-hidden.keys
    head -c 1500 13.pcap >13-cut.pcap
    cp 13.keys 13-cut.keys
}

# --- drawings ---

draw() { # NAME
    local connection=1 captured=$BATS_FILE_TMPDIR/$1
    [[ $1 != *-resumed && $1 != *-early ]] || connection=2
    mtls explain "$captured.pcap" --keys "$captured.keys" --connection $connection --svg "$1.svg" 2>/dev/null
    mtls explain "$captured.pcap" --keys "$captured.keys" --connection $connection --json 2>/dev/null >"$1.json"
}

each_kind() { # FUNCTION: of NAME STEPS
    local name steps
    while read -r name steps; do
        [[ -z $name ]] || "$1" "$name" "$steps" || fail "$name"
    done <<<"$kinds"
}

has_steps_in_order() { # NAME STEPS
    local found
    draw "$1"
    xmllint --noout --nonet "$1.svg"
    found=$(sed -n 's|^<text class="t-title f-[a-z]* a-middle"[^>]*>\([1-9]\)</text>$|\1|p' "$1.svg" | paste -sd ' ')
    # shellcheck disable=SC2053 # it is a pattern
    [[ $found == $2 ]] || fail "steps: $found, but expected: $2"
}

@test "every kind of handshake is drawn, as XML, its steps in the order in which they happened" {
    command -v xmllint >/dev/null || skip 'xmllint is not installed here (scripts/setup --for test)'
    each_kind has_steps_in_order
    has_steps_in_order long '1 2 8 3 4 5 7 6 9'
}

has_every_message() { # NAME
    draw "$1"
    jq -r '[.steps[].messages[]] | sort_by(.number)[] | "\(.message) \(.from) \(.octets) \(.protection)"' "$1.json" >told
    sed -n 's|^<g class="message"><title>\([A-Za-z]*\).*: \([a-z]*\) to [a-z]*, \([0-9]*\) octets\{0,1\} · [0-9.]* ms, \(.*\)</title>$|\1 \2 \3 \4|p' \
        "$1.svg" >drawn
    [[ -s told ]] && diff -u told drawn
}

@test "every message has its arrow, with its sender, size and protection" {
    each_kind has_every_message
}

locks() { # NAME COUNT: padlocks on lifelines, without that of the legend
    local found
    draw "$1"
    found=$(($(grep -c '<g class="padlock">' "$1.svg") - 1))
    [[ $found == "$2" ]] || fail "$1 has $found padlocks"
}

@test "a padlock stands on each side's lifeline where its encryption begins" {
    locks 12 2
    locks 13 2
    locks 12-refusing 0
    locks 13-refusing 1 # the client's alert is readable
}

@test "the step that failed is red, with the alert and the reason" {
    draw 13-revoked
    grep -q '<text class="t-headline f-ink"[^>]*>Step 6 failed: The server refuses with the' 13-revoked.svg
    grep -q '<text class="t-title f-bad"[^>]*>The server</text>' 13-revoked.svg
    grep -q '<text class="t-name f-bad"[^>]*>Alert: certificate_revoked</text>' 13-revoked.svg
    draw 13
    run ! grep -q 'class="[a-z-]* [fk]-bad' 13.svg
    grep -q '>The handshake is complete.</text>' 13.svg
    draw 13-bare
    grep -q '<text class="t-plain f-ink"[^>]*>The client sent CN=alice without the certificate of its issuer' 13-bare.svg
    draw 12-refusing
    [[ $(grep -c '>not reached</text>' 12-refusing.svg) == 6 ]]
}

@test "what cannot be drawn is said, and nothing is written" {
    cp "$BATS_FILE_TMPDIR"/13-resumed.{pcap,keys} .
    run -2 --separate-stderr mtls explain 13-resumed.pcap --svg two.svg
    [[ $stderr == *'there are 2 in 13-resumed.pcap: choose one with --connection NUMBER'* ]] || fail "$stderr"
    run -2 --separate-stderr mtls explain 13-resumed.pcap --connection 1 --json --svg two.svg
    [[ $stderr == *'--json and --svg do not go together'* ]] || fail "$stderr"
    run -3 mtls explain 13-resumed.pcap --connection 1 --svg none/one.svg
    [[ ! -e two.svg && ! -e none ]]
    run -0 --separate-stderr mtls explain 13-resumed.pcap --connection 1 --svg -
    [[ $output == '<svg '*'</svg>' ]]
}

# --- in a browser ---

need_chromium() {
    command -v chromium >/dev/null || skip 'chromium is not installed here (scripts/setup --for browser)'
}

browse() { # MODE WIDTH HEIGHT PAGE ARGUMENT...
    local scheme=1
    [[ $1 != dark ]] || scheme=0
    HOME=$PWD timeout 90 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --log-level=3 --user-data-dir="$PWD/data" \
        --blink-settings=preferredColorScheme=$scheme --window-size="$2,$3" "${@:5}" "file://$PWD/$4" 2>>chromium.log 3>&-
}

# All drawings in one page, and in its table what Chromium makes of their texts: which are not inside of their drawing, which
# lie on another, and which identifiers there are twice.
write_measuring_page() { # NAME...
    local name
    printf '<!doctype html><html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><body>'
    for name in "$@"; do
        printf '<div data-name="%s">' "$name"
        cat "$name.svg"
        printf '</div>'
    done
    cat <<'END'
<pre id="found"></pre><script>
const found = [];
for (const div of document.querySelectorAll('div')) {
    const svg = div.querySelector('svg'), view = svg.viewBox.baseVal;
    const texts = [...svg.querySelectorAll('text')].map(t => ({box: t.getBBox(), text: t.textContent}));
    const name = div.dataset.name + ': ';
    found.push(name + texts.length + ' texts, ground ' + getComputedStyle(svg.querySelector('rect')).fill);
    for (const [i, {box, text}] of texts.entries()) {
        if (box.x < 0 || box.y < 0 || box.x + box.width > view.width || box.y + box.height > view.height || !box.width)
            found.push(name + 'outside: ' + text);
        for (const other of texts.slice(i + 1)) {
            const b = other.box;
            if (box.x < b.x + b.width && b.x < box.x + box.width && box.y + 3 < b.y + b.height && b.y + 3 < box.y + box.height)
                found.push(name + 'on each other: ' + text + ' / ' + other.text);
        }
    }
}
const ids = [...document.querySelectorAll('svg [id]')].map(e => e.id);
for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) found.push('twice: ' + id);
document.getElementById('found').textContent = '\n' + found.join('\n') + '\n';
</script></body></html>
END
}

@test "Chromium finds every text inside its drawing and on no other, in light and dark" {
    need_chromium
    local names mode ground
    # 13-hidden and 13-cut are of the same connection as 13
    mapfile -t names < <(awk 'NF && $1 !~ /hidden|cut/ { print $1 }' <<<"$kinds" && echo long)
    for name in "${names[@]}"; do draw "$name"; done
    write_measuring_page "${names[@]}" >page.html
    for mode in light dark; do
        browse $mode 900 900 page.html --dump-dom >dom.html
        ground=$([[ $mode == light ]] && echo 'rgb(255, 255, 255)' || echo 'rgb(27, 31, 36)')
        sed -n '/<pre id="found">/,/<\/pre>/p' dom.html | sed '1d;$d' >found
        [[ $(grep -c " texts, ground $ground\$" found) == "${#names[@]}" ]] || fail "$(cat found)"
        ! grep -E 'outside: |on each other: |twice: ' found || fail "in $mode"
    done
}

@test "pictures of them are kept, in light and dark, and as a phone shows them" {
    need_chromium
    local artifacts=$BATS_TEST_DIRNAME/../../build/artifacts name mode height
    mkdir -p "$artifacts"
    for name in 12-rsa 12 13 13-resumed 13-revoked; do
        draw "$name"
        height=$(sed -n '1s/.*viewBox="0 0 680 \([0-9]*\)".*/\1/p' "$name.svg")
        for mode in light dark; do
            printf '<!doctype html><meta name="color-scheme" content="light dark"><body style="margin:0"><img width="900" src="%s.svg">' \
                "$name" >one.html
            browse $mode 900 $((height * 900 / 680 + 1)) one.html --screenshot="$artifacts/handshake-$name-$mode.png"
            [[ $(head -c 4 "$artifacts/handshake-$name-$mode.png") == $'\x89PNG' ]]
        done
        run ! cmp -s "$artifacts/handshake-$name-light.png" "$artifacts/handshake-$name-dark.png"
    done
    printf '<!doctype html><body style="margin:0"><img width="390" src="13-revoked.svg">' >one.html
    browse light 500 1000 one.html --force-device-scale-factor=2 --screenshot="$artifacts/handshake-phone.png"
}
