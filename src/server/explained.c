// SPDX-License-Identifier: Apache-2.0
#include "server/explained.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct explain_recording *explained_begin(const struct server_config *config, struct tls_connection *tls,
                                          size_t connections)
{
    bool shows = config->explain_page && connections < EXPLAINED_CROWD;
    if (config->explains == SERVER_EXPLAINS_NONE && !shows) {
        return NULL;
    }
    struct explain_recording *recording = explain_recording_new(EXPLAIN_SERVER);
    tls_connection_tap(tls, explain_recording_tap(recording));
    return recording;
}

// --- writing ---

static void write_json(FILE *to, const struct explain_story *story, const char *address)
{
    char when[CLOCK_TEXT];
    json_t *line = json_pack("{s:s, s:s, s:s}", "time", clock_rfc3339_ms(clock_now_ms(), when), "event", "explained",
                             "peer", address);
    json_t *told = explain_json(story, false);
    json_object_update(line, told);
    char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fprintf(to, "%s\n", text);
    free(text);
    json_decref(told);
    json_decref(line);
}

static void write_story(FILE *to, const struct explain_story *story, const char *address)
{
    char when[CLOCK_TEXT];
    if (log_format() == LOG_JSON) {
        write_json(to, story, address);
        return;
    }
    fprintf(to, "\n%s %s explained: ", clock_rfc3339_ms(clock_now_ms(), when), address);
    explain_text(story, false, to);
    fputc('\n', to);
}

// One write, so that what several threads append stays whole.
static void append(const char *path, const char *text, size_t len)
{
    struct err e = ERR_INIT;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    ssize_t written = fd < 0 ? -1 : write(fd, text, len);
    if (written < 0 || (size_t)written < len) {
        err_set(&e, "explain.file: writing %s: %s", path, written < 0 ? strerror(errno) : "it was cut short");
        log_error(&e);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void publish(const struct explain_story *story, const char *file, const char *address)
{
    char *text = NULL;
    size_t len = 0;
    if (file == NULL && log_format() == LOG_TEXT && print_is_coloured(stderr)) {
        flockfile(stderr);
        write_story(stderr, story, address);
        funlockfile(stderr);
        return;
    }
    FILE *memory = open_memstream(&text, &len);
    if (memory == NULL) {
        return;
    }
    write_story(memory, story, address);
    if (fclose(memory) == 0 && file != NULL) {
        append(file, text, len);
    } else if (text != NULL) {
        fwrite(text, 1, len, stderr);
    }
    free(text);
}

static void tell(const struct explain_recording *recording, const struct server_config *config,
                 const struct tls_connection *tls, const char *address, bool closed)
{
    struct explain_story story;
    if (explain_recording_is_empty(recording)) {
        return; // whoever only knocks has no handshake
    }
    struct explain_live *live = explain_recording_play(recording);
    explain_live_judged(live, tls);
    if (closed) {
        explain_closed(explain_live_of(live), EXPLAIN_SERVER, false);
    }
    explain_story_init(&story, explain_live_of(live));
    publish(&story, config->explain_file, address);
    explain_story_clear(&story);
    explain_live_free(live);
}

// --- the ends ---

static void look_away(struct explain_recording **recording, struct tls_connection *tls)
{
    tls_connection_tap(tls, &(struct tls_tap){0});
    explain_recording_free(*recording);
    *recording = NULL;
}

void explained_accepted(struct explain_recording **recording, const struct server_config *config,
                        struct tls_connection *tls, const char *address)
{
    if (*recording == NULL) {
        return;
    }
    if (config->explains == SERVER_EXPLAINS_ALL) {
        tell(*recording, config, tls, address, false);
    }
    if (config->explain_page) {
        explain_recording_fit(*recording);
    } else {
        look_away(recording, tls);
    }
}

static void failed(struct explain_recording **recording, const struct server_config *config, struct tls_connection *tls,
                   const char *address, bool closed)
{
    if (*recording != NULL && config->explains != SERVER_EXPLAINS_NONE) {
        tell(*recording, config, tls, address, closed);
    }
    if (*recording != NULL) {
        look_away(recording, tls);
    }
}

void explained_refused(struct explain_recording **recording, const struct server_config *config,
                       struct tls_connection *tls, const char *address)
{
    failed(recording, config, tls, address, false);
}

void explained_ended(struct explain_recording **recording, const struct server_config *config,
                     struct tls_connection *tls, const char *address)
{
    failed(recording, config, tls, address, true);
}

// A browser asks for the icon by itself, and may come back for the page.
static bool is_of_page(struct span target)
{
    static const char *const targets[] = {"/", "/favicon.ico"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (spans_equal(target, span_of(targets[i], strlen(targets[i])))) {
            return true;
        }
    }
    return false;
}

void explained_requested(struct explain_recording **recording, struct tls_connection *tls, struct span target)
{
    if (*recording != NULL && is_of_page(target)) {
        tls_connection_tap(tls, &(struct tls_tap){0});
        explain_recording_fit(*recording);
    } else if (*recording != NULL) {
        look_away(recording, tls);
    }
}

void explained_draw(const struct explain_recording *recording, struct buf *svg)
{
    struct explain_story story;
    struct explain_live *live = explain_recording_play(recording);
    explain_judged(explain_live_of(live), EXPLAIN_SERVER, REASON_ok, -1, NULL);
    explain_story_init(&story, explain_live_of(live));
    explain_svg(&story, svg);
    explain_story_clear(&story);
    explain_live_free(live);
}
