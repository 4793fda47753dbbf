// SPDX-License-Identifier: Apache-2.0
// Extensions (RFC 8446 section 4.2): the list of their names, and what is in those that matter to the story. What an
// extension holds depends on the message that it is in.
#include "base/text.h"
#include "explain/internal.h"

#include <string.h>

enum { EXTENSIONS_MOST = 64, ENTRIES_MOST = 64 };

// One extension: NULL, or what is wrong with it.
typedef const char *reader(struct decoding *d, unsigned message, struct span content);

static const char *server_name(struct decoding *d, unsigned message, struct span content)
{
    enum { HOST_NAME = 0 };
    struct span list;
    struct span name;
    uint32_t type = 0;
    if (message != MESSAGE_CLIENT_HELLO) {
        return content.len == 0 ? NULL : "server_name is not empty in the answer";
    }
    if (!open_vector(d, "server_name_list", &content, 2, &list) || content.len > 0 ||
        !take_number(d, "name_type", &list, 1, &type) || type != HOST_NAME ||
        !take_vector(d, "host_name", &list, 2, &name)) {
        return "server_name cannot be read";
    }
    field_escaped(d->fields, "server_name", name);
    d->has_name = true;
    return NULL;
}

static const char *alpn(struct decoding *d, unsigned message, struct span content)
{
    struct span list;
    struct span name;
    (void)message;
    json_t *names = json_array();
    bool good = open_vector(d, "protocol_name_list", &content, 2, &list) && content.len == 0;
    while (good && list.len > 0 && json_array_size(names) < ENTRIES_MOST) {
        struct buf b = {0};
        good = take_vector(d, "protocol_name", &list, 1, &name);
        if (good) {
            json_array_append_new(names, json_string(text_escape(&b, name.data, name.len, 255)));
        }
        buf_clear(&b);
    }
    json_object_set_new(d->fields, "alpn", names);
    return good ? NULL : "the list of application protocols cannot be read";
}

static const char *groups(struct decoding *d, unsigned message, struct span content)
{
    struct span list;
    (void)message;
    return octets_vector(&content, 2, &list) && content.len == 0 && decode_names(d, "groups", list, 2, name_of_group)
               ? NULL
               : "supported_groups cannot be read";
}

static const char *schemes(struct decoding *d, unsigned message, struct span content)
{
    struct span list;
    (void)message;
    return octets_vector(&content, 2, &list) && content.len == 0 &&
                   decode_names(d, "signature_schemes", list, 2, name_of_scheme)
               ? NULL
               : "signature_algorithms cannot be read";
}

static const char *schemes_of_certificates(struct decoding *d, unsigned message, struct span content)
{
    struct span list;
    (void)message;
    return octets_vector(&content, 2, &list) && content.len == 0 &&
                   decode_names(d, "signature_schemes_of_certificates", list, 2, name_of_scheme)
               ? NULL
               : "signature_algorithms_cert cannot be read";
}

static const char *versions(struct decoding *d, unsigned message, struct span content)
{
    static const char bad[] = "supported_versions cannot be read";
    struct span list;
    uint32_t version = 0;
    if (message == MESSAGE_SERVER_HELLO) {
        if (!octets_number(&content, 2, &version) || content.len > 0) {
            return bad;
        }
        d->version = version;
        field_number(d->fields, "version", version, name_of_version); // in place of the one that middleboxes are shown
        return NULL;
    }
    json_object_del(d->fields, "version");
    field_number(d->fields, "legacy_version", d->version, name_of_version);
    return octets_vector(&content, 1, &list) && content.len == 0 &&
                   decode_names(d, "versions", list, 2, name_of_version)
               ? NULL
               : bad;
}

static const char *key_share(struct decoding *d, unsigned message, struct span content)
{
    static const char bad[] = "key_share cannot be read";
    uint32_t group = 0;
    struct span list;
    struct span share;
    if (message == MESSAGE_SERVER_HELLO) {
        if (!take_number(d, "group", &content, 2, &group)) {
            return bad;
        }
        field_number(d->fields, d->retry ? "group_wanted" : "group", group, name_of_group);
        if (!d->retry) {
            if (!take_vector(d, "key_exchange", &content, 2, &share)) {
                return bad;
            }
            field_hex(d->fields, "key_share", share);
        }
        return content.len == 0 ? NULL : bad;
    }
    json_t *shares = json_array();
    json_object_set_new(d->fields, "key_shares", shares);
    if (!open_vector(d, "client_shares", &content, 2, &list) || content.len > 0) {
        return bad;
    }
    while (list.len > 0 && json_array_size(shares) < ENTRIES_MOST) {
        if (!take_number(d, "group", &list, 2, &group) || !take_vector(d, "key_exchange", &list, 2, &share)) {
            return bad;
        }
        list_number(shares, group, 2, name_of_group);
    }
    return NULL;
}

static const char *pre_shared_key(struct decoding *d, unsigned message, struct span content)
{
    static const char bad[] = "pre_shared_key cannot be read";
    struct span identities;
    struct span identity;
    struct span binders;
    uint32_t number = 0;
    if (message == MESSAGE_SERVER_HELLO) {
        if (!octets_number(&content, 2, &number) || content.len > 0) {
            return bad;
        }
        d->selected_key = true;
        field_printf(d->fields, "pre_shared_key", "the client's, number %u", (unsigned)number + 1);
        return NULL;
    }
    if (!open_vector(d, "identities", &content, 2, &identities)) {
        return bad;
    }
    json_t *tickets = json_array();
    json_object_set_new(d->fields, "pre_shared_keys", tickets);
    while (identities.len > 0 && json_array_size(tickets) < ENTRIES_MOST) {
        char text[48];
        if (!take_vector(d, "identity", &identities, 2, &identity) ||
            !take_number(d, "obfuscated_ticket_age", &identities, 4, &number)) {
            return bad;
        }
        snprintf(text, sizeof text, "a ticket of %zu octets", identity.len);
        json_array_append_new(tickets, json_string(text));
    }
    return take_vector(d, "binders", &content, 2, &binders) && content.len == 0 ? NULL : bad;
}

static const char *key_modes(struct decoding *d, unsigned message, struct span content)
{
    struct span list;
    (void)message;
    return octets_vector(&content, 1, &list) && content.len == 0 &&
                   decode_names(d, "psk_key_exchange_modes", list, 1, name_of_key_mode)
               ? NULL
               : "psk_key_exchange_modes cannot be read";
}

static const char *session_ticket(struct decoding *d, unsigned message, struct span content)
{
    if (message == MESSAGE_CLIENT_HELLO && content.len > 0) {
        field_hex(d->fields, "session_ticket", content);
    } else {
        field_text(d->fields, "session_ticket", message == MESSAGE_CLIENT_HELLO ? "wanted" : "will follow");
    }
    return NULL;
}

static const char *early_data(struct decoding *d, unsigned message, struct span content)
{
    uint32_t most = 0;
    d->early_data = true;
    if (message == MESSAGE_NEW_SESSION_TICKET) {
        if (!octets_number(&content, 4, &most)) {
            return "early_data cannot be read";
        }
        field_printf(d->fields, "early_data", "up to %u octets", (unsigned)most);
        return NULL;
    }
    field_text(d->fields, "early_data", message == MESSAGE_CLIENT_HELLO ? "offered" : "accepted");
    return NULL;
}

static const char *extended_master_secret(struct decoding *d, unsigned message, struct span content)
{
    (void)content;
    field_text(d->fields, "extended_master_secret", message == MESSAGE_CLIENT_HELLO ? "offered" : "agreed");
    return NULL;
}

static const char *certificate_authorities(struct decoding *d, unsigned message, struct span content)
{
    struct span list;
    (void)message;
    if (!open_vector(d, "authorities", &content, 2, &list) || content.len > 0) {
        return "certificate_authorities cannot be read";
    }
    decode_authorities(d, list);
    return NULL;
}

static const struct {
    unsigned type;
    reader *read;
} readers[] = {
    {0, server_name},
    {10, groups},
    {13, schemes},
    {16, alpn},
    {23, extended_master_secret},
    {35, session_ticket},
    {41, pre_shared_key},
    {42, early_data},
    {43, versions},
    {45, key_modes},
    {47, certificate_authorities},
    {50, schemes_of_certificates},
    {51, key_share},
};

// What its reader does not take apart is marked as a whole.
static void extension(struct decoding *d, unsigned message, const uint8_t *from, unsigned type, struct span content)
{
    struct explain_message *m = d->message;
    const char *problem = NULL;
    const char *name = name_of_extension(type);
    size_t before = m->mark_count;
    mark_taken(d, name != NULL ? name : "extension", from, content);
    size_t after = m->mark_count;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (readers[i].type == type) {
            problem = readers[i].read(d, message, content);
        }
    }
    if (after > before && m->mark_count == after) {
        m->marks[before].len += content.len;
    }
    if (problem != NULL) {
        decode_fail(d, problem);
    }
}

void decode_extensions(struct decoding *d, unsigned message, struct span extensions)
{
    json_t *names = json_array();
    uint32_t type = 0;
    struct span content;
    json_object_set(d->fields, "extensions", names);
    while (extensions.len > 0 && d->problem == NULL) {
        const uint8_t *from = extensions.data;
        if (!octets_number(&extensions, 2, &type) || !octets_vector(&extensions, 2, &content)) {
            decode_fail(d, "it ends in an extension");
        } else if (json_array_size(names) == EXTENSIONS_MOST) {
            decode_fail(d, "it has too many extensions");
        } else {
            list_number(names, type, 2, name_of_extension);
            extension(d, message, from, type, content);
        }
    }
    json_decref(names);
}
