// SPDX-License-Identifier: Apache-2.0
// PEM: what is read is written again and read to the same octets.
#include "base/pem.h"
#include "fuzz.h"

#include <string.h>

static void require_same(const struct pem_block *block)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    struct pem_block again;
    pem_write(&text, block->label, buf_span(&block->der));
    struct span rest = buf_span(&text);
    REQUIRE(pem_next(&rest, &again, &e) == 1);
    REQUIRE(strcmp(again.label, block->label) == 0 && again.der.len == block->der.len);
    REQUIRE(block->der.len == 0 || memcmp(again.der.data, block->der.data, block->der.len) == 0);
    buf_clear(&again.der);
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct pem_block block;
    int more = 1;
    while (more != 0) {
        struct err e = ERR_INIT;
        size_t before = rest.len;
        more = pem_next(&rest, &block, &e);
        REQUIRE(more == 0 || rest.len < before); // it ends
        fuzz_require_printable(e.text, false);
        if (more == 1) {
            fuzz_require_printable(block.label, false);
            require_same(&block);
            buf_clear(&block.der);
        }
    }
    return 0;
}
