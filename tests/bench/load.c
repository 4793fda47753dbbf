// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load.h"

#include "base/args.h"
#include "base/file.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

enum { TICK_MS = 20, REVOKED_MS = 100, GRACE_MS = 5000, EVENTS = 256, DOWNLOAD_MOST = 256 * 1024 * 1024 };

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    signalled = number;
}

static int64_t clock_us(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t load_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t load_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

// splitmix64: the same seed, the same attacks
uint64_t load_random(struct load *l, uint64_t below)
{
    uint64_t z = l->random += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return below == 0 ? 0 : z % below;
}

static void __attribute__((format(printf, 1, 0))) say(const char *fmt, va_list args)
{
    fputs("load: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

void load_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
}

void load_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
    exit(3);
}

// --- TLS ---

static void note_alert(const SSL *tls, int where, int code)
{
    struct slot *s = SSL_get_app_data(tls);
    if (where == SSL_CB_READ_ALERT && (code & 0xff) != SSL_AD_CLOSE_NOTIFY) {
        snprintf(s->alert, sizeof s->alert, "%s", SSL_alert_desc_string_long(code));
    }
}

static int keep_session(SSL *tls, SSL_SESSION *session)
{
    struct slot *s = SSL_get_app_data(tls);
    if (s->mode != MODE_RESUMED) {
        return 0;
    }
    SSL_SESSION_free(s->who->sessions[s->version]);
    s->who->sessions[s->version] = session;
    return 1;
}

static void open_tls(struct load *l, const char *anchors)
{
    l->tls = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(l->tls, anchors, NULL) != 1) {
        load_die("cannot read %s", anchors);
    }
    SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_security_level(l->tls, 0); // bad certificates may be weak
    SSL_CTX_set_mode(l->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(l->tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(l->tls, keep_session);
    SSL_CTX_set_info_callback(l->tls, note_alert);
}

// --- the loop ---

static void tell_ready(struct load *l)
{
    struct err e = ERR_INIT;
    if (l->ready_file != NULL && l->idle_slots > 0 && l->idle_open == l->idle_slots) {
        if (file_write(l->ready_file, span_of("open\n", 5), FILE_PUBLIC, &e) != 0) {
            load_die("%s", e.text);
        }
        l->ready_file = NULL;
    }
}

static void tick(struct load *l)
{
    static int64_t revoked_next;
    int64_t now = load_ms();
    if (now >= revoked_next) {
        revoked_next = now + REVOKED_MS;
        identities_revoked(&l->good, l->revoked);
    }
    l->opening = 0;
    for (size_t i = 0; i < l->slot_count; i++) {
        slot_tick(l, &l->slots[i]);
    }
    tell_ready(l);
}

// No new work; what is only waiting ends at once.
static void stop(struct load *l)
{
    l->stopping = true;
    for (size_t i = 0; i < l->slot_count; i++) {
        struct slot *s = &l->slots[i];
        if (s->state == SLOT_RESTING || s->state == SLOT_ATTACK || attack_is(s->mode)) {
            slot_close(l, s, 0);
        }
    }
}

static bool is_done(const struct load *l)
{
    if (l->open > 0) {
        return false;
    }
    for (size_t i = 0; i < l->slot_count && !l->stopping; i++) {
        if (l->count == 0 || l->counts[l->slots[i].mode].begun < (uint64_t)l->count) {
            return false;
        }
    }
    return true;
}

static void run(struct load *l)
{
    int64_t begun = load_ms();
    int64_t end = l->seconds > 0 ? begun + l->seconds * 1000 : INT64_MAX;
    int64_t next_tick = begun;
    struct epoll_event events[EVENTS];
    while (!is_done(l) && (!l->stopping || load_ms() < end + GRACE_MS)) {
        int64_t now = load_ms();
        if (!l->stopping && (signalled != 0 || now >= end)) {
            end = now;
            stop(l);
        }
        if (now >= next_tick) {
            next_tick = now + TICK_MS;
            tick(l);
        }
        int count = epoll_wait(l->poll, events, EVENTS, TICK_MS);
        for (int i = 0; i < count; i++) {
            slot_step(l, events[i].data.ptr);
        }
    }
    for (size_t i = 0; i < l->slot_count; i++) {
        if (l->slots[i].state != SLOT_CLOSED) {
            judge_count(l, &l->slots[i], COUNT_timeout); // a request that was made in time has no answer yet
            slot_close(l, &l->slots[i], 0);
        }
    }
}

// --- options ---

static void add_slots(struct load *l, const char *operand)
{
    static const char *const names[] = {
#define X(upper, name, what) #name,
        LOAD_MODES(X)
#undef X
    };
    const char *equals = strchr(operand, '=');
    long count = equals == NULL ? 1 : strtol(equals + 1, NULL, 10);
    size_t len = equals == NULL ? strlen(operand) : (size_t)(equals - operand);
    int mode = 0;
    while (mode < MODE_COUNT && (strlen(names[mode]) != len || strncmp(names[mode], operand, len) != 0)) {
        mode++;
    }
    if (mode == MODE_COUNT || count < 0 || count > 100000) {
        load_die("%s is not MODE=CONNECTIONS", operand);
    }
    if ((mode == MODE_BAD && l->bad.count == 0) || (mode == MODE_DOWNLOAD && l->file.data == NULL)) {
        load_die("%s needs --bad, or --download and --file", operand);
    }
    size_t capacity = l->slot_count;
    l->slots = mem_grow(l->slots, &capacity, sizeof *l->slots, l->slot_count + (size_t)count);
    for (long i = 0; i < count; i++) {
        l->slots[l->slot_count] =
            (struct slot){.mode = (enum load_mode)mode, .fd = -1, .number = (unsigned)l->slot_count};
        l->slot_count++;
    }
    l->idle_slots += mode == MODE_IDLE ? (size_t)count : 0;
}

static void set_versions(struct load *l, const char *tls)
{
    static const char *const names[] = {"1.2", "1.3"};
    for (int i = 0; i < VERSIONS; i++) {
        if (tls == NULL || strcmp(tls, names[i]) == 0) {
            l->versions[l->version_count++] = i;
        }
    }
    if (l->version_count == 0) {
        load_die("--tls takes 1.2 or 1.3, not %s", tls);
    }
}

struct files {
    const char *pki, *anchors, *good, *bad, *tls, *file;
};

static int parse(struct load *l, struct files *files, long *numbers, int argc, char **argv, struct arg_list *operands)
{
    struct err e = ERR_INIT;
    const struct arg_option options[] = {
        {"port", 'p', ARG_NUMBER, "PORT", "of the server, on 127.0.0.1", &numbers[0]},
        {"host", 0, ARG_TEXT, "NAME", "that the server must prove (default: localhost)", &l->host},
        {"pki", 'd', ARG_TEXT, "DIR", "as mtls pki made it", &files->pki},
        {"good", 0, ARG_TEXT, "FILE", "directories below DIR, one a line: who should be served", &files->good},
        {"bad", 0, ARG_TEXT, "FILE", "the same: who must not; - is nobody", &files->bad},
        {"revoked", 0, ARG_TEXT, "FILE", "gets lines: begin NAME MS, end NAME MS, when one of the good is revoked",
         &l->revoked},
        {"margin", 0, ARG_NUMBER, "MS", "from then on until nothing may be served (default: 1000)", &l->margin_ms},
        {"path", 0, ARG_TEXT, "PATH", "what is asked for (default: /whoami)", &l->path},
        {"answer", 0, ARG_TEXT, "TEXT", "it contains this (default: JSON with subject, perhaps sha256 and resumed)",
         &l->text},
        {"download", 0, ARG_TEXT, "PATH", "what mode download asks for", &l->download},
        {"file", 0, ARG_TEXT, "FILE", "what it should be", &files->file},
        {"tls", 0, ARG_TEXT, "VERSION", "1.2 or 1.3 (default: in turn)", &files->tls},
        {"count", 'n', ARG_NUMBER, "N", "so many of each mode, then end", &l->count},
        {"seconds", 's', ARG_NUMBER, "N", "then end; SIGTERM ends too", &l->seconds},
        {"requests", 0, ARG_NUMBER, "N", "on a connection that stays; then a new one (default: no end)", &l->requests},
        {"pause", 0, ARG_NUMBER, "MS", "about so long between them (default: 0)", &l->pause_ms},
        {"timeout", 0, ARG_NUMBER, "MS", "for a connection and an answer (default: 20000)", &l->timeout_ms},
        {"patience", 0, ARG_NUMBER, "MS", "until what behaves badly should have been ended (default: 90000)",
         &l->patience_ms},
        {"addresses", 0, ARG_NUMBER, "N", "comes from so many, 127.0.0.1 and on (default: 1)", &numbers[1]},
        {"ready-file", 0, ARG_TEXT, "FILE", "is written when all connections of mode idle are open", &l->ready_file},
        {"seed", 0, ARG_NUMBER, "N", "of the attacks", &numbers[2]},
        {0},
    };
    const struct arg_command command = {
        .usage = "load --port PORT --pki DIR --good FILE [--bad FILE] [OPTIONS] MODE=CONNECTIONS...",
        .summary = "Loads a server, judges its answers, prints counts as JSON. 1: something failed or was wrong.\n"
#define X(upper, name, what) "\n  " #name ": " what
                   "Modes:" LOAD_MODES(X),
#undef X
        .operands = "MODE=CONNECTIONS",
        .least = 1,
        .most = 32,
        .options = options,
    };
    int code = args_parse(&command, argc, argv, operands, &e);
    if (code < 0) {
        load_die("%s", e.text);
    }
    return code;
}

static void raise_limits(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
}

static void clear(struct load *l)
{
    identities_clear(&l->good);
    identities_clear(&l->bad);
    SSL_CTX_free(l->tls);
    buf_clear(&l->file);
    free(l->slots);
    free(l->buffer);
}

int main(int argc, char **argv)
{
    struct load l = {
        .host = "localhost", .path = "/whoami", .margin_ms = 1000, .timeout_ms = 20000, .patience_ms = 90000};
    struct files files = {0};
    struct arg_list operands = {0};
    struct err e = ERR_INIT;
    long numbers[] = {0, 1, 1}; // port, addresses, seed
    if (parse(&l, &files, numbers, argc, argv, &operands) != 0) {
        return 0;
    }
    if (numbers[0] == 0 || files.pki == NULL || files.good == NULL) {
        load_die("--port, --pki and --good are needed");
    }
    l.port = (unsigned)numbers[0];
    l.addresses = numbers[1] > 0 ? (unsigned)numbers[1] : 1;
    l.random = (uint64_t)numbers[2];
    set_versions(&l, files.tls);
    identities_read(&l.good, files.pki, files.good, true);
    if (files.bad != NULL) {
        identities_read(&l.bad, files.pki, files.bad, false);
    }
    if (files.file != NULL && file_read(files.file, DOWNLOAD_MOST, &l.file, &e) != 0) {
        load_die("%s", e.text);
    }
    for (size_t i = 0; i < operands.count; i++) {
        add_slots(&l, operands.items[i]);
    }
    char *anchors = mem_printf("%s/trust.pem", files.pki);
    open_tls(&l, anchors);
    raise_limits();
    l.buffer = mem_alloc(LOAD_BUFFER);
    l.poll = epoll_create1(EPOLL_CLOEXEC);
    int64_t begun = load_ms();
    run(&l);
    int code = report_print(&l, (double)(load_ms() - begun) / 1000);
    free(anchors);
    arg_list_clear(&operands);
    clear(&l);
    return code;
}
