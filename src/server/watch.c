// SPDX-License-Identifier: Apache-2.0
// Notices that a file has changed. What is watched are the folders, since files are replaced by renaming; whether one
// of ours is different is then seen by looking. Because a folder can vanish and come back, lie behind a symbolic link
// or on a file system that tells nothing, everything is looked at once a second besides.
#include "base/log.h"
#include "server/internal.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUIET_MS = 5,     // changes come in bursts: look when nothing has happened for so long,
    PATIENCE_MS = 50, // but do not wait longer than this for it
    TICK_MS = 1000,
};

struct directory {
    uv_fs_event_t event;
    struct server *server;
    struct directory *next;
    struct mark seen; // when watching began; its path is the folder's
    bool watched;
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

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct directory *directory = event->data;
    struct server *server = directory->server;
    struct watch *watch = &server->watch;
    (void)name;
    (void)events;
    (void)status;
    uint64_t now = uv_now(&server->loop);
    watch->since = watch->since == 0 ? now : watch->since;
    if (now - watch->since < PATIENCE_MS) {
        uv_timer_start(&watch->debounce, on_quiet, QUIET_MS, 0);
    }
}

// --- folders ---

// Begins, and begins again if the name now stands for another folder than before.
static void directory_watch(struct directory *directory)
{
    struct stat st;
    bool exists = stat(directory->seen.path, &st) == 0;
    bool same = exists && st.st_dev == directory->seen.device && st.st_ino == directory->seen.inode;
    if (directory->watched && same) {
        return;
    }
    uv_fs_event_stop(&directory->event);
    directory->watched = exists && uv_fs_event_start(&directory->event, on_event, directory->seen.path, 0) == 0;
    if (exists) {
        directory->seen.device = st.st_dev;
        directory->seen.inode = st.st_ino;
    }
}

static void on_directory_closed(uv_handle_t *handle)
{
    struct directory *directory = handle->data;
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
        directory->server = server;
        directory->seen.path = mem_strdup(path);
        uv_fs_event_init(&server->loop, &directory->event);
        directory->event.data = directory;
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
            directory_watch(directory);
            at = &directory->next;
        } else {
            *at = directory->next;
            uv_close((uv_handle_t *)&directory->event, on_directory_closed);
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    for (struct directory *d = server->watch.directories; d != NULL; d = d->next) {
        directory_watch(d);
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
    watch_update(server);
}

void watch_close(struct server *server)
{
    struct watch *watch = &server->watch;
    uv_close((uv_handle_t *)&watch->debounce, NULL);
    uv_close((uv_handle_t *)&watch->tick, NULL);
    while (watch->directories != NULL) {
        struct directory *directory = watch->directories;
        watch->directories = directory->next;
        uv_close((uv_handle_t *)&directory->event, on_directory_closed);
    }
}
