// SPDX-License-Identifier: Apache-2.0
// Mutations that keep DER well-formed: libFuzzer's own change octets, and nearly always break a length on the way up.
// Here an element somewhere in the input is changed, removed, doubled or replaced by another one, and the lengths of
// all that hold it follow; so does a length of two octets in front of it (fuzz_run).
#include "base/der.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { ITEMS_MOST = 256, LEAST = 8, CONSTRUCTED = 0x20 };

struct items {
    struct der_item at[ITEMS_MOST];
    size_t count;
};

// The elements that fill `content` without a rest; false: it is not made of elements.
static bool children(struct span content, struct items *items)
{
    struct err e = ERR_INIT;
    items->count = 0;
    while (content.len > 0) {
        if (items->count == ITEMS_MOST || der_next(&content, &items->at[items->count++], &e) != 0) {
            return false;
        }
    }
    return items->count > 0;
}

static void change_octets(struct span content, struct buf *out)
{
    size_t most = content.len + 64;
    uint8_t *octets = mem_alloc(most);
    if (content.len > 0) {
        memcpy(octets, content.data, content.len);
    }
    buf_add(out, octets, LLVMFuzzerMutate(octets, content.len, most));
    free(octets);
}

static void mutate_item(const struct der_item *item, unsigned *seed, struct buf *out);

// Removes, doubles, moves or goes into one of the children.
static void mutate_children(const struct items *items, unsigned *seed, struct buf *out)
{
    size_t which = (size_t)rand_r(seed) % items->count;
    size_t other = (size_t)rand_r(seed) % items->count;
    int what = rand_r(seed) % 10;
    for (size_t i = 0; i < items->count; i++) {
        const struct der_item *item = &items->at[i];
        if (i != which || what == 1) {
            buf_add(out, item->whole.data, item->whole.len);
        }
        if (i == which && what <= 2 && what > 0) { // doubled (1), replaced (2); removed (0)
            item = &items->at[what == 1 ? i : other];
            buf_add(out, item->whole.data, item->whole.len);
        } else if (i == which && what > 2) {
            mutate_item(item, seed, out);
        }
    }
}

static void mutate_item(const struct der_item *item, unsigned *seed, struct buf *out)
{
    struct items *items = mem_alloc(sizeof *items);
    struct buf content = {0};
    int tag = item->tag;
    // An OCTET STRING may hold DER (extensions); a BIT STRING too, behind one octet, but keys are let be.
    bool nested = ((tag & CONSTRUCTED) != 0 || tag == 4) && children(item->content, items);
    if (nested && rand_r(seed) % 16 != 0) {
        mutate_children(items, seed, &content);
    } else if (rand_r(seed) % 8 == 0) {
        tag = (rand_r(seed) % 2 == 0 ? tag ^ 1 << rand_r(seed) % 8 : rand_r(seed)) & 0xff;
        buf_add(&content, item->content.data, item->content.len);
    } else {
        change_octets(item->content, &content);
    }
    der_wrap(out, tag, buf_span(&content));
    buf_clear(&content);
    free(items);
}

// An element of some size that begins somewhere behind `start`.
static bool find_item(struct span input, size_t start, struct der_item *item)
{
    for (size_t i = start; i < input.len; i++) {
        struct err e = ERR_INIT;
        struct span rest = span_of(input.data + i, input.len - i);
        if ((input.data[i] & CONSTRUCTED) != 0 && der_next(&rest, item, &e) == 0 && item->whole.len >= LEAST) {
            return true;
        }
    }
    return false;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct span input = span_of(data, size);
    struct der_item item;
    struct buf out = {0};
    bool found = size > 0 && (find_item(input, rand_r(&seed) % 2 == 0 ? 0 : (size_t)rand_r(&seed) % size, &item) ||
                              find_item(input, 0, &item));
    if (!found || rand_r(&seed) % 8 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    size_t before = (size_t)(item.whole.data - data);
    size_t behind = before + item.whole.len;
    buf_add(&out, data, before);
    mutate_item(&item, &seed, &out);
    size_t len = out.len - before;
    if (before >= 2 && ((size_t)data[before - 2] << 8 | data[before - 1]) == item.whole.len) {
        out.data[before - 2] = (uint8_t)(len >> 8);
        out.data[before - 1] = (uint8_t)len;
    }
    buf_add(&out, data + behind, size - behind);
    size = out.len < max_size ? out.len : max_size;
    memcpy(data, out.data, size);
    buf_clear(&out);
    return size;
}
