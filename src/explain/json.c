// SPDX-License-Identifier: Apache-2.0
// The story as JSON; docs/explain.md tells what is in it.
#include "base/text.h"
#include "explain/explain.h"

static json_t *text_of(const struct buf *b)
{
    return b->len > 0 ? json_stringn((const char *)b->data, b->len) : json_null();
}

static json_t *marks_json(const struct explain_message *m)
{
    json_t *marks = json_array();
    for (size_t i = 0; i < m->mark_count; i++) {
        const struct explain_mark *mark = &m->marks[i];
        json_array_append_new(marks, json_pack("{s:s, s:I, s:I}", "name", mark->name, "at", (json_int_t)mark->at,
                                               "octets", (json_int_t)mark->len));
    }
    return marks;
}

static json_t *message_json(const struct explain_message *m, size_t number, bool verbose)
{
    json_t *o = json_pack("{s:i, s:s, s:s, s:f, s:I, s:I, s:s, s:O}", "number", (int)number + 1, "from",
                          explain_side_name(m->from), "message", explain_message_name(m), "ms",
                          (double)m->at_us / 1000.0, "octets", (json_int_t)m->len, "records", (json_int_t)m->records,
                          "protection", explain_protection_name(m->protection), "fields", m->fields);
    if (m->kind == EXPLAIN_HANDSHAKE || m->kind == EXPLAIN_ALERT || m->kind == EXPLAIN_ENCRYPTED) {
        json_object_set_new(o, "type", json_integer(m->type));
    }
    if (m->problem != NULL) {
        json_object_set_new(o, "problem", json_string(m->problem));
    }
    if (verbose && m->bytes.len > 0) {
        struct buf hex = {0};
        text_hex(&hex, m->bytes.data, m->bytes.len, '\0');
        json_object_set_new(o, "hex", text_of(&hex));
        json_object_set_new(o, "marks", marks_json(m));
        buf_clear(&hex);
    }
    return o;
}

static json_t *judgement_json(const struct explain_judgement *j)
{
    return j == NULL ? json_null()
                     : json_pack("{s:s, s:s, s:i, s:s?}", "by", explain_side_name(j->by), "reason",
                                 reason_token(j->reason), "depth", j->depth, "detail", j->detail);
}

json_t *explain_json(const struct explain_story *story, bool verbose)
{
    const struct explain_facts *facts = explain_facts(story->of);
    const char *ended = explain_ended(story->of);
    json_t *steps = json_array();
    for (int i = 0; i < EXPLAIN_STEPS; i++) {
        const struct explain_step *step = &story->steps[i];
        json_t *messages = json_array();
        for (size_t k = 0; k < step->count; k++) {
            size_t number = step->messages[k];
            json_array_append_new(messages, message_json(explain_message(story->of, number), number, verbose));
        }
        json_array_append_new(steps, json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o}", "step", i + 1, "title",
                                               step->title, "classic", step->classic, "state",
                                               explain_state_name(step->state), "instead", text_of(&step->instead),
                                               "judgement", judgement_json(step->judgement), "messages", messages));
    }
    bool agreed = facts->suite >= 0;
    return json_pack(
        "{s:o, s:o, s:s?, s:s?, s:s?, s:b, s:b, s:b, s:b, s:o, s:s?, s:o}", "verdict", text_of(&story->verdict), "hint",
        text_of(&story->hint), "version", agreed ? explain_version_name(facts->version) : NULL, "cipher_suite",
        agreed ? explain_suite_name(facts->suite) : NULL, "server_name", facts->name, "resumed", (int)facts->resumed,
        "client_certificate_requested", (int)facts->requested, "client_certificate_presented", (int)facts->presented,
        "undecrypted", (int)facts->hidden, "failed_step",
        story->failed != 0 ? json_integer(story->failed) : json_null(), "ended", ended, "steps", steps);
}
