// SPDX-License-Identifier: Apache-2.0
#include "ca/hash_dir.h"

#include "base/name_text.h"
#include "base/pem.h"
#include "ca/certificate.h"

#include <ctype.h>
#include <dirent.h>
#include <mbedtls/asn1.h>
#include <mbedtls/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Lower case, no space at either end, one space where there were several. ASCII only; other octets stay.
static void fold(struct span text, struct buf *out)
{
    bool gap = false;
    for (size_t i = 0; i < text.len; i++) {
        if (isspace(text.data[i])) {
            gap = out->len > 0;
            continue;
        }
        if (gap) {
            buf_add(out, " ", 1);
        }
        gap = false;
        uint8_t c = (uint8_t)tolower(text.data[i]);
        buf_add(out, &c, 1);
    }
}

static void add_value(const struct der_item *value, struct buf *out)
{
    struct buf folded = {0};
    switch (value->tag) {
    case MBEDTLS_ASN1_UTF8_STRING:
    case MBEDTLS_ASN1_PRINTABLE_STRING:
    case MBEDTLS_ASN1_IA5_STRING:
        fold(value->content, &folded);
        der_wrap(out, MBEDTLS_ASN1_UTF8_STRING, buf_span(&folded));
        break;
    default: buf_add(out, value->whole.data, value->whole.len); break;
    }
    buf_clear(&folded);
}

static void add_attribute(const struct name_attribute *attribute, struct buf *set)
{
    struct buf pair = {0};
    der_wrap(&pair, MBEDTLS_ASN1_OID, attribute->type);
    add_value(&attribute->value, &pair);
    der_wrap(set, TAG_SEQUENCE, buf_span(&pair));
    buf_clear(&pair);
}

int hash_dir_name_hash(struct span name, uint32_t *hash, struct err *e)
{
    struct name_attributes list = {0};
    struct buf set = {0};
    struct buf canonical = {0};
    uint8_t digest[20] = {0};
    int rc = name_attributes_read(&list, name, e);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        add_attribute(&list.items[i], &set);
        if (i + 1 == list.count || list.items[i + 1].first) {
            der_wrap(&canonical, TAG_SET, buf_span(&set));
            buf_clear(&set);
        }
    }
    if (rc == 0) {
        rc = mbedtls_sha1(canonical.data, canonical.len, digest);
        rc = rc == 0 ? 0 : err_mbedtls(e, rc, "hashing a name");
    }
    name_attributes_clear(&list);
    buf_clear(&set);
    buf_clear(&canonical);
    *hash = (uint32_t)digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16 | (uint32_t)digest[3] << 24;
    return rc;
}

// Several objects of one name are told apart by the number behind it.
static int add(struct hash_dir *dir, struct span name, const char *kind, const char *label, struct span der,
               struct err *e)
{
    uint32_t hash;
    char prefix[32];
    size_t same = 0;
    if (hash_dir_name_hash(name, &hash, e) != 0) {
        return -1;
    }
    int len = snprintf(prefix, sizeof prefix, "%08x.%s", hash, kind);
    for (size_t i = 0; i < dir->count; i++) {
        const char *number = dir->files[i].name + len;
        same += strncmp(dir->files[i].name, prefix, (size_t)len) == 0 && isdigit((unsigned char)*number);
    }
    dir->files = mem_grow(dir->files, &dir->cap, sizeof *dir->files, dir->count + 1);
    struct hash_dir_file *file = &dir->files[dir->count++];
    file->name = mem_printf("%s%zu", prefix, same);
    pem_write(&file->pem, label, der);
    return 0;
}

int hash_dir_add_certificate(struct hash_dir *dir, struct span der, struct err *e)
{
    struct certificate_parts parts;
    return certificate_split(der, &parts, e) == 0 ? add(dir, parts.subject, "", "CERTIFICATE", der, e) : -1;
}

int hash_dir_add_crl(struct hash_dir *dir, struct span der, struct err *e)
{
    struct span rest = der;
    struct der_item list;
    struct der_item tbs;
    struct der_item item; // version (OPTIONAL), signature, then the issuer
    if (der_expect(&rest, TAG_SEQUENCE, "CertificateList", &list, e) != 0 ||
        der_expect(&list.content, TAG_SEQUENCE, "TBSCertList", &tbs, e) != 0) {
        return -1;
    }
    do {
        if (der_next(&tbs.content, &item, e) != 0) {
            return -1;
        }
    } while (item.tag == MBEDTLS_ASN1_INTEGER);
    if (der_next(&tbs.content, &item, e) != 0) {
        return -1;
    }
    return add(dir, item.whole, "r", "X509 CRL", der, e);
}

static bool listed(const struct hash_dir *dir, const char *name)
{
    for (size_t i = 0; i < dir->count; i++) {
        if (strcmp(dir->files[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

// "xxxxxxxx.0" and "xxxxxxxx.r0" are ours; what else somebody put there is not.
static bool is_hash_name(const char *name)
{
    size_t hex = strspn(name, "0123456789abcdef");
    const char *number = name + hex + (name[hex] == '.') + (name[hex] == '.' && name[hex + 1] == 'r');
    return hex == 8 && name[8] == '.' && isdigit((unsigned char)*number);
}

static void remove_stale(const struct hash_dir *dir, bool really, const char *path, size_t *changed)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (is_hash_name(entry->d_name) && !listed(dir, entry->d_name)) {
            if (really) {
                unlinkat(dirfd(folder), entry->d_name, 0);
            }
            (*changed)++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

int hash_dir_put(const struct hash_dir *dir, struct file_batch *batch, const char *path, size_t *changed, struct err *e)
{
    remove_stale(dir, batch != NULL, path, changed);
    for (size_t i = 0; i < dir->count; i++) {
        char *file = mem_printf("%s/%s", path, dir->files[i].name);
        int rc = file_put(batch, file, buf_span(&dir->files[i].pem), FILE_PUBLIC, changed, e);
        free(file);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

void hash_dir_clear(struct hash_dir *dir)
{
    for (size_t i = 0; i < dir->count; i++) {
        free(dir->files[i].name);
        buf_clear(&dir->files[i].pem);
    }
    free(dir->files);
    *dir = (struct hash_dir){0};
}
