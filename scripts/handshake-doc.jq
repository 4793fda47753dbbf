# SPDX-License-Identifier: Apache-2.0
# What mtls explain --json says of a handshake -> its nine steps in Markdown.

# Of a message's fields those that are worth a reader's time, in this order.
def telling: {
    ClientHello: ["server_name", "version", "versions", "random", "cipher_suites", "key_shares", "groups", "signature_schemes", "alpn"],
    ServerHello: ["version", "random", "cipher_suite", "group", "key_share"],
    EncryptedExtensions: ["alpn"],
    Certificate: ["certificates"],
    ServerKeyExchange: ["group", "key_share", "signature_scheme", "signature_covers", "signature"],
    CertificateRequest: ["certificate_authorities", "certificate_types", "signature_schemes"],
    ClientKeyExchange: ["encrypted_premaster_secret", "key_share"],
    CertificateVerify: ["signature_scheme", "signature_covers", "signature"],
    Finished: ["verify_data"],
    NewSessionTicket: ["lifetime"],
};

def code: gsub("[`|]"; "") | "`\(.)`";

def shortened: if test("^[0-9a-f]{33,}") then .[0:24] + "…" + (capture("(?<rest> \\(.*\\))$").rest // " (\(length / 2) octets)") else . end;

def certificate:
    "\(.subject | code), issued by \(.issuer | code), valid from \(.not_before[0:10]) to \(.not_after[0:10])"
    + (if .names then ", for " + (.names | map(code) | join(", ")) else "" end);

def value:
    if type == "string" then (shortened | if test("^[A-Za-z0-9_ .…()-]+$") then code else gsub("\\|"; "\\|") end)
    elif length == 0 then "none"
    elif (.[0] | type) == "object" then map(certificate) | join("<br>")
    else map(code) | join(", ") end;

def row($message):
    . as $name | $message.fields[$name] | select(. != null)
    | "| \($name | gsub("_"; " ")) | \(value) |";

def octets: "\(.) octet" + (if . == 1 then "" else "s" end);
def ms: . * 10 | round | "\(. / 10 | floor).\(. % 10) ms";
def protection: if . == "plain" then "readable by anybody" else "under " + . end;

def message:
    . as $m
    | "\n**\(.message)** · \(.from) → \(if .from == "client" then "server" else "client" end) · \(.octets | octets) · \(.ms | ms) · \(.protection | protection)",
      ([(telling[.message] // [])[] | row($m)] | select(length > 0) | "\n| | |\n| --- | --- |\n" + join("\n"));

def is_close: .message == "Alert" and .fields.alert == "close_notify";

# --- what happened, where it went as the sentence says ---

# The first message of this name, from this side.
def sent($from; $name): first(.steps[].messages[] | select(.from == $from and .message == $name));
def subject($from): sent($from; "Certificate").fields.certificates[0].subject | code;
def list: map(code) | join(", ");

def done($step):
    if $step == 1 then
        sent("client"; "ClientHello").fields
        | "it asks for \(.server_name | code), speaks \(.versions // [.version] | list), and offers \(.cipher_suites | length) cipher suites."
    elif $step == 2 then
        "it takes \(.cipher_suite | code), shows the certificate of \(subject("server")), and asks for one that "
        + ((sent("server"; "CertificateRequest").fields.certificate_authorities // []) | if . == [] then "any CA" else list end)
        + " has issued, itself or through other CAs."
    elif $step == 3 then
        "nothing is sent. That the client goes on shows that it accepts the certificate of \(subject("server")); else there would be an alert here."
    elif $step == 4 then
        "it is sent in \(sent("client"; "ClientKeyExchange").octets - 6) octets that nobody can open but who has the key of the certificate of \(subject("server"))."
    elif $step == 5 then
        "it shows the certificate of \(subject("client")), and proves with a signature that it has the key of it."
    elif $step == 6 then
        "nothing is sent. That the server goes on with step 8 shows that it accepts the certificate of \(subject("client")), and has recovered the premaster secret: without that it could not make the keys."
    elif $step == 7 then "the finished is the client's first message that nobody else can read."
    elif $step == 8 then "the finished is the server's first message that nobody else can read."
    else
        "there is one request of \([.steps[8].messages[] | select(.message == "ApplicationData" and .from == "client") | .octets] | add | octets) and one response of \([.steps[8].messages[] | select(.message == "ApplicationData" and .from == "server") | .octets] | add | octets)."
    end;

def what($all):
    if .state == "instead" then "\n**Instead:** " + .instead
    elif .state == "done" then
        .step as $step | "\n**Here** " + ($all | done($step)) + (if .instead != null then " " + .instead else "" end)
    else error("step \(.step) of the page's handshake is \(.state)") end;

def step($all):
    "\n### \(.step). \(.title)",
    "\n> \(.classic)",
    what($all),
    (.messages[] | select(is_close | not) | message),
    (if any(.messages[]; is_close) then "\nAt the end comes an alert, `close_notify`: there is no more to say." else empty end);

. as $all | .steps[] | step($all)
