// SPDX-License-Identifier: Apache-2.0
#include "cmd/observe.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/print.h"
#include "base/text.h"
#include "explain/live.h"
#include "explain/pcap_write.h"

#include <stdlib.h>
#include <sys/socket.h>

enum telling { TELL_NOTHING, TELL_TEXT, TELL_JSON, TELL_SVG };

struct observe {
    enum telling telling;
    const char *svg; // file
    struct explain_live *live;
    struct explain_recording *recording; // where nothing is to be told, for what may have to be said in the end
    struct pcap_write *pcap;
    const struct tls_tap *live_tap;
    char addresses[2][ADDRESS_TEXT]; // of enum explain_side
    int64_t start_ms;                // since 1970
    struct client_observer observer;
};

// --- the tap, which several look at ---

static void see_bytes(void *arg, bool sent, const uint8_t *data, size_t len)
{
    struct observe *o = arg;
    if (o->live_tap != NULL) {
        o->live_tap->bytes(o->live_tap->arg, sent, data, len);
    }
    if (o->pcap != NULL) {
        pcap_write_bytes(o->pcap, sent ? EXPLAIN_CLIENT : EXPLAIN_SERVER, data, len);
    }
}

static void see_secret(void *arg, const char *label, const uint8_t client_random[32], struct span secret)
{
    struct observe *o = arg;
    if (o->live_tap != NULL) {
        o->live_tap->secret(o->live_tap->arg, label, client_random, secret);
    }
}

static void see_end(void *arg, bool reset)
{
    struct observe *o = arg;
    if (o->live_tap != NULL) {
        o->live_tap->ended(o->live_tap->arg, reset);
    }
    if (o->pcap != NULL) {
        pcap_write_closed(o->pcap, EXPLAIN_SERVER, reset);
    }
}

static void on_begin(void *arg, int fd, struct tls_connection *tls)
{
    struct observe *o = arg;
    const struct tls_tap tap = {.arg = o, .bytes = see_bytes, .secret = see_secret, .ended = see_end};
    struct sockaddr_storage ends[2] = {0};
    socklen_t len[2] = {sizeof ends[0], sizeof ends[1]};
    o->start_ms = clock_now_ms();
    if (getsockname(fd, (struct sockaddr *)&ends[EXPLAIN_CLIENT], &len[EXPLAIN_CLIENT]) == 0 &&
        getpeername(fd, (struct sockaddr *)&ends[EXPLAIN_SERVER], &len[EXPLAIN_SERVER]) == 0) {
        address_text(&ends[EXPLAIN_CLIENT], o->addresses[EXPLAIN_CLIENT]);
        address_text(&ends[EXPLAIN_SERVER], o->addresses[EXPLAIN_SERVER]);
    }
    if (o->telling != TELL_NOTHING) {
        explain_live_free(o->live);
        o->live = explain_live_new(EXPLAIN_CLIENT);
        o->live_tap = explain_live_tap(o->live);
    } else {
        explain_recording_free(o->recording);
        o->recording = explain_recording_new(EXPLAIN_CLIENT);
        o->live_tap = explain_recording_tap(o->recording);
    }
    if (o->pcap != NULL) {
        pcap_write_begin(o->pcap, &ends[EXPLAIN_CLIENT], &ends[EXPLAIN_SERVER]);
    }
    tls_connection_tap(tls, &tap);
}

static void on_end(void *arg, const struct tls_connection *tls)
{
    struct observe *o = arg;
    if (o->live != NULL) {
        explain_live_judged(o->live, tls);
        explain_closed(explain_live_of(o->live), EXPLAIN_CLIENT, false);
    }
    if (o->pcap != NULL) {
        pcap_write_closed(o->pcap, EXPLAIN_CLIENT, false);
    }
}

// --- begin and end ---

static int parse_telling(const char *text, struct observe *o, struct err *e)
{
    static const char svg[] = "svg:";
    if (text == NULL) {
        o->telling = TELL_NOTHING;
    } else if (text[0] == '\0' || strcmp(text, "text") == 0) {
        o->telling = TELL_TEXT;
    } else if (strcmp(text, "json") == 0) {
        o->telling = TELL_JSON;
    } else if (text_starts(text, svg) && text[sizeof svg - 1] != '\0') {
        o->telling = TELL_SVG;
        o->svg = text + sizeof svg - 1;
    } else {
        return err_usage(e, "--explain takes text, json or svg:FILE, not \"%s\"", text);
    }
    return 0;
}

int observe_begin(const struct observe_options *options, struct observe **observe, struct err *e)
{
    struct observe *o = mem_alloc(sizeof *o);
    *observe = NULL;
    if (parse_telling(options->explain, o, e) != 0) {
        goto out;
    }
    if (options->pcap != NULL) {
        o->pcap = pcap_write_open(options->pcap, e);
        if (o->pcap == NULL) {
            goto out;
        }
    }
    o->observer = (struct client_observer){.arg = o, .begins = on_begin, .ends = on_end};
    *observe = o;
    return 0;
out:
    free(o);
    return -1;
}

const struct client_observer *observe_client(struct observe *o)
{
    return o != NULL ? &o->observer : NULL;
}

static json_t *authorities_of(const struct explain *x)
{
    for (size_t i = 0; i < explain_count(x); i++) {
        const struct explain_message *m = explain_message(x, i);
        if (m->kind == EXPLAIN_HANDSHAKE && strcmp(explain_message_name(m), "CertificateRequest") == 0) {
            json_t *list = json_object_get(m->fields, "certificate_authorities");
            return list != NULL ? json_incref(list) : json_array();
        }
    }
    return json_null();
}

json_t *observe_authorities(const struct observe *o)
{
    if (o->live != NULL) {
        return authorities_of(explain_live_of(o->live));
    }
    if (o->recording == NULL) { // no connection was made
        return json_null();
    }
    struct explain_live *played = explain_recording_play(o->recording);
    json_t *list = authorities_of(explain_live_of(played));
    explain_live_free(played);
    return list;
}

static int tell_json(const struct observe *o, const struct explain_story *story, bool verbose, FILE *to, struct err *e)
{
    char when[CLOCK_TEXT];
    json_t *json = json_pack("{s:s, s:s, s:s}", "client", o->addresses[EXPLAIN_CLIENT], "server",
                             o->addresses[EXPLAIN_SERVER], "start", clock_rfc3339_ms(o->start_ms, when));
    json_t *told = explain_json(story, verbose);
    json_object_update(json, told);
    json_decref(told);
    return json_print(to, json, e);
}

static int draw(const struct observe *o, const struct explain_story *story, struct err *e)
{
    struct buf svg = {0};
    explain_svg(story, &svg);
    int rc = file_write(o->svg, buf_span(&svg), FILE_PUBLIC, e);
    buf_clear(&svg);
    return rc;
}

static int tell(const struct observe *o, bool verbose, FILE *to, struct err *e)
{
    struct explain_story story;
    int rc = 0;
    explain_story_init(&story, explain_live_of(o->live));
    switch (o->telling) {
    case TELL_TEXT:
        fprintf(to, "Client %s, server %s\n", o->addresses[EXPLAIN_CLIENT], o->addresses[EXPLAIN_SERVER]);
        explain_text(&story, verbose, to);
        break;
    case TELL_JSON: rc = tell_json(o, &story, verbose, to, e); break;
    case TELL_SVG: rc = draw(o, &story, e); break;
    case TELL_NOTHING: break;
    }
    explain_story_clear(&story);
    return rc;
}

int observe_end(struct observe *o, bool verbose, FILE *to, struct err *e)
{
    if (o == NULL) {
        return 0;
    }
    int rc = o->live != NULL ? tell(o, verbose, to, e) : 0; // no connection, nothing to tell
    if (o->pcap != NULL && pcap_write_close(o->pcap, e) != 0) {
        rc = -1;
    }
    explain_live_free(o->live);
    explain_recording_free(o->recording);
    free(o);
    return rc;
}
