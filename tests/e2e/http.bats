#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# HTTP as curl and openssl speak it: what is refused, and its twin that is served.

# shellcheck disable=SC2154
load helpers.bash
load pki.bash
load live.bash

begin() { # ARGUMENT..., of the server
    small_pki
    mkdir -p site/sub site/.git
    printf 'Hello???' >site/hello.txt
    printf '<p>index</p>' >site/sub/index.html
    printf secret | tee site/.git/config >outside.txt
    ln -s ../outside.txt site/link.txt
    start_server server --root site "$@"
}

curl_alice() { # ARGUMENT...
    curl -sS --max-time 20 --cacert pki/trust.pem --cert pki/clients/alice/fullchain.pem \
        --key pki/clients/alice/key.pem "$@"
}

code_is() { # CODE PATH ARGUMENT...
    local code=$1 path=$2
    shift 2
    run -0 curl_alice -o /dev/null -w '%{http_code}' "$url$path" "$@"
    [[ $output == "$code" ]] || fail "$path $*: $output, not $code"
}

header() { # NAME: its value in the headers in $output
    tr -d '\r' <<<"$output" | sed -n "s/^$1: //Ip"
}

# Octets as they are, given to printf, over a connection of ours; the answers are the output.
raw() { # TEXT
    # shellcheck disable=SC2059 # the escapes are meant
    printf "$1" >raw.in
    run -0 --separate-stderr mtls connect "localhost:$port" --as alice --raw <raw.in
}

statuses() {
    grep -ao 'HTTP/1\.1 [0-9][0-9][0-9] [A-Z]' <<<"$output" | cut -d' ' -f2 | paste -sd,
}

@test "a directory is served: files, types, index.html, redirect, HEAD; its symbolic links and hidden files are not" {
    begin
    run -0 curl_alice "$url/hello.txt"
    [[ $output == 'Hello???' ]]
    run -0 curl_alice -I "$url/hello.txt"
    [[ $(header content-type) == 'text/plain; charset=utf-8' && $(header content-length) == 8 ]]
    [[ $(header date) == ???,\ ??\ ???\ ????\ ??:??:??\ GMT && $(header accept-ranges) == bytes ]]
    run -0 curl_alice "$url/sub/"
    [[ $output == '<p>index</p>' ]]
    run -0 curl_alice -L -w ' %{url_effective}' "$url/sub?x=1"
    [[ $output == "<p>index</p> $url/sub/?x=1" ]]
    run -0 curl_alice "$url/" # there is no index.html: the page
    says 'You are '
    printf index >site/index.html
    run -0 curl_alice "$url/"
    [[ $output == index ]]
    printf file >site/whoami
    run -0 curl_alice "$url/whoami"
    says '"subject"'
    code_is 404 /nothing
    code_is 404 /link.txt
    code_is 404 /.git/config
    code_is 405 /hello.txt -X DELETE
    code_is 405 /hello.txt -d x
    mkfifo site/pipe
    code_is 404 /pipe
}

@test "no path leads out of the directory" {
    begin
    local path
    for path in /../outside.txt /sub/../../outside.txt /%2e%2e/outside.txt /..%2foutside.txt /%2e%2e%2foutside.txt \
        /..%5coutside.txt /sub/..%2f..%2foutside.txt /%00/../outside.txt /%c0%ae%c0%ae/outside.txt //../outside.txt; do
        code_is 400 "$path" --path-as-is
    done
    for path in /%252e%252e/outside.txt /.../outside.txt /link.txt /sub/.../outside.txt; do
        code_is 404 "$path" --path-as-is
    done
    for path in //hello.txt /sub/../hello.txt /./hello.txt /%68ello.txt /sub/%2e%2E/hello.txt; do
        code_is 200 "$path" --path-as-is
    done
}

@test "ranges, as curl continues downloads; what changed is downloaded anew" {
    begin
    head -c 3000000 /dev/urandom >site/large
    run -0 curl_alice -r 1000000-1999999 -o part -w '%{http_code} %{size_download}' "$url/large"
    [[ $output == '206 1000000' ]]
    cmp part <(tail -c +1000001 site/large | head -c 1000000)
    head -c 1234567 site/large >got
    run -0 curl_alice -C - -o got -w '%{http_code} %{size_download}' "$url/large"
    [[ $output == '206 1765433' ]]
    cmp got site/large
    code_is 416 /large -r 3000000-
    run -0 curl_alice -D - -o /dev/null -r -5 "$url/large"
    [[ $(header content-range) == 'bytes 2999995-2999999/3000000' ]]
    local etag
    etag=$(header etag)
    code_is 206 /large -r 0-9 -H "If-Range: $etag"
    code_is 200 /large -r 0-9 -H 'If-Range: "other"'
    code_is 304 /large -H "If-None-Match: $etag"
    code_is 200 /large -H 'If-None-Match: "other"'
    code_is 412 /large -H 'If-Match: "other"'
    run -0 curl_alice -I "$url/large"
    code_is 304 /large -H "If-Modified-Since: $(header last-modified)"
    code_is 200 /large -z 1999-12-31
    touch -d '2001-01-01' site/large
    code_is 200 /large -H "If-None-Match: $etag"
    code_is 200 /large -r 0-9 -H "If-Range: $etag"
}

@test "a large file is sent without being held; one that shrinks meanwhile ends the connection" {
    begin
    truncate -s 5G site/huge
    run -0 curl_alice -r 5368700000- -w ' %{size_download}' -o /dev/null "$url/huge"
    [[ $output == ' 9120' ]]
    head -c 60000000 /dev/zero >site/shrinking
    curl_alice --limit-rate 8M -o got "$url/shrinking" 2>curl.err 3>&- &
    local pid=$! code=0
    until [[ -s got ]]; do sleep 0.02; done
    truncate -s 100000 site/shrinking
    wait $pid || code=$?
    ((code != 0 && $(stat -c %s got) < 60000000)) || fail "curl ended with $code"
    grep -q " VmHWM:" <(sed 's/^/ /' "/proc/${server_pids[0]}/status")
    (($(awk '/^VmHWM/ { print $2 }' "/proc/${server_pids[0]}/status") < 200000)) # KiB
    run -0 curl_alice "$url/hello.txt"
}

@test "content: a length, chunks, Expect: 100-continue; and what is too large, at once" {
    begin
    head -c 900000 /dev/urandom >content
    curl_alice -o got --data-binary @content -H 'Expect:' "$url/echo"
    cmp content got
    run -0 curl_alice -v -o got --data-binary @content -H 'Expect: 100-continue' "$url/echo"
    cmp content got
    says '< HTTP/1.1 100 Continue'
    run -0 curl_alice -v -o got --data-binary @content -H 'Transfer-Encoding: chunked' "$url/echo"
    cmp content got
    says '< Transfer-Encoding: chunked' # the echo sounds as it was called
    curl_alice -o got -X POST -T - "$url/echo" <content
    cmp content got
    code_is 417 /echo -d x -H 'Expect: 200-ok'
    code_is 405 /echo -T content
    head -c 2000000 /dev/zero >large
    code_is 413 /echo --data-binary @large -H 'Expect:'
    code_is 413 /echo --data-binary @large -H 'Expect:' -H 'Transfer-Encoding: chunked'
    run curl_alice -v -o /dev/null -w '%{size_upload} uploaded' --data-binary @large -H 'Expect: 100-continue' "$url/echo"
    says '< HTTP/1.1 413 '
    says '0 uploaded'
    [[ $output != *'100 Continue'* ]]
}

@test "connections are kept and used again, by HTTP/1.1 and 1.0; answers to HEAD and 304 have no content" {
    begin
    run -0 curl_alice -w '%{num_connects} ' -o /dev/null -o /dev/null -o /dev/null "$url/hello.txt" "$url/whoami" "$url/"
    [[ $output == '1 0 0 ' ]]
    run -0 curl_alice -I -w '%{num_connects}\n' "$url/hello.txt" "$url/whoami" "$url/nothing"
    [[ $(grep -cx '[01]' <<<"$output") == 3 && $(tail -n 1 <<<"$output") == 0 ]]
    run -0 curl_alice -0 -i "$url/hello.txt"
    says $'Connection: close\r'
    run -0 curl_alice -0 -i -H 'Connection: keep-alive' "$url/hello.txt"
    says $'Connection: keep-alive\r'
    run -0 curl_alice -i -X OPTIONS "$url/echo"
    says 'HTTP/1.1 204 '
    [[ $(header allow) == 'POST, OPTIONS' && -z $(header content-length) ]]
    run -0 curl_alice -i -X OPTIONS --request-target '*' "$url"
    [[ $(header allow) == 'GET, HEAD, POST, OPTIONS' ]]
    code_is 200 / --request-target "$url/hello.txt"
    code_is 400 / --request-target 'https://other.example/hello.txt'
}

@test "requests in one go are answered in their order, also behind a large file" {
    begin
    head -c 5000000 /dev/urandom | base64 -w 0 | head -c 5000000 >site/large
    raw 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\nHEAD /large HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\necho\r\n0\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: x\r\n\r\n'
    [[ $(statuses) == 200,200,200,200,404,200 ]]
    ((${#output} > 5000000 && ${#output} < 5010000))
    says "$(cat site/large)HTTP/1.1 200 OK"
    # The same by openssl, whose requests come one octet a record.
    printf 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >raw.in
    run openssl s_client -connect "localhost:$port" -CAfile pki/trust.pem -cert pki/clients/alice/cert.pem -max_send_frag 512 \
        -cert_chain pki/clients/alice/fullchain.pem -key pki/clients/alice/key.pem -quiet -ign_eof -servername localhost <raw.in
    [[ $(statuses) == 200,404 ]]
}

@test "what could be read in two ways is refused, and nothing behind it is read" {
    begin
    local head='POST /echo HTTP/1.1\r\nHost: x\r\n' next='GET /whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    while read -r expected text; do
        raw "$text$next"
        [[ $(statuses) == "$expected" ]] || fail "$text: $(statuses), not $expected"
    done <<END
200,200 ${head}Content-Length: 3\r\n\r\nabc
400 ${head}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc
400 ${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
501 ${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n
400 ${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n
501 ${head}Transfer-Encoding: x-chunked\r\n\r\n0\r\n\r\n
400 POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
400 ${head}Content-Length : 3\r\n\r\nabc
400 ${head}X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc
400 ${head}X: a\nContent-Length: 3\r\n\r\nabc
400 ${head}Host: y\r\nContent-Length: 3\r\n\r\nabc
400 ${head}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n
505 GET / HTTP/2.0\r\nHost: x\r\n\r\n
501 CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n
END
}

@test "rules decide by the path that is meant, however it is written, and say nothing of what there is" {
    mkdir -p site/closed
    printf secret >site/closed/secret
    cat >server.yaml <<'END'
pki: pki
host: localhost
root: site
rules:
  - deny: any-verified
    paths: [/closed/*]
  - allow: any-verified
    methods: [GET, HEAD]
END
    begin --config server.yaml
    local path
    for path in /closed/secret /closed/nothing /%63losed/secret /sub/../closed/secret //closed/secret /closed/./secret \
        /closed; do
        run -0 curl_alice --path-as-is -i "$url$path"
        says 'HTTP/1.1 403 Forbidden'
        [[ $(tail -n 1 <<<"$output") == '403 Forbidden' ]] || fail "$path"
    done
    log_says ' denied not_allowed: rule 1 denies GET /closed/secret: CN=alice'
    code_is 403 /echo -d x
    log_says ' denied not_allowed: no rule allows POST /echo: CN=alice'
    code_is 403 /hello.txt -X OPTIONS
    code_is 200 /hello.txt
    code_is 404 /nothing
}
