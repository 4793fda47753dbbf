// SPDX-License-Identifier: Apache-2.0
// What a result means: right, failed or wrong.
#include "tests/bench/load.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

void judge_count(struct load *l, struct slot *s, enum load_count what)
{
    l->counts[s->mode].of[what]++;
}

// The words of the server's alert, or ours, are counted for each mode.
static void count_alert(struct load *l, const struct slot *s)
{
    for (size_t i = 0; i < l->alert_count; i++) {
        if (l->alerts[i].mode == s->mode && strcmp(l->alerts[i].text, s->alert) == 0) {
            l->alerts[i].count++;
            return;
        }
    }
    if (l->alert_count < sizeof l->alerts / sizeof l->alerts[0]) {
        struct load_alert *added = &l->alerts[l->alert_count++];
        *added = (struct load_alert){.mode = s->mode, .count = 1};
        snprintf(added->text, sizeof added->text, "%s", s->alert);
    }
}

static bool is_revoked_since(const struct load *l, const struct identity *who, int64_t when_ms)
{
    return who->revoked_ms != 0 && when_ms > who->revoked_ms + l->margin_ms;
}

// Is the identity that the server saw ours, and the session resumed as we know it?
static void judge_identity(struct load *l, struct slot *s)
{
    json_t *said = json_loadb((const char *)s->answer.body.data, s->answer.body.len, 0, NULL);
    const char *subject = json_string_value(json_object_get(said, "subject"));
    const char *fingerprint = json_string_value(json_object_get(said, "sha256"));
    const json_t *resumed = json_object_get(said, "resumed");
    enum load_count result = COUNT_served;
    if (subject == NULL || strcmp(subject, s->who->subject) != 0 ||
        (fingerprint != NULL && strcmp(fingerprint, s->who->fingerprint) != 0)) {
        result = COUNT_wrong_identity;
        load_say("%s was answered: %.*s", s->who->name, (int)s->answer.body.len, (const char *)s->answer.body.data);
    } else if (resumed != NULL && json_is_true(resumed) != (bool)SSL_session_reused(s->tls)) {
        result = COUNT_wrong_resumed;
    }
    judge_count(l, s, result);
    json_decref(said);
}

static void judge_served(struct load *l, struct slot *s)
{
    const struct answer *a = &s->answer;
    if (!s->who->good) {
        judge_count(l, s, COUNT_bad_served);
        load_say("%s was served", s->who->name);
    } else if (is_revoked_since(l, s->who, s->asked_ms)) {
        judge_count(l, s, COUNT_revoked_served);
        load_say("%s was revoked at %lld and served at %lld (%s)", s->who->name, (long long)s->who->revoked_ms,
                 (long long)s->asked_ms, SSL_session_reused(s->tls) ? "resumed" : "not resumed");
    } else if (a->expected.data != NULL) {
        judge_count(l, s, a->differs || a->offset != a->expected.len ? COUNT_wrong_body : COUNT_served);
    } else if (l->text != NULL) {
        bool found = memmem(a->body.data, a->body.len, l->text, strlen(l->text)) != NULL;
        judge_count(l, s, found ? COUNT_served : COUNT_wrong_body);
    } else {
        judge_identity(l, s);
    }
}

static bool may_be_refused(struct load *l, const struct identity *who)
{
    if (who->good && who->revoking_ms == 0) {
        identities_revoked(&l->good, l->revoked); // it may have begun just now
    }
    return !who->good || who->revoking_ms != 0;
}

void judge_answer(struct load *l, struct slot *s)
{
    if (s->answer.status == 200) {
        judge_served(l, s);
    } else if (may_be_refused(l, s->who)) {
        judge_count(l, s, COUNT_refused);
        judge_count(l, s, COUNT_refused_in_words);
    } else {
        snprintf(s->alert, sizeof s->alert, "HTTP %d", s->answer.status);
        count_alert(l, s);
        judge_count(l, s, COUNT_status);
    }
}

void judge_end(struct load *l, struct slot *s)
{
    if (s->alert[0] != '\0') {
        count_alert(l, s);
    }
    if (s->established && s->mode == MODE_IDLE) {
        int64_t now = load_wall_us();
        s->who->closed_first_us = s->who->closed == 0 ? now : s->who->closed_first_us;
        s->who->closed_last_us = now;
        s->who->closed++;
    }
    if (SSL_get_verify_result(s->tls) != X509_V_OK) {
        judge_count(l, s, COUNT_server_unverified);
    } else if (may_be_refused(l, s->who)) {
        judge_count(l, s, COUNT_refused);
        if (s->alert[0] == '\0') {
            judge_count(l, s, COUNT_refused_silently);
        }
    } else {
        judge_count(l, s, s->alert[0] == '\0' ? COUNT_closed : COUNT_refused_good);
    }
}

bool judge_is_revoked(const struct load *l, const struct slot *s)
{
    return s->established && is_revoked_since(l, s->who, load_wall_us() / 1000);
}

void judge_alive(struct load *l, struct slot *s)
{
    if (judge_is_revoked(l, s)) {
        judge_count(l, s, COUNT_revoked_alive);
        load_say("%s was revoked at %lld and its connection is still open", s->who->name,
                 (long long)s->who->revoked_ms);
        slot_close(l, s, 0);
    }
}
