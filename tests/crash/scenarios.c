// SPDX-License-Identifier: Apache-2.0
#include "scenarios.h"

#include <stdio.h>
#include <string.h>

static const char plan_first[] = "authorities:\n"
                                 "  - name: root\n"
                                 "  - {name: issuing, issuer: root}\n"
                                 "servers:\n"
                                 "  - {name: localhost, issuer: issuing, names: [localhost]}\n"
                                 "clients:\n"
                                 "  - {name: alice, issuer: issuing}\n"
                                 "  - {name: bob, issuer: issuing}\n"
                                 "  - {name: mallory, issuer: issuing, revoked: {reason: keyCompromise}}\n";

// A new key for the issuing CA, so everything below it; bob revoked; carol new.
static const char plan_second[] = "authorities:\n"
                                  "  - name: root\n"
                                  "  - {name: issuing, issuer: root, subject: \"CN=another\"}\n"
                                  "servers:\n"
                                  "  - {name: localhost, issuer: issuing, names: [localhost, 127.0.0.1]}\n"
                                  "clients:\n"
                                  "  - {name: alice, issuer: issuing, key: ec-p384}\n"
                                  "  - {name: bob, issuer: issuing, revoked: {reason: superseded}}\n"
                                  "  - {name: carol, issuer: issuing}\n"
                                  "  - {name: mallory, issuer: issuing, revoked: {reason: keyCompromise}}\n";

static const char plan_less[] = "authorities:\n"
                                "  - name: root\n"
                                "  - {name: issuing, issuer: root}\n"
                                "clients:\n"
                                "  - {name: bob, issuer: issuing}\n";

static const char plan_flaws[] = "authorities:\n"
                                 "  - name: root\n"
                                 "  - {name: issuing, issuer: root}\n"
                                 "servers:\n"
                                 "  - {name: localhost, issuer: issuing, names: [localhost]}\n"
                                 "flaws: {issuer: issuing, cases: [expired, no_certificate, missing_intermediate]}\n";

static const char plan_one_flaw[] = "authorities:\n"
                                    "  - name: root\n"
                                    "  - {name: issuing, issuer: root}\n"
                                    "servers:\n"
                                    "  - {name: localhost, issuer: issuing, names: [localhost]}\n"
                                    "flaws: {issuer: issuing, cases: [expired]}\n";

static const char plan_fixed[] = "authorities:\n"
                                 "  - {name: root, not_before: 2026-01-01, not_after: 2099-01-01}\n"
                                 "  - {name: issuing, issuer: root, not_before: 2026-01-01, not_after: 2099-01-01}\n"
                                 "clients:\n"
                                 "  - {name: alice, issuer: issuing, not_before: 2026-01-01, not_after: 2099-01-01}\n";

#define CA_INIT                                                                                                        \
    {                                                                                                                  \
        "ca", "init"                                                                                                   \
    }
#define CA_ALICE                                                                                                       \
    {                                                                                                                  \
        "ca", "issue", "alice"                                                                                         \
    }
#define PLAN(name)                                                                                                     \
    {                                                                                                                  \
        "pki", "-f", name                                                                                              \
    }
#define PLAN_CHECK(name)                                                                                               \
    {                                                                                                                  \
        "pki", "-f", name, "--check"                                                                                   \
    }

const struct scenario scenarios[] = {
    {.name = "ca init",
     .command = CA_INIT,
     .done = "exists already",
     .settle = CA_ALICE,
     .sql = "SELECT count(*) = 2 AND count(DISTINCT issuer_id) = 1 FROM certificate WHERE role = 0"},
    {.name = "ca issue",
     .prepare = {CA_INIT},
     .command = CA_ALICE,
     .done = "exists already",
     .settle = {"ca", "issue", "another"},
     .sql = "SELECT count(*) = 1 FROM certificate WHERE name = 'alice'"},
    {.name = "ca issue --profile authority",
     .prepare = {CA_INIT},
     .command = {"ca", "issue", "third", "--profile", "authority", "--issuer", "root"},
     .done = "exists already",
     .settle = {"ca", "issue", "alice", "--issuer", "third"}},
    {.name = "ca renew",
     .prepare = {CA_INIT, CA_ALICE},
     .command = {"ca", "renew", "alice"},
     .adds = true,
     .settle = {"ca", "list"},
     .sql = "SELECT count(DISTINCT key_id) = 1 FROM certificate WHERE name = 'alice'"},
    {.name = "ca renew --rekey",
     .prepare = {CA_INIT, CA_ALICE},
     .command = {"ca", "renew", "alice", "--rekey"},
     .adds = true,
     .settle = {"ca", "renew", "alice"},
     .sql = "SELECT count(DISTINCT key_id) = count(*) FROM certificate WHERE name = 'alice'"},
    {.name = "ca renew, an authority",
     .prepare = {CA_INIT, CA_ALICE, {"ca", "issue", "bob"}},
     .command = {"ca", "renew", "issuing"},
     .adds = true,
     .settle = {"ca", "list"}},
    {.name = "ca revoke",
     .prepare = {CA_INIT, CA_ALICE, {"ca", "renew", "alice"}, {"ca", "issue", "bob"}, {"ca", "revoke", "bob"}},
     .command = {"ca", "revoke", "alice", "--reason", "keyCompromise"},
     .settle = {"ca", "list"},
     .sql = "SELECT count(*) = 2 AND (SELECT max(number) FROM crl) = 3"
            " FROM certificate WHERE name = 'alice' AND reason = 1"},
    {.name = "ca crl",
     .prepare = {CA_INIT, CA_ALICE, {"ca", "revoke", "alice"}},
     .command = {"ca", "crl"},
     .adds = true,
     .settle = {"ca", "issue", "bob"},
     .sql = "SELECT min(number) >= 2 FROM crl"},
    {.name = "pki, the first time",
     .command = PLAN("first.yaml"),
     .settle = PLAN_CHECK("first.yaml"),
     .sql = "SELECT count(*) = 1 FROM certificate WHERE revoked_at IS NOT NULL"},
    {.name = "pki, the first time, with flaws", .command = PLAN("flaws.yaml"), .settle = PLAN_CHECK("flaws.yaml")},
    {.name = "pki, much changed in the plan",
     .prepare = {PLAN("first.yaml")},
     .command = PLAN("second.yaml"),
     .settle = PLAN_CHECK("second.yaml"),
     .sql = "SELECT count(*) = 2 FROM certificate WHERE name = 'bob' AND reason = 4"},
    {.name = "pki --prune",
     .prepare = {PLAN("first.yaml")},
     .command = {"pki", "-f", "less.yaml", "--prune"},
     .settle = PLAN_CHECK("less.yaml"),
     .sql = "SELECT count(*) = 3 FROM certificate WHERE current = 1"},
    {.name = "pki --prune, flaws",
     .prepare = {PLAN("flaws.yaml")},
     .command = {"pki", "-f", "one_flaw.yaml", "--prune"},
     .settle = PLAN_CHECK("one_flaw.yaml")},
    {.name = "pki --seed",
     .command = {"pki", "-f", "fixed.yaml", "--seed", "x"},
     .settle = {"pki", "-f", "fixed.yaml", "--seed", "x", "--check"}},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

static int64_t certificates(struct world *w)
{
    return world_ask(w, "SELECT count(*) FROM certificate WHERE role < 3");
}

void scenario_begin(struct world *w, const struct scenario *s, struct expected *x)
{
    world_file(w, "first.yaml", plan_first);
    world_file(w, "second.yaml", plan_second);
    world_file(w, "less.yaml", plan_less);
    world_file(w, "flaws.yaml", plan_flaws);
    world_file(w, "one_flaw.yaml", plan_one_flaw);
    world_file(w, "fixed.yaml", plan_fixed);
    for (size_t i = 0; i < SCENARIO_PREPARATIONS && s->prepare[i][0] != NULL; i++) {
        if (world_run(w, s->prepare[i]) != 0) {
            fail_msg("%s: preparing: %s", s->name, (const char *)w->said.data);
        }
    }
    world_save(w);
    x->before = s->prepare[0][0] == NULL ? 0 : certificates(w);
    if (world_run(w, s->command) != 0) {
        fail_msg("%s: %s", s->name, (const char *)w->said.data);
    }
    x->calls = w->faults->calls;
    world_check(w, true);
    world_judge(w, "%s, nothing having failed", s->name);
    x->after = certificates(w);
}

// Whatever opens the PKI next mends it, be it only to look; every second time that is tried first.
static void look_first(struct world *w, const struct scenario *s, const char *context)
{
    static world_command list = {"ca", "list"};
    static unsigned times;
    if (times++ % 2 == 1) {
        return;
    }
    int code = world_run(w, list);
    if (code == 0) {
        world_check(w, true);
    } else if (code != 3 || (strstr((const char *)w->said.data, "is no PKI") == NULL &&
                             strstr((const char *)w->said.data, "it is empty") == NULL)) {
        world_problem(w, "ca list ended with %d", code);
    }
    world_judge(w, "%s, ca list after %s", s->name, context);
}

void scenario_again(struct world *w, const struct scenario *s, const struct expected *x, const char *context)
{
    look_first(w, s, context);
    int code = world_run(w, s->command);
    bool done = s->done != NULL && code == 3 && strstr((const char *)w->said.data, s->done) != NULL;
    if (code != 0 && !done) {
        world_problem(w, "run again, it ended with %d", code);
    }
    world_check(w, true);
    world_judge(w, "%s, run again after %s", s->name, context);
    int64_t count = certificates(w);
    if (count != x->after && !(s->adds && count == x->after + x->after - x->before)) {
        world_problem(w, "there are %lld certificates, not %lld", (long long)count, (long long)x->after);
    }
    if (s->sql != NULL && world_ask(w, s->sql) != 1) {
        world_problem(w, "it is not so that %s", s->sql);
    }
    if (world_run(w, s->settle) != 0) {
        world_problem(w, "%s %s does not end well", s->settle[0], s->settle[1]);
    }
    world_check(w, true);
    world_judge(w, "%s, settled after %s", s->name, context);
}
