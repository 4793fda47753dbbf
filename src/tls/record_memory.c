// SPDX-License-Identifier: Apache-2.0
// An allocator behind mbedTLS's own (MBEDTLS_PLATFORM_MEMORY) that has an eye on one size only. Blocks of the size of a
// record buffer come from runs of pages that are never unmapped; a freed block gives its pages back and waits for its
// next owner, but for a few that keep them, so that connections that come and go do not have the system take pages away
// and bring them again. Everything else is the C library's; and so is everything where mbedTLS was built without that,
// or where pages that are given back (MADV_DONTNEED) do not come back as zeros, as they do on Linux.
#include "tls/record_memory.h"

#include <mbedtls/platform.h>

#if defined(__linux__) && defined(MBEDTLS_PLATFORM_MEMORY) &&                                                          \
    !(defined(MBEDTLS_PLATFORM_CALLOC_MACRO) && defined(MBEDTLS_PLATFORM_FREE_MACRO))

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A record's content and what mbedTLS adds for headers, MAC and padding.
enum { BUFFER_LEAST = 16 * 1024, BUFFER_MOST = 17 * 1024 };
enum { RUNS_MOST = 16, RUN_FIRST = 64 }; // each run has twice the blocks of the one before
enum { WARM_MOST = 32 };                 // blocks: sixteen connections' worth, 640 KiB

struct run {
    uint8_t *start;
    size_t count;
    size_t used;    // blocks that were handed out at least once: the first ones
    void ***owners; // where somebody remembers each block; NULL: nobody does
    size_t *spare;  // a stack of the blocks that came back
    size_t spare_count;
};

static struct {
    pthread_mutex_t mutex;
    size_t page;
    size_t block;
    struct run runs[RUNS_MOST];
    size_t run_count;
    void *warm[WARM_MOST]; // a stack of free blocks that have their pages, and what was written there
    size_t warm_count;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct run *run_add(void)
{
    struct run *run = &pool.runs[pool.run_count];
    size_t count = (size_t)RUN_FIRST << pool.run_count;
    if (pool.run_count == RUNS_MOST) {
        return NULL;
    }
    void *start =
        mmap(NULL, count * pool.block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(start, count * pool.block, MADV_NOHUGEPAGE); // or a byte would make two megabytes resident
    run->owners = calloc(count, sizeof *run->owners);
    run->spare = calloc(count, sizeof *run->spare);
    if (run->owners == NULL || run->spare == NULL) {
        free(run->owners);
        free(run->spare);
        munmap(start, count * pool.block);
        return NULL;
    }
    run->start = start;
    run->count = count;
    pool.run_count++;
    return run;
}

// The oldest run with room, so that the youngest are the first to fall empty.
static struct run *run_with_room(void)
{
    for (size_t i = 0; i < pool.run_count; i++) {
        if (pool.runs[i].spare_count > 0 || pool.runs[i].used < pool.runs[i].count) {
            return &pool.runs[i];
        }
    }
    return run_add();
}

static struct run *run_of(const void *block)
{
    uintptr_t address = (uintptr_t)block;
    for (size_t i = 0; i < pool.run_count; i++) {
        uintptr_t start = (uintptr_t)pool.runs[i].start;
        if (address >= start && address < start + pool.runs[i].count * pool.block) {
            return &pool.runs[i];
        }
    }
    return NULL;
}

// Of at least `bytes` zeros. A block that is not warm has them: its pages are new, or were given back.
static void *block_new(size_t bytes)
{
    void *block = NULL;
    void *warm = NULL;
    pthread_mutex_lock(&pool.mutex);
    struct run *run = pool.warm_count > 0 ? NULL : run_with_room();
    if (pool.warm_count > 0) {
        warm = pool.warm[--pool.warm_count];
    } else if (run != NULL) {
        size_t index = run->spare_count > 0 ? run->spare[--run->spare_count] : run->used++;
        block = run->start + index * pool.block;
    }
    pthread_mutex_unlock(&pool.mutex);
    return warm != NULL ? memset(warm, 0, bytes) : block;
}

static size_t index_of(const struct run *run, const void *place)
{
    return (size_t)((const uint8_t *)place - run->start) / pool.block;
}

static void *memory_calloc(size_t count, size_t size)
{
    size_t bytes;
    bool is_buffer = !__builtin_mul_overflow(count, size, &bytes) && bytes >= BUFFER_LEAST && bytes <= BUFFER_MOST;
    return is_buffer ? block_new(bytes) : calloc(count, size);
}

static bool warm_add(void *block)
{
    bool room = pool.warm_count < WARM_MOST;
    if (room) {
        pool.warm[pool.warm_count++] = block;
    }
    return room;
}

static void memory_free(void *memory)
{
    struct run *run = NULL;
    size_t index = 0;
    bool warm = false;
    if (((uintptr_t)memory & (pool.page - 1)) == 0 && memory != NULL) {
        pthread_mutex_lock(&pool.mutex);
        run = run_of(memory);
        if (run != NULL) {
            index = index_of(run, memory);
            if (run->owners[index] != NULL) {
                *run->owners[index] = NULL;
                run->owners[index] = NULL;
            }
            warm = warm_add(memory);
        }
        pthread_mutex_unlock(&pool.mutex);
    }
    if (run == NULL) {
        free(memory);
    } else if (!warm) {
        (void)madvise(memory, pool.block, MADV_DONTNEED);
        pthread_mutex_lock(&pool.mutex);
        run->spare[run->spare_count++] = index;
        pthread_mutex_unlock(&pool.mutex);
    }
}

// Before there are threads, or anything that mbedTLS allocated.
__attribute__((constructor)) static void start(void)
{
    pool.page = (size_t)sysconf(_SC_PAGESIZE);
    pool.block = (BUFFER_MOST + pool.page - 1) / pool.page * pool.page;
    mbedtls_platform_set_calloc_free(memory_calloc, memory_free);
}

// The buffer seldom changes its place: one comparison, and nothing else, is the rule.
static void remember(void **block, const void *place)
{
    uintptr_t start = (uintptr_t)*block;
    if (*block != NULL && (uintptr_t)place >= start && (uintptr_t)place < start + pool.block) {
        return;
    }
    pthread_mutex_lock(&pool.mutex);
    struct run *run = run_of(place);
    if (run != NULL) {
        size_t index = index_of(run, place);
        *block = run->start + index * pool.block;
        run->owners[index] = block;
    }
    pthread_mutex_unlock(&pool.mutex);
}

void record_memory_incoming(struct record_memory *memory, const void *place)
{
    remember(&memory->incoming, place);
    if (memory->resting && memory->incoming != NULL) {
        memcpy(memory->incoming, memory->front, sizeof memory->front);
        memory->resting = false;
    }
}

void record_memory_outgoing(struct record_memory *memory, const void *place)
{
    remember(&memory->outgoing, place);
}

void record_memory_rest(struct record_memory *memory)
{
    if (memory->incoming != NULL && !memory->resting) {
        memcpy(memory->front, memory->incoming, sizeof memory->front);
        memory->resting = true;
        (void)madvise(memory->incoming, pool.block, MADV_DONTNEED);
    }
    if (memory->outgoing != NULL) {
        (void)madvise(memory->outgoing, pool.block, MADV_DONTNEED);
    }
}

#else

void record_memory_incoming(struct record_memory *memory, const void *place)
{
    (void)memory;
    (void)place;
}

void record_memory_outgoing(struct record_memory *memory, const void *place)
{
    (void)memory;
    (void)place;
}

void record_memory_rest(struct record_memory *memory)
{
    (void)memory;
}

#endif
