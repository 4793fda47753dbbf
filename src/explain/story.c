// SPDX-License-Identifier: Apache-2.0
// Messages -> the nine steps. Every message belongs to one step; a step may have none, as some happen inside a peer.
#include "base/reason.h"
#include "explain/internal.h"

#include <stdlib.h>
#include <string.h>

enum told_kind {
    TOLD_RSA_12, // as the classic description has it: nothing is told beside it
    TOLD_DIFFIE_HELLMAN_12,
    TOLD_RESUMED_12,
    TOLD_FULL_13,
    TOLD_RESUMED_13,
    TOLD_NOT_REQUESTED,
    TOLD_NOT_PRESENTED,
    TOLD_EARLY,
    TOLD_RETRIED,
};

static const struct {
    const char *title;
    const char *classic;
} classics[EXPLAIN_STEPS] = {
#define STEP(title, sentence) {title, sentence},
#include "explain/story.def"
#undef STEP
};

static const struct {
    enum told_kind kind;
    int step;
    bool differs;
    const char *text;
} told[] = {
#define TOLD(kind, step, differs, text) {TOLD_##kind, step, differs, text},
#include "explain/story.def"
#undef TOLD
};

const char *explain_state_name(enum explain_state state)
{
    static const char *const names[] = {[EXPLAIN_AS_DESCRIBED] = "done",
                                        [EXPLAIN_INSTEAD] = "instead",
                                        [EXPLAIN_FAILED] = "failed",
                                        [EXPLAIN_NOT_REACHED] = "not_reached",
                                        [EXPLAIN_UNSEEN] = "unseen"};
    return names[state];
}

// How far the two are, message by message.
struct progress {
    bool is_13;
    bool client_hello, server_hello, server_certificate;
    bool client_flight;                    // the client sent something on the server's hello: it went on
    bool client_secret;                    // ClientKeyExchange
    bool client_answered;                  // Certificate
    bool finished[2];                      // or, encrypted, what can only be that
    bool server_went_on;                   // after the client's finished
    bool early;                            // data with the client's hello
    bool accepts[2], refuses[2];           // its peer, as far as its judgement is known
    const struct explain_message *refusal; // the fatal alert that ended it
};

static bool is_warning(const struct explain_message *m, bool is_13)
{
    const char *level = json_string_value(json_object_get(m->fields, "level"));
    return m->type == ALERT_CLOSE_NOTIFY || m->type == ALERT_USER_CANCELED ||
           (!is_13 && level != NULL && strcmp(level, "warning") == 0); // RFC 8446 section 6 does without levels
}

static const int step_of_judgement[] = {[EXPLAIN_CLIENT] = 3, [EXPLAIN_SERVER] = 6}; // the side that judges

// The step that an alert ends.
static int step_of_alert(const struct progress *p, const struct explain_message *m)
{
    bool both = p->finished[EXPLAIN_CLIENT] && p->finished[EXPLAIN_SERVER];
    if (p->refuses[m->from] && !is_warning(m, p->is_13)) {
        return step_of_judgement[m->from];
    }
    if (m->from == EXPLAIN_CLIENT) {
        return both ? 9 : p->client_flight ? 8 : p->server_certificate || (p->is_13 && p->server_hello) ? 3 : 2;
    }
    if (!p->client_flight) {
        return 2;
    }
    // In TLS 1.3 the client's certificate is judged when both have finished.
    return both && (!p->is_13 || p->server_went_on) ? 9 : 6;
}

static int step_of_handshake(const struct progress *p, const struct explain_message *m)
{
    if (p->finished[EXPLAIN_CLIENT] && p->finished[EXPLAIN_SERVER]) {
        return 9;
    }
    bool client = m->from == EXPLAIN_CLIENT;
    switch (m->type) {
    case MESSAGE_CLIENT_HELLO: return 1;
    case MESSAGE_SERVER_HELLO: return json_object_get(m->fields, "hello_retry_request") != NULL ? 1 : 2;
    case MESSAGE_CERTIFICATE:
    case MESSAGE_CERTIFICATE_VERIFY: return client ? 5 : 2;
    case MESSAGE_CLIENT_KEY_EXCHANGE: return 4;
    case MESSAGE_END_OF_EARLY_DATA: return 7;
    case MESSAGE_NEW_SESSION_TICKET: return p->is_13 ? 9 : 8;
    case MESSAGE_FINISHED: return client ? 7 : 8;
    default: return client ? 5 : 2;
    }
}

static int step_of_hidden(const struct progress *p, const struct explain_message *m)
{
    bool client = m->from == EXPLAIN_CLIENT;
    if (m->protection == EXPLAIN_EARLY_KEYS) {
        return 1;
    }
    if (p->is_13) {
        return m->protection == EXPLAIN_APPLICATION_KEYS ? 9 : client ? 5 : 2;
    }
    switch (m->type) {
    case RECORD_HANDSHAKE: return client ? 7 : 8;
    case RECORD_ALERT: return p->finished[0] && p->finished[1] ? 9 : client ? 8 : 6;
    default: return 9;
    }
}

static int step_of(const struct progress *p, const struct explain_message *m)
{
    bool client = m->from == EXPLAIN_CLIENT;
    switch (m->kind) {
    case EXPLAIN_HANDSHAKE: return step_of_handshake(p, m);
    case EXPLAIN_CHANGE_CIPHER_SPEC:
        if (!p->server_hello) {
            return 1;
        }
        return client ? 7 : p->is_13 ? 2 : 8;
    case EXPLAIN_ALERT: return step_of_alert(p, m);
    case EXPLAIN_APPLICATION_DATA: return m->protection == EXPLAIN_EARLY_KEYS ? 1 : 9;
    default: return step_of_hidden(p, m);
    }
}

static void note(struct progress *p, const struct explain_message *m)
{
    bool client = m->from == EXPLAIN_CLIENT;
    bool after = p->finished[EXPLAIN_CLIENT] && !client;
    bool hidden_finished = m->kind == EXPLAIN_ENCRYPTED && m->type == RECORD_HANDSHAKE;
    if (m->kind == EXPLAIN_ALERT) {
        bool warning = is_warning(m, p->is_13);
        p->refusal = warning || p->refusal != NULL ? p->refusal : m;
        p->server_went_on = p->server_went_on || (after && warning);
        return;
    }
    if (m->kind == EXPLAIN_HANDSHAKE) {
        switch (m->type) {
        case MESSAGE_CLIENT_HELLO: p->client_hello = true; break;
        case MESSAGE_SERVER_HELLO: p->server_hello = p->server_hello || step_of_handshake(p, m) == 2; break;
        case MESSAGE_CERTIFICATE:
            p->client_answered = p->client_answered || client;
            p->server_certificate = p->server_certificate || !client;
            break;
        case MESSAGE_CLIENT_KEY_EXCHANGE: p->client_secret = true; break;
        default: break;
        }
    }
    p->server_went_on = p->server_went_on || after;
    p->client_flight =
        p->client_flight || (client && p->server_hello && m->kind != EXPLAIN_CHANGE_CIPHER_SPEC &&
                             m->protection != EXPLAIN_EARLY_KEYS && !(p->is_13 && m->kind == EXPLAIN_ENCRYPTED));
    p->finished[m->from] =
        p->finished[m->from] || hidden_finished || (m->kind == EXPLAIN_HANDSHAKE && m->type == MESSAGE_FINISHED);
    p->early = p->early || (m->kind == EXPLAIN_APPLICATION_DATA && m->protection == EXPLAIN_EARLY_KEYS);
}

static bool is_reached(const struct progress *p, const struct explain_facts *facts, int step)
{
    bool both = p->finished[EXPLAIN_CLIENT] && p->finished[EXPLAIN_SERVER];
    bool went_on = p->server_went_on || p->accepts[EXPLAIN_SERVER];
    switch (step) {
    case 1: return p->client_hello;
    case 2: return p->server_hello;
    case 3: return p->client_flight || p->accepts[EXPLAIN_CLIENT];
    case 4: return p->is_13 || facts->resumed ? p->server_hello : p->client_secret;
    case 5: return facts->requested ? p->client_answered : p->client_flight;
    case 6: return p->is_13 ? went_on : both || p->accepts[EXPLAIN_SERVER];
    case 7: return p->finished[EXPLAIN_CLIENT];
    case 8: return p->finished[EXPLAIN_SERVER];
    default: return both && (!p->is_13 || went_on);
    }
}

// --- what is said ---

static void say(struct explain_step *step, const char *text)
{
    buf_text(&step->instead, step->instead.len > 0 ? " " : "");
    buf_text(&step->instead, text);
}

static void tell(struct explain_story *story, enum told_kind kind)
{
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        struct explain_step *step = &story->steps[told[i].step - 1];
        bool speaks = step->state == EXPLAIN_AS_DESCRIBED || step->state == EXPLAIN_INSTEAD;
        if (told[i].kind == kind && speaks) {
            say(step, told[i].text);
            step->state = told[i].differs ? EXPLAIN_INSTEAD : step->state;
        }
    }
}

static void tell_all(struct explain_story *story, const struct explain_facts *facts, const struct progress *p)
{
    bool exchanged = facts->exchange == EXPLAIN_DHE || facts->exchange == EXPLAIN_ECDHE;
    bool hidden = p->is_13 && facts->hidden && !p->finished[EXPLAIN_SERVER];
    if (!p->server_hello) {
        return;
    }
    if (p->is_13) {
        tell(story, facts->resumed ? TOLD_RESUMED_13 : TOLD_FULL_13);
    } else if (facts->resumed || exchanged) {
        tell(story, facts->resumed ? TOLD_RESUMED_12 : TOLD_DIFFIE_HELLMAN_12);
    }
    if (p->early) {
        tell(story, TOLD_EARLY);
    }
    if (facts->retried) {
        tell(story, TOLD_RETRIED);
    }
    if (!facts->resumed && !hidden && p->client_flight && !facts->requested) {
        tell(story, TOLD_NOT_REQUESTED);
    }
    if (facts->requested && p->client_answered && !facts->presented) {
        tell(story, TOLD_NOT_PRESENTED);
    }
}

static void tell_failure(struct explain_story *story, const struct progress *p, const char *without_alert)
{
    struct explain_step *step = &story->steps[story->failed - 1];
    if (step->judgement != NULL && step->judgement->reason != REASON_ok) {
        judgement_tell(&step->instead, step->judgement);
        buf_text(&step->instead, " ");
    }
    if (p->refusal != NULL) {
        buf_printf(&step->instead, "The %s refuses with the alert %s: %s.", explain_side_name(p->refusal->from),
                   alert_name(p->refusal->type),
                   alert_meaning(p->refusal->type)[0] != '\0' ? alert_meaning(p->refusal->type)
                                                              : "it is not one that this program knows");
    } else if (story->failed == 3 && p->finished[EXPLAIN_CLIENT]) {
        buf_text(&step->instead, "It goes on all the same, as it was told to.");
    } else {
        buf_text(&step->instead, without_alert != NULL ? without_alert : "It ends without an alert that says so.");
    }
    bool said = p->refusal != NULL && p->refusal->type == ALERT_CERTIFICATE_REQUIRED;
    if (story->failed == 6 && p->client_answered && !explain_facts(story->of)->presented && !said) {
        buf_text(&step->instead, " The client had sent no certificate.");
    }
    buf_printf(&story->verdict, "Step %d failed: %s", story->failed, (const char *)step->instead.data);
}

// The connection was closed before its handshake was over, and nobody said why.
static const char *closed_early(const struct explain *x, const struct progress *p)
{
    bool reset[2];
    bool closed[2];
    for (int i = 0; i < 2; i++) {
        closed[i] = explain_is_closed(x, (enum explain_side)i, &reset[i]);
    }
    if ((!closed[0] && !closed[1]) || (p->finished[0] && p->finished[1]) || explain_ended(x) != NULL ||
        explain_facts(x)->hidden) {
        return NULL;
    }
    return reset[EXPLAIN_SERVER]   ? "The server resets the connection, without an alert that says why."
           : reset[EXPLAIN_CLIENT] ? "The client resets the connection, without an alert that says why."
                                   : "The connection is closed, without an alert that says why.";
}

static void set_states(struct explain_story *story, const struct progress *p)
{
    const struct explain_facts *facts = explain_facts(story->of);
    bool unseen = facts->hidden || explain_ended(story->of) != NULL;
    for (int i = 1; i <= EXPLAIN_STEPS; i++) {
        bool before_failure = i < story->failed; // it must have happened, as what came after it did
        bool after_failure = story->failed != 0 && i > story->failed;
        story->steps[i - 1].state = i == story->failed                             ? EXPLAIN_FAILED
                                    : is_reached(p, facts, i)                      ? EXPLAIN_AS_DESCRIBED
                                    : !after_failure && (before_failure || unseen) ? EXPLAIN_UNSEEN
                                                                                   : EXPLAIN_NOT_REACHED;
    }
}

static void give_verdict(struct explain_story *story, const struct progress *p, const char *without_alert)
{
    if (story->failed != 0) {
        tell_failure(story, p, without_alert);
    } else if (is_reached(p, explain_facts(story->of), 9)) {
        buf_text(&story->verdict, "The handshake is complete.");
    } else if (p->finished[EXPLAIN_CLIENT] && p->finished[EXPLAIN_SERVER]) {
        buf_text(&story->verdict, "Both have finished; nothing shows yet whether the server accepts the client.");
    } else {
        buf_text(&story->verdict, "The handshake was not seen to its end.");
    }
    if (explain_ended(story->of) != NULL) {
        buf_printf(&story->verdict, " It was followed no further: %s.", explain_ended(story->of));
    }
}

static void name_kind(struct explain_story *story, const struct progress *p)
{
    const struct explain_facts *facts = explain_facts(story->of);
    struct buf *b = &story->kind;
    if (!p->server_hello) {
        buf_text(b, "TLS, refused or ended before the two agreed on anything");
        return;
    }
    buf_printf(b, "%s, %s, %s handshake", explain_version_name(facts->version), explain_suite_name(facts->suite),
               facts->resumed ? "resumed" : "full");
    if (facts->presented) {
        buf_text(b, ", with client certificate");
    } else if (!facts->resumed && !facts->hidden) {
        buf_text(b, facts->requested ? ", client certificate requested" : ", no client certificate requested");
    }
}

void judgement_tell(struct buf *text, const struct explain_judgement *j)
{
    const char *by = explain_side_name(j->by);
    const char *peer = explain_side_name((enum explain_side) !j->by);
    if (j->reason == REASON_ok) {
        buf_printf(text, "The %s accepts the %s.", by, peer);
    } else {
        buf_printf(text, "The %s refuses the %s: %s: %s.", by, peer, reason_token(j->reason),
                   j->detail != NULL ? j->detail : reason_info(j->reason)->sentence);
    }
}

// What is known of how the two judge each other.
static void take_judgements(struct explain_story *story, struct progress *p)
{
    for (int by = 0; by < 2; by++) {
        const struct explain_judgement *j = explain_judgement(story->of, (enum explain_side)by);
        story->steps[step_of_judgement[by] - 1].judgement = j;
        p->accepts[by] = j != NULL && j->reason == REASON_ok;
        p->refuses[by] = j != NULL && j->reason != REASON_ok;
    }
}

static void place_messages(struct explain_story *story, struct progress *p)
{
    for (size_t i = 0; i < explain_count(story->of); i++) {
        const struct explain_message *m = explain_message(story->of, i);
        int number = step_of(p, m);
        struct explain_step *step = &story->steps[number - 1];
        step->messages = mem_grow(step->messages, &step->cap, sizeof *step->messages, step->count + 1);
        step->messages[step->count++] = i;
        note(p, m);
        story->failed = p->refusal == m ? number : story->failed;
    }
    for (int by = 0; by < 2 && story->failed == 0; by++) {
        story->failed = p->refuses[by] ? step_of_judgement[by] : 0;
    }
}

void explain_story_init(struct explain_story *story, const struct explain *x)
{
    struct progress p = {.is_13 = explain_facts(x)->version == VERSION_1_3};
    *story = (struct explain_story){.of = x};
    for (int i = 0; i < EXPLAIN_STEPS; i++) {
        story->steps[i].title = classics[i].title;
        story->steps[i].classic = classics[i].classic;
    }
    take_judgements(story, &p);
    place_messages(story, &p);
    const char *without_alert = p.refusal == NULL ? closed_early(x, &p) : NULL;
    for (int i = EXPLAIN_STEPS; story->failed == 0 && without_alert != NULL && i >= 1; i--) {
        story->failed = i == 1 || is_reached(&p, explain_facts(x), i - 1) ? i : 0;
    }
    set_states(story, &p);
    tell_all(story, explain_facts(x), &p);
    give_verdict(story, &p, without_alert);
    explain_diagnose(x, story->failed, p.refusal, &story->hint);
    name_kind(story, &p);
}

void explain_story_clear(struct explain_story *story)
{
    for (int i = 0; i < EXPLAIN_STEPS; i++) {
        buf_clear(&story->steps[i].instead);
        free(story->steps[i].messages);
    }
    buf_clear(&story->kind);
    buf_clear(&story->verdict);
    buf_clear(&story->hint);
    *story = (struct explain_story){0};
}
