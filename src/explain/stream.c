// SPDX-License-Identifier: Apache-2.0
#include "explain/stream.h"

#include <stdlib.h>
#include <string.h>

// How far b is after a, around the end of the numbers.
static int32_t distance(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a);
}

void stream_begin(struct stream *s, uint32_t first)
{
    if (!s->begun) {
        s->begun = true;
        s->next = first;
    }
}

static void deliver_segment(struct stream *s, uint32_t sequence, uint32_t len, struct span data,
                            stream_deliver *deliver, void *arg)
{
    uint32_t known = (uint32_t)distance(sequence, s->next); // delivered before
    if (known >= len) {
        return;
    }
    if (known < data.len) {
        deliver(arg, span_of(data.data + known, data.len - known));
    }
    s->next = sequence + len;
    s->gap = data.len < len;
}

static void remove_first(struct stream *s)
{
    s->waiting_octets -= s->waiting[0].data.len;
    buf_clear(&s->waiting[0].data);
    memmove(s->waiting, s->waiting + 1, --s->count * sizeof *s->waiting);
}

static void keep(struct stream *s, uint32_t sequence, uint32_t len, struct span data)
{
    size_t i = s->count;
    if (s->count == STREAM_SEGMENTS_MOST || data.len > STREAM_WAITING_MOST - s->waiting_octets) {
        s->gap = true;
        return;
    }
    while (i > 0 && distance(sequence, s->waiting[i - 1].sequence) > 0) {
        i--;
    }
    s->waiting = mem_grow(s->waiting, &s->cap, sizeof *s->waiting, s->count + 1);
    memmove(s->waiting + i + 1, s->waiting + i, (s->count - i) * sizeof *s->waiting);
    s->waiting[i] = (struct stream_segment){.sequence = sequence, .len = len};
    buf_add(&s->waiting[i].data, data.data, data.len);
    s->waiting_octets += data.len;
    s->count++;
}

void stream_segment(struct stream *s, uint32_t sequence, uint32_t len, struct span data, stream_deliver *deliver,
                    void *arg)
{
    stream_begin(s, sequence);
    if (s->gap || len == 0) {
        return;
    }
    if (distance(s->next, sequence) > 0) {
        keep(s, sequence, len, data);
        return;
    }
    deliver_segment(s, sequence, len, data, deliver, arg);
    while (!s->gap && s->count > 0 && distance(s->next, s->waiting[0].sequence) <= 0) {
        deliver_segment(s, s->waiting[0].sequence, s->waiting[0].len, buf_span(&s->waiting[0].data), deliver, arg);
        remove_first(s);
    }
}

void stream_clear(struct stream *s)
{
    while (s->count > 0) {
        remove_first(s);
    }
    free(s->waiting);
    *s = (struct stream){0};
}
