// SPDX-License-Identifier: Apache-2.0
// What a test and the library that it preloads into mtls share: a file that both map.
#ifndef MTLS_TESTS_FAULT_H
#define MTLS_TESTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_mode {
    FAULT_COUNT, // nothing fails
    FAULT_KILL,  // kill -9 before the chosen call
    FAULT_HALF,  // the chosen call writes half of what it should, then kill -9
    FAULT_FAIL,  // the chosen call fails with EIO, once
    FAULT_FULL,  // from the chosen call on, whatever takes space on the disk fails with ENOSPC
};

enum { FAULT_TRACED = 8192 };

// A call is counted if it changes what is on disk, or takes a lock: its number is its place in `trace`, from 0.
struct fault_state {
    uint32_t mode; // enum fault_mode
    uint32_t at;
    uint32_t calls;
    uint32_t reads;
    uint64_t bytes_read;
    uint64_t bytes_written;
    struct fault_call {
        char name[12];
        char path[100];  // its end
        uint32_t length; // of a write
    } trace[FAULT_TRACED];
};

#define FAULT_VARIABLE "MTLS_FAULT_STATE" // the file's name, in the environment

#endif
