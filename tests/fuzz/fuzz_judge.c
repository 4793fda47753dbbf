// SPDX-License-Identifier: Apache-2.0
// trust_judge on a bundle. Nothing may be accepted but what a CA of corpus/pki has signed, octet for octet.
#include "base/der.h"
#include "base/file.h"
#include "fuzz.h"

// If the good seed were refused (its PKI is too old, say), nothing here would be tested.
static void require_good_seed(void)
{
    static bool asked;
    struct err e = ERR_INIT;
    struct buf seed = {0};
    struct fuzz_question q;
    struct trust_path path = {.count = 0};
    if (!asked) {
        asked = true;
        REQUIRE(file_read(fuzz_pki("../judge/alice"), FILE_LIMIT, &seed, &e) == 0);
        fuzz_question_read(&q, buf_span(&seed));
        REQUIRE(fuzz_question_ask(&q, &path));
        trust_path_clear(&path);
        buf_clear(&seed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_question q;
    struct trust_path path = {.count = 0};
    require_good_seed();
    fuzz_question_read(&q, span_of(data, size));
    if (fuzz_question_ask(&q, &path)) {
        for (size_t i = 0; i < path.count; i++) {
            struct err e = ERR_INIT;
            struct span rest = path.certificates[i];
            struct der_item outer;
            struct der_item tbs;
            REQUIRE(der_next(&rest, &outer, &e) == 0 && der_next(&outer.content, &tbs, &e) == 0);
            REQUIRE(fuzz_was_signed(tbs.whole));
        }
    }
    trust_path_clear(&path);
    return 0;
}
