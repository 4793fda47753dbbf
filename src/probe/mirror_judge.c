// SPDX-License-Identifier: Apache-2.0
// What a client did, in the words of the probe: an outcome, with the client in the target's place.
#include "base/text.h"
#include "probe/mirror_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

// How it ended, and the last line of what it printed.
static void add_ending(struct buf *text, const struct mirror_process *client)
{
    const char *end = client->said + client->said_len;
    while (end > client->said && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ')) {
        end--;
    }
    const char *line = end;
    while (line > client->said && line[-1] != '\n') {
        line--;
    }
    if (!client->ended) {
        buf_text(text, "; it went on until it was ended");
    } else if (WIFEXITED(client->status)) {
        buf_printf(text, "; exit status %d", WEXITSTATUS(client->status));
    } else {
        buf_printf(text, "; ended by signal %d", WTERMSIG(client->status));
    }
    if (end > line) {
        buf_text(text, ", it said: ");
        text_escape(text, line, (size_t)(end - line), 120);
    }
}

static enum probe_seen judge(const struct mirror_seen *seen, const struct mirror_process *client, struct buf *text)
{
    bool content = client->ended && WIFEXITED(client->status) && WEXITSTATUS(client->status) == 0;
    if (seen->requested) {
        buf_text(text, "it sent a request");
        return PROBE_SERVED;
    }
    if (!seen->connected) {
        buf_text(text, "it never connected");
        return client->ended && !content ? PROBE_DOWN : PROBE_NOT_RUN;
    }
    if (seen->completed && seen->alert == TLS_ALERT_NONE && content) {
        buf_text(text, "it completed the handshake and was content");
        return PROBE_SERVED;
    }
    if (seen->late) {
        buf_printf(text, "it %s and then did nothing", seen->completed ? "completed the handshake" : "connected");
        return PROBE_SILENT;
    }
    if (seen->alert > 0) { // close_notify is 0: a way to go without a word
        buf_printf(text, "alert %s (%d)%s", alert_name(seen->alert), seen->alert,
                   seen->completed ? " after the handshake" : " in the handshake");
    } else if (seen->alert_sent == ALERT_HANDSHAKE_FAILURE) { // it offers nothing that goes with this certificate's key
        buf_printf(text, "our server gave up with alert %s (%d): %s", alert_name(seen->alert_sent), seen->alert_sent,
                   seen->failure);
        return PROBE_NOT_RUN;
    } else {
        buf_printf(text, "it closed the connection %s", seen->completed ? "after the handshake" : "in the handshake");
    }
    return seen->completed ? PROBE_REFUSED_LATE : PROBE_REFUSED;
}

void mirror_judge(const struct mirror_seen *seen, const struct mirror_process *client, struct outcome *outcome)
{
    struct buf text = {0};
    enum probe_seen what = judge(seen, client, &text);
    add_ending(&text, client);
    outcome->completed = seen->completed;
    outcome->hello = seen->connected && what != PROBE_NOT_RUN;
    outcome->doubtful = !seen->connected;
    outcome->alert = seen->alert;
    outcome_set(outcome, what, "%s", (const char *)text.data);
    buf_clear(&text);
}
