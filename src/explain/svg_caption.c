// SPDX-License-Identifier: Apache-2.0
// The few words beside an arrow: what of a message's fields tells most; and what a step without messages is about.
#include "base/print.h"
#include "explain/svg.h"

void svg_field(const struct explain_message *m, const char *field, size_t most, struct buf *text)
{
    const json_t *value = json_object_get(m->fields, field);
    size_t count = json_array_size(value);
    buf_text(text, json_is_string(value) ? json_string_value(value) : "");
    for (size_t i = 0; i < count && i < most; i++) {
        const char *item = json_string_value(json_array_get(value, i));
        buf_printf(text, "%s%s", i > 0 ? ", " : "", item != NULL ? item : "");
    }
    if (count > most) {
        buf_printf(text, " and %zu more", count - most);
    }
}

const struct explain_message *svg_find(const struct explain *x, enum explain_side from, int type)
{
    for (size_t i = 0; i < explain_count(x); i++) {
        const struct explain_message *m = explain_message(x, i);
        if (m->kind == EXPLAIN_HANDSHAKE && m->from == from && m->type == type) {
            return m;
        }
    }
    return NULL;
}

const char *svg_certificate(const struct explain *x, enum explain_side of, const char *field)
{
    const struct explain_message *m = svg_find(x, of, MESSAGE_CERTIFICATE);
    const json_t *list = m != NULL ? json_object_get(m->fields, "certificates") : NULL;
    return json_string_value(json_object_get(json_array_get(list, 0), field));
}

// Adds "label value" to the line, if the message has the field.
static void part(struct buf *line, const struct explain_message *m, const char *label, const char *field, size_t most)
{
    struct buf value = {0};
    svg_field(m, field, most, &value);
    if (value.len > 0) {
        buf_printf(line, "%s%s%s", line->len > 0 && line->data[line->len - 1] != '\n' ? SVG_BETWEEN : "", label,
                   (const char *)value.data);
    }
    buf_clear(&value);
}

static void end_line(struct buf *lines)
{
    if (lines->len > 0 && lines->data[lines->len - 1] != '\n') {
        buf_text(lines, "\n");
    }
}

static void client_hello(const struct explain_message *m, struct buf *lines)
{
    size_t suites = json_array_size(json_object_get(m->fields, "cipher_suites"));
    part(lines, m, "asks for ", "server_name", 1);
    part(lines, m, "", json_object_get(m->fields, "versions") != NULL ? "versions" : "version", 3);
    part(lines, m, "ALPN ", "alpn", 3);
    buf_printf(lines, "%s%zu cipher suite%s", lines->len > 0 ? SVG_BETWEEN : "", suites, plural(suites));
    part(lines, m, "groups ", "groups", 2);
    part(lines, m, "key share ", "key_shares", 3);
    part(lines, m, "0-RTT ", "early_data", 1);
}

static void certificate(const struct explain_message *m, struct buf *lines)
{
    const json_t *list = json_object_get(m->fields, "certificates");
    const json_t *leaf = json_array_get(list, 0);
    const char *subject = json_string_value(json_object_get(leaf, "subject"));
    const char *issuer = json_string_value(json_object_get(leaf, "issuer"));
    const char *until = json_string_value(json_object_get(leaf, "not_after"));
    const json_t *names = json_object_get(leaf, "names");
    if (leaf == NULL) {
        buf_text(lines, list != NULL ? "an empty list: no certificate" : "");
        return;
    }
    buf_text(lines, subject != NULL ? subject : "a certificate that cannot be read");
    for (size_t i = 0; i < json_array_size(names) && i < 2; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        buf_printf(lines, "%s%s", SVG_BETWEEN, name != NULL ? name : "");
    }
    end_line(lines);
    if (issuer != NULL && until != NULL) {
        buf_printf(lines, "issued by %s%suntil %.10s", issuer, SVG_BETWEEN, until);
    }
    if (json_array_size(list) > 1) {
        buf_printf(lines, "%schain of %zu", SVG_BETWEEN, json_array_size(list));
    }
}

static void certificate_request(const struct explain_message *m, struct buf *lines)
{
    size_t schemes = json_array_size(json_object_get(m->fields, "signature_schemes"));
    part(lines, m, "issued by ", "certificate_authorities", 2);
    buf_printf(lines, "%s" SVG_BETWEEN "%zu signature scheme%s", lines->len > 0 ? "" : "issued by any CA", schemes,
               plural(schemes));
}

static void handshake(const struct explain_story *story, const struct explain_message *m, struct buf *lines)
{
    const struct explain_facts *facts = explain_facts(story->of);
    switch (m->type) {
    case MESSAGE_CLIENT_HELLO: client_hello(m, lines); break;
    case MESSAGE_SERVER_HELLO:
        part(lines, m, "", "version", 1);
        part(lines, m, "", "cipher_suite", 1);
        part(lines, m, "group ", "group", 1);
        part(lines, m, "wants group ", "group_wanted", 1);
        part(lines, m, "ALPN ", "alpn", 1);
        break;
    case MESSAGE_ENCRYPTED_EXTENSIONS: part(lines, m, "ALPN ", "alpn", 1); break;
    case MESSAGE_CERTIFICATE: certificate(m, lines); break;
    case MESSAGE_CERTIFICATE_REQUEST: certificate_request(m, lines); break;
    case MESSAGE_SERVER_KEY_EXCHANGE:
        part(lines, m, "key share ", "group", 1);
        part(lines, m, "signed with ", "signature_scheme", 1);
        break;
    case MESSAGE_CERTIFICATE_VERIFY: part(lines, m, "signed with ", "signature_scheme", 1); break;
    case MESSAGE_CLIENT_KEY_EXCHANGE:
        buf_text(lines, facts->exchange == EXPLAIN_RSA ? "the premaster secret, encrypted with the server's key"
                        : facts->exchange == EXPLAIN_DHE || facts->exchange == EXPLAIN_ECDHE
                            ? "the client's key share: nothing is encrypted to a key"
                            : "");
        break;
    case MESSAGE_NEW_SESSION_TICKET: part(lines, m, "good for ", "lifetime", 1); break;
    case MESSAGE_KEY_UPDATE: part(lines, m, "", "request_update", 1); break;
    default: break;
    }
}

void svg_caption(const struct explain_story *story, const struct explain_message *m, struct buf *lines)
{
    switch (m->kind) {
    case EXPLAIN_HANDSHAKE: handshake(story, m, lines); break;
    case EXPLAIN_CHANGE_CIPHER_SPEC: buf_text(lines, svg_is_idle(story, m) ? "" : "what follows is encrypted"); break;
    case EXPLAIN_ALERT: // a refusal's meaning is in the story, that of a close_notify in its name
        if (m->type != 0 && svg_refusal(story) != m) {
            part(lines, m, "", "meaning", 1);
        }
        break;
    case EXPLAIN_ENCRYPTED:
        buf_printf(lines, "in %zu record%s, which could not be opened", m->records, plural(m->records));
        break;
    case EXPLAIN_APPLICATION_DATA:
        if (m->records > 1) {
            buf_printf(lines, "in %zu records", m->records);
        }
        break;
    }
    end_line(lines);
    if (m->problem != NULL) {
        buf_printf(lines, "malformed: %s\n", m->problem);
    }
}

bool svg_is_idle(const struct explain_story *story, const struct explain_message *m)
{
    return m->kind == EXPLAIN_CHANGE_CIPHER_SPEC && explain_facts(story->of)->version == VERSION_1_3;
}

const struct explain_message *svg_refusal(const struct explain_story *story)
{
    enum { CLOSE_NOTIFY = 0, USER_CANCELED = 90 };
    const struct explain_step *step = story->failed > 0 ? &story->steps[story->failed - 1] : NULL;
    bool levels = explain_facts(story->of)->version != VERSION_1_3; // RFC 8446 section 6 does without
    for (size_t i = 0; step != NULL && i < step->count; i++) {
        const struct explain_message *m = explain_message(story->of, step->messages[i]);
        const char *level = json_string_value(json_object_get(m->fields, "level"));
        bool warns = m->type == CLOSE_NOTIFY || m->type == USER_CANCELED ||
                     (levels && level != NULL && strcmp(level, "warning") == 0);
        if (m->kind == EXPLAIN_ALERT && !warns) {
            return m;
        }
    }
    return NULL;
}

// --- steps without messages ---

static void judges(const struct explain_story *story, enum explain_side whom, const char *otherwise, struct buf *text)
{
    const struct explain_judgement *j = explain_judgement(story->of, (enum explain_side) !whom);
    const char *subject = svg_certificate(story->of, whom, "subject");
    const char *verb = j != NULL ? "accepts" : "judges";
    if (j != NULL && j->reason != REASON_ok) {
        judgement_tell(text, j);
    } else if (subject != NULL) {
        buf_printf(text, "%s the certificate of %s", verb, subject);
    } else {
        buf_text(text, otherwise);
    }
}

static const char *secret_remark(const struct explain_facts *facts)
{
    if (facts->version == VERSION_1_3) {
        return facts->resumed
                   ? "happened already: from the earlier connection's key, and the key shares of steps 1 and 2"
                   : "happened already: the key shares of steps 1 and 2 gave both sides one secret";
    }
    return facts->resumed ? "the master secret of the earlier session is used again" : "nothing was sent for it";
}

static const char *proof_remark(const struct explain_facts *facts)
{
    return facts->resumed && facts->version == VERSION_1_3
               ? "nothing is signed: the binder in its hello has proved the earlier connection's key"
           : facts->resumed   ? "nothing is signed: its finished proves the earlier session's secret"
           : facts->requested ? "no certificate was seen"
                              : "nothing is sent: the server did not ask who the client is";
}

static const char *client_remark(const struct explain_facts *facts)
{
    return facts->resumed     ? "knows from the earlier session who the client is"
           : facts->requested ? "decides about a client without a certificate"
                              : "there is no client to authenticate; the keys are derived all the same";
}

void svg_remark(const struct explain_story *story, int step, struct buf *text)
{
    const struct explain_facts *facts = explain_facts(story->of);
    if (step == story->failed) {
        buf_add(text, story->steps[step - 1].instead.data, story->steps[step - 1].instead.len);
        return;
    }
    switch (step) {
    case 3:
        judges(story, EXPLAIN_SERVER,
               facts->resumed ? "no certificate to judge: the server's finished proves the earlier session's secret"
                              : "judges the server's certificate, and goes on",
               text);
        break;
    case 4: buf_text(text, secret_remark(facts)); break;
    case 5: buf_text(text, proof_remark(facts)); break;
    case 6: judges(story, EXPLAIN_CLIENT, client_remark(facts), text); break;
    default: buf_text(text, "nothing was sent for it"); break;
    }
}
