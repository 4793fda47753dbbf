// SPDX-License-Identifier: Apache-2.0
// Notices that a file has changed. What is watched are the folders, since files are replaced by renaming; whether one
// of ours is different is then seen by looking. Because a folder can vanish and come back, lie behind a symbolic link
// or on a file system that tells nothing, everything is looked at once a second besides.
//
// inotify is asked directly, since libuv's uv_fs_event_t wants to hear of each write to whatever is in a folder: a log
// that is kept beside the configuration would wake the server for every line that it writes.
#include "base/log.h"
#include "server/internal.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    QUIET_MS = 5,     // changes come in bursts: look when nothing has happened for so long,
    PATIENCE_MS = 50, // but do not wait longer than this for it
    TICK_MS = 1000,
};

// A file was put in place, written and closed, taken away, or changed its mode; or the folder itself is another.
static const uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
enum { UNWATCHED = -1 };

struct directory {
    struct directory *next;
    struct mark seen; // when watching began; its path is the folder's
    int descriptor;   // of the watch, which inotify shares among all paths of one folder; or UNWATCHED
    bool wanted;
};

static void look(struct server *server)
{
    server->watch.since = 0;
    bool building = server->reload.state == RELOAD_BUILDING; // then the marks are the pool's; it looks when it is done
    if (!building && marks_differ(&server->reload.marks)) {
        reload_ask(server);
    }
}

static void on_quiet(uv_timer_t *timer)
{
    look(timer->data);
}

static void note_change(struct server *server)
{
    struct watch *watch = &server->watch;
    uint64_t now = uv_now(&server->loop);
    watch->since = watch->since == 0 ? now : watch->since;
    if (now - watch->since < PATIENCE_MS) {
        uv_timer_start(&watch->debounce, on_quiet, QUIET_MS, 0);
    }
}

// inotify has dropped this watch, because its folder is gone or somebody asked it to.
static void forget_watch(struct watch *watch, int descriptor)
{
    for (struct directory *d = watch->directories; d != NULL; d = d->next) {
        d->descriptor = d->descriptor == descriptor ? UNWATCHED : d->descriptor;
    }
}

static void on_events(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    _Alignas(struct inotify_event) char data[4096]; // of which the longest takes 272
    ssize_t got = 0;
    (void)status;
    (void)events;
    while ((got = read(server->watch.fd, data, sizeof data)) > 0) {
        struct inotify_event event;
        for (char *at = data; at < data + got; at += sizeof event + event.len) {
            memcpy(&event, at, sizeof event);
            if ((event.mask & IN_IGNORED) != 0) {
                forget_watch(&server->watch, event.wd);
            }
        }
        note_change(server);
    }
}

// --- folders ---

static void directory_unwatch(struct watch *watch, struct directory *directory)
{
    if (directory->descriptor != UNWATCHED) {
        (void)inotify_rm_watch(watch->fd, directory->descriptor); // those who share it hear of it, and begin again
        directory->descriptor = UNWATCHED;
    }
}

// Begins, and begins again if the name now stands for another folder than before.
static void directory_watch(struct watch *watch, struct directory *directory)
{
    struct stat st;
    bool exists = stat(directory->seen.path, &st) == 0;
    bool same = exists && st.st_dev == directory->seen.device && st.st_ino == directory->seen.inode;
    if (watch->fd < 0 || (directory->descriptor != UNWATCHED && same)) {
        return;
    }
    directory_unwatch(watch, directory);
    if (exists) {
        directory->descriptor = inotify_add_watch(watch->fd, directory->seen.path, changes);
        directory->seen.device = st.st_dev;
        directory->seen.inode = st.st_ino;
    }
}

static void directory_free(struct watch *watch, struct directory *directory)
{
    directory_unwatch(watch, directory);
    free(directory->seen.path);
    free(directory);
}

static void directory_want(struct server *server, const char *file)
{
    char *copy = mem_strdup(file);
    const char *path = dirname(copy);
    struct directory *directory = server->watch.directories;
    while (directory != NULL && strcmp(directory->seen.path, path) != 0) {
        directory = directory->next;
    }
    if (directory == NULL) {
        directory = mem_alloc(sizeof *directory);
        directory->seen.path = mem_strdup(path);
        directory->descriptor = UNWATCHED;
        directory->next = server->watch.directories;
        server->watch.directories = directory;
    }
    directory->wanted = true;
    free(copy);
}

void watch_update(struct server *server)
{
    for (size_t i = 0; i < server->reload.marks.count; i++) {
        directory_want(server, server->reload.marks.items[i].path);
    }
    for (struct directory **at = &server->watch.directories; *at != NULL;) {
        struct directory *directory = *at;
        if (directory->wanted) {
            directory->wanted = false;
            directory_watch(&server->watch, directory);
            at = &directory->next;
        } else {
            *at = directory->next;
            directory_free(&server->watch, directory);
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    for (struct directory *d = server->watch.directories; d != NULL; d = d->next) {
        directory_watch(&server->watch, d);
    }
    look(server);
}

void watch_open(struct server *server)
{
    struct watch *watch = &server->watch;
    uv_timer_init(&server->loop, &watch->debounce);
    uv_timer_init(&server->loop, &watch->tick);
    watch->debounce.data = server;
    watch->tick.data = server;
    uv_timer_start(&watch->tick, on_tick, TICK_MS, TICK_MS);
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd >= 0) {
        uv_poll_init(&server->loop, &watch->events, watch->fd);
        watch->events.data = server;
        uv_poll_start(&watch->events, UV_READABLE, on_events);
    }
    watch_update(server);
}

static void on_events_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;
    close(server->watch.fd);
}

void watch_close(struct server *server)
{
    struct watch *watch = &server->watch;
    uv_close((uv_handle_t *)&watch->debounce, NULL);
    uv_close((uv_handle_t *)&watch->tick, NULL);
    while (watch->directories != NULL) {
        struct directory *directory = watch->directories;
        watch->directories = directory->next;
        directory_free(watch, directory);
    }
    if (watch->fd >= 0) {
        uv_close((uv_handle_t *)&watch->events, on_events_closed);
    }
}
