// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: the server, which is the control loop on the main thread, and its workers, each a
// loop on a thread of its own with its own listening sockets and connections.
//
// What crosses from one thread to another: the control loop puts a generation into a worker's inbox or gives it an
// order, and wakes it; a worker counts down what the control loop waits for, and wakes that. Everything else that two
// threads see is immutable (struct generation), atomic, or locked away from the path of a request (addresses.h).
#ifndef MTLS_SERVER_INTERNAL_H
#define MTLS_SERVER_INTERNAL_H

#include "base/address.h"
#include "server/addresses.h"
#include "server/generation.h"
#include "server/http.h"
#include "server/marks.h"
#include "server/server.h"

#include <uv.h>

enum {
    PARTING_DEADLINE_MS = 250, // for the peer to read an alert
    LINGER_DEADLINE_MS = 2000, // for the peer to read what was said last
    FIRST_REQUEST_MS = 2000,   // for whoever has just shaken hands when the server stops
    WORKERS_MOST = 256,
    SCRATCH_SIZE = 16384, // a TLS record's worth (RFC 8446 section 5.1)
};

// Each replaces the ones before it.
enum order {
    ORDER_SERVE,
    ORDER_DRAIN, // accept nobody, finish what is in flight
    ORDER_END,   // close everything now
};

struct worker;
struct connection;

struct listener {
    uv_poll_t poll;
    struct worker *worker;
    int fd;
    char address[ADDRESS_TEXT];
};

struct worker {
    struct server *server;
    uv_thread_t thread;
    bool started;
    uv_loop_t loop;

    // from the control loop
    uv_async_t wake;
    _Atomic(struct generation *) inbox; // the one to go over to; whoever takes it out has its reference
    atomic_int order;                   // enum order

    // its own
    struct generation *generation; // new connections get it
    enum order obeyed;
    struct listener listeners[SERVER_ADDRESSES_MOST];
    size_t listener_count;
    uv_timer_t pause;               // the system gave no descriptor: time to wait before asking again
    uint64_t complained;            // of that, when; in the loop's time
    struct connection *connections; // a doubly linked list
    size_t connection_count;
    uv_idle_t sweeper;
    struct connection *sweep_next;
    size_t kept, closed;           // in the last sweep; the control loop reads it when that is over
    uint8_t scratch[SCRATCH_SIZE]; // what was just received
};

// One round of reloading, or of judging all peers again because time has passed.
enum reload_state { RELOAD_IDLE, RELOAD_BUILDING, RELOAD_SWEEPING };

struct reload {
    struct server *server;
    enum reload_state state;
    unsigned round;
    bool again;   // another round is wanted
    bool by_time; // this one has no new generation; what is valid has changed by itself
    uv_work_t work;
    uv_timer_t timer; // until something in the snapshot becomes valid or invalid
    int64_t next_change;
    int64_t clock_offset; // between the two clocks, in seconds

    // the pool's while it builds
    struct generation *previous;
    struct marks marks; // of the files that were read last
    struct generation *built;
    struct err error; // why the last round failed; none when it did not

    size_t kept, closed;
};

// Watches the folders of the files in reload.marks.
struct watch {
    struct directory *directories;
    int fd; // of inotify; -1: there is none, and the tick sees to everything
    uv_poll_t events;
    uv_timer_t debounce;
    uv_timer_t tick;
    uint64_t since; // the first change that was not looked at yet, in the loop's time; 0: none
};

struct control {
    uv_pipe_t listener;
    char *path; // of the socket; NULL: there is none
    struct control_client *clients;
    size_t client_count;
};

struct server {
    const struct server_settings *settings;
    uv_loop_t loop;
    uv_signal_t signals[3];
    uint64_t started; // in the loop's time
    struct reload reload;
    struct watch watch;
    struct control control;
    uv_timer_t drain;
    uv_async_t report; // from the workers
    struct generation *generation;
    struct tls_tickets *tickets;    // NULL: none
    struct server_config *original; // that it was started with: what a reload cannot change is as it says
    enum order order;
    struct worker *workers;
    size_t worker_count;
    atomic_uint workers_running;

    // shared by all threads
    struct addresses *addresses;
    atomic_uint connections;
    atomic_uint sweeping;         // workers that have not finished
    unsigned descriptors_left;    // for connections, of what the system grants
    atomic_ullong refused_logged; // when (uv_hrtime), so that one line a second says that there is no room
    atomic_uint refused_silently;
};

// server.c
void server_generation_began(struct server *server); // it has a new one: what is to be said and set at once

// worker.c
int workers_open(struct server *server, struct err *e); // with their listeners
int workers_start(struct server *server, struct err *e);
void workers_order(struct server *server, enum order order);
void workers_close(struct server *server); // those that were not started; and frees all
void worker_rest(struct worker *worker);   // ends its loop, if it was ordered to and nothing is left to do

// reload.c
void reload_open(struct server *server);
void reload_close(struct server *server);
unsigned reload_ask(struct server *server); // the round in which it will be done
void reload_on_report(struct server *server);

// watch.c
void watch_open(struct server *server);
void watch_update(struct server *server); // reload.marks has other files
void watch_close(struct server *server);

// control.c
int control_open(struct server *server, struct err *e);
void control_reloaded(struct server *server); // a round is over: whoever waits for it gets its answer
void control_close(struct server *server);

// sweep.c
void sweep_init(struct worker *worker);
void sweep_begin(struct worker *worker, struct generation *generation); // takes over the reference
void sweep_forget(struct worker *worker, const struct connection *c);   // it ends

// listener.c
int listeners_open(struct worker *worker, struct err *e);
void listeners_close(struct worker *worker);
unsigned listeners_port(const struct server *server);

// connection.c
void connection_accept(struct worker *worker, int fd, const struct sockaddr_storage *from); // owns fd
struct connection *connection_next(const struct connection *c);
enum review { REVIEW_NONE /* nobody is served */, REVIEW_KEPT, REVIEW_CLOSED };
// Judges its peer again, by the worker's generation, and ends it if it is refused.
enum review connection_review(struct connection *c, int64_t now);
void connections_drain(struct worker *worker);
void connections_end(struct worker *worker);

// admission.c: is there room for one more?
int admission_prepare(struct server *server, struct err *e); // asks the system for as many descriptors as it grants
bool admission_take(struct worker *worker, address_key key, const char *address); // false: refused, and said
void admission_give(struct worker *worker, address_key key);

#endif
