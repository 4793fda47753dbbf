// SPDX-License-Identifier: Apache-2.0
// advice.def as tables.
#include "base/text.h"
#include "probe/report.h"

#include <string.h>

struct meaning {
    const char *key; // a group, or a case
    enum advice_severity severity;
    const char *text;
};
struct mend {
    const char *group;
    enum advice_server server;
    const char *text;
};

static const struct meaning groups[] = {
#define ADVICE(group, severity, meaning) {#group, ADVICE_##severity, meaning},
#define MEANING(token, severity, meaning)
#define MEND(group, server, text)
#define CLIENT(group, meaning, text)
#include "probe/advice.def"
#undef ADVICE
#undef MEANING
#undef MEND
#undef CLIENT
};

static const struct meaning cases[] = {
#define ADVICE(group, severity, meaning)
#define MEANING(token, severity, meaning) {#token, ADVICE_##severity, meaning},
#define MEND(group, server, text)
#define CLIENT(group, meaning, text)
#include "probe/advice.def"
#undef ADVICE
#undef MEANING
#undef MEND
#undef CLIENT
};

static const struct mend mends[] = {
#define ADVICE(group, severity, meaning)
#define MEANING(token, severity, meaning)
#define MEND(group, server, text) {#group, ADVICE_##server, text},
#define CLIENT(group, meaning, text)
#include "probe/advice.def"
#undef ADVICE
#undef MEANING
#undef MEND
#undef CLIENT
};

static const struct {
    const char *group, *meaning, *mend;
} clients[] = {
#define ADVICE(group, severity, meaning)
#define MEANING(token, severity, meaning)
#define MEND(group, server, text)
#define CLIENT(group, meaning, text) {#group, meaning, text},
#include "probe/advice.def"
#undef ADVICE
#undef MEANING
#undef MEND
#undef CLIENT
};

static const struct {
    const char *word, *name;
} servers[] = {
#define SERVER(word, name) {#word, name},
    ADVICE_SERVERS(SERVER)
#undef SERVER
};

static const struct meaning *find(const struct meaning *table, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].key, key) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static const struct meaning *meaning_of(const struct probe_case *of)
{
    // a group without a line would be a bug that test_probe_report_advice finds; it is not to be made light of
    static const struct meaning unknown = {"", ADVICE_CRITICAL, "Somebody who should have been refused was let in."};
    const struct meaning *m = find(cases, sizeof cases / sizeof cases[0], of->token);
    m = m != NULL ? m : find(groups, sizeof groups / sizeof groups[0], of->group);
    return m != NULL ? m : &unknown;
}

const char *advice_meaning(const struct probe_case *of)
{
    return meaning_of(of)->text;
}

enum advice_severity advice_severity(const struct probe_case *of)
{
    return meaning_of(of)->severity;
}

const char *advice_mend(const char *group, enum advice_server server)
{
    for (size_t i = 0; i < sizeof mends / sizeof mends[0]; i++) {
        if (mends[i].server == server && strcmp(mends[i].group, group) == 0) {
            return mends[i].text;
        }
    }
    return NULL;
}

const char *advice_client_meaning(const char *group)
{
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (strcmp(clients[i].group, group) == 0) {
            return clients[i].meaning;
        }
    }
    return NULL;
}

const char *advice_client_mend(const char *group)
{
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (strcmp(clients[i].group, group) == 0) {
            return clients[i].mend;
        }
    }
    return NULL;
}

const char *advice_severity_word(enum advice_severity severity)
{
    static const char *const words[] = {"low", "medium", "high", "critical"};
    return words[severity];
}

const char *advice_server_word(enum advice_server server)
{
    return servers[server].word;
}

const char *advice_server_name(enum advice_server server)
{
    return servers[server].name;
}

int advice_server_find(const char *word, enum advice_server *found, struct err *e)
{
    *found = ADVICE_SERVER_COUNT;
    if (word == NULL) {
        return 0;
    }
    for (size_t i = 0; i < ADVICE_SERVER_COUNT; i++) {
        if (strcmp(servers[i].word, word) == 0) {
            *found = (enum advice_server)i;
            return 0;
        }
    }
    struct buf list = {0};
    for (size_t i = 0; i < ADVICE_SERVER_COUNT; i++) {
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", servers[i].word);
    }
    struct buf shown = {0};
    err_usage(e, "--server: \"%s\" is none of %s", text_escape(&shown, word, strlen(word), 80), (char *)list.data);
    buf_clear(&shown);
    buf_clear(&list);
    return -1;
}
