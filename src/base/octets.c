// SPDX-License-Identifier: Apache-2.0
#include "base/octets.h"

bool octets_take(struct span *rest, size_t len, struct span *taken)
{
    if (rest->len < len) {
        return false;
    }
    *taken = span_of(rest->data, len);
    *rest = span_of(rest->data + len, rest->len - len);
    return true;
}

bool octets_number_64(struct span *rest, size_t size, uint64_t *number)
{
    struct span octets;
    if (!octets_take(rest, size, &octets)) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        *number = *number << 8 | octets.data[i];
    }
    return true;
}

bool octets_number(struct span *rest, size_t size, uint32_t *number)
{
    uint64_t wide;
    if (!octets_number_64(rest, size, &wide)) {
        return false;
    }
    *number = (uint32_t)wide;
    return true;
}

bool octets_vector(struct span *rest, size_t size, struct span *taken)
{
    struct span left = *rest;
    uint32_t len = 0;
    if (!octets_number(&left, size, &len) || !octets_take(&left, len, taken)) {
        return false;
    }
    *rest = left;
    return true;
}
