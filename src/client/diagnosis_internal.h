// SPDX-License-Identifier: Apache-2.0
// What the rules of a diagnosis share.
#ifndef MTLS_CLIENT_DIAGNOSIS_INTERNAL_H
#define MTLS_CLIENT_DIAGNOSIS_INTERNAL_H

#include "base/clock.h"
#include "client/diagnosis.h"

enum { OWN_MOST = 8, DURATION_TEXT = 32 };

struct evidence {
    const struct client_call *call;
    const struct client_result *result;
    const struct client_asked *asked;
    int64_t now;
    char clock[CLOCK_TEXT];               // now
    struct trust_identity *own[OWN_MOST]; // our certificates, the leaf first; NULL: not readable
    size_t own_count;                     // of those that there are, at most OWN_MOST
    struct trust_verdict own_verdict;     // of our own judge on them, where there are any
    struct client_diagnosis *d;
};

void diagnosis_put(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define WHAT(v, ...) diagnosis_put((v)->d->what, sizeof(v)->d->what, __VA_ARGS__)
#define MEND(v, ...) diagnosis_put((v)->d->mend, sizeof(v)->d->mend, __VA_ARGS__)

// "2 days"; rounded down, as what is said is "at least".
const char *diagnosis_duration(int64_t seconds, char text[DURATION_TEXT]);
const char *diagnosis_subject(const struct trust_identity *identity); // or words for none that can be read
const struct trust_identity *diagnosis_own(const struct evidence *v); // our leaf, or NULL
bool diagnosis_is_self_issued(const struct trust_identity *identity);

// The rules. True: it applies, and has written what it has to say; else what it has written does not count.
// diagnosis_server.c: we refused the server.
bool server_not_yet_valid(struct evidence *v);
bool server_expired(struct evidence *v);
bool server_has_other_names(struct evidence *v);
bool server_of_unknown_ca(struct evidence *v);
bool list_is_stale(struct evidence *v);
// diagnosis_own.c: the server refused us.
bool we_have_no_certificate(struct evidence *v);
bool we_have_not_begun(struct evidence *v);
bool we_have_expired(struct evidence *v);
bool clocks_differ(struct evidence *v);
bool we_are_alone(struct evidence *v);
bool we_are_of_another_ca(struct evidence *v);
bool our_judge_refuses_us(struct evidence *v);
bool we_are_revoked(struct evidence *v);
bool we_are_not_let_in(struct evidence *v);
bool we_lack_the_key(struct evidence *v);
bool we_speak_other_versions(struct evidence *v);
bool we_speak_other_suites(struct evidence *v);
bool it_hung_up_on_us(struct evidence *v);
bool it_refuses_in_http(struct evidence *v);

#endif
