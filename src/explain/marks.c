// SPDX-License-Identifier: Apache-2.0
// Which octets of a message are which field.
#include "explain/internal.h"

enum { MARKS_MOST = 256 };

void mark_taken(struct decoding *d, const char *name, const uint8_t *from, struct span rest)
{
    struct explain_message *m = d->message;
    if (m->mark_count == MARKS_MOST || rest.data == from) {
        return;
    }
    m->marks = mem_grow(m->marks, &m->mark_cap, sizeof *m->marks, m->mark_count + 1);
    m->marks[m->mark_count++] =
        (struct explain_mark){.at = (size_t)(from - m->bytes.data), .len = (size_t)(rest.data - from), .name = name};
}

bool take_number(struct decoding *d, const char *name, struct span *rest, size_t size, uint32_t *number)
{
    const uint8_t *from = rest->data;
    bool good = octets_number(rest, size, number);
    mark_taken(d, name, from, *rest);
    return good;
}

bool take_octets(struct decoding *d, const char *name, struct span *rest, size_t len, struct span *taken)
{
    const uint8_t *from = rest->data;
    bool good = octets_take(rest, len, taken);
    mark_taken(d, name, from, *rest);
    return good;
}

bool take_vector(struct decoding *d, const char *name, struct span *rest, size_t size, struct span *taken)
{
    const uint8_t *from = rest->data;
    bool good = octets_vector(rest, size, taken);
    mark_taken(d, name, from, *rest);
    return good;
}

bool open_vector(struct decoding *d, const char *name, struct span *rest, size_t size, struct span *taken)
{
    const uint8_t *from = rest->data;
    bool good = octets_vector(rest, size, taken);
    if (good) {
        mark_taken(d, name, from, *taken);
    }
    return good;
}
