// SPDX-License-Identifier: Apache-2.0
// All the SQL that is fixed: the tables with their indexes, and beside them the statements that the indexes are for.
// Only db_list puts its statement together when it is called.
#include "ca/db_internal.h"

// The numbers of enum role, enum origin and enum revocation_reason are what is stored: they never change their meaning.
_Static_assert(ROLE_AUTHORITY == 0 && ROLE_FLAW == 3 && ROLE_COUNT == 4, "the schema spells roles as numbers");
_Static_assert(ORIGIN_PLAN == 0 && ORIGIN_COMMAND == 1, "the schema spells origins as numbers");
_Static_assert(DB_APPLICATION == 1836346483, "the schema spells it so");

const char *const db_schema[DB_VERSION] = {
    "CREATE TABLE certificate ("
    " id INTEGER PRIMARY KEY,"
    " role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 3),"
    " origin INTEGER NOT NULL CHECK (origin IN (0, 1)),"
    " name TEXT NOT NULL CHECK (name <> ''),"
    " issuer_id INTEGER REFERENCES certificate (id)," // NULL: itself, or nobody we keep
    " serial BLOB NOT NULL,"
    " subject TEXT NOT NULL,"
    " fingerprint TEXT NOT NULL CHECK (length(fingerprint) = 64),"
    " key_id TEXT NOT NULL CHECK (length(key_id) <= 40),"
    " not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " spec TEXT NOT NULL,"
    " key_file_digest TEXT NOT NULL,"
    " current INTEGER NOT NULL CHECK (current IN (0, 1)),"
    " issued_at INTEGER NOT NULL,"
    " revoked_at INTEGER CHECK (revoked_at > 0)," // NULL: not revoked, and then all of the next four
    // RFC 5280 section 5.3.1 without removeFromCRL, which only delta lists may say.
    " reason INTEGER CHECK (reason IN (0, 1, 2, 3, 4, 5, 6, 9, 10)),"
    " invalidity_date INTEGER CHECK (invalidity_date >= 0),"
    " revoked_by INTEGER CHECK (revoked_by IN (0, 1)),"
    " first_list INTEGER," // the number of the issuer's first list that has the revocation
    " der BLOB NOT NULL,"
    " CHECK ((reason IS NULL) = (revoked_at IS NULL)),"
    " CHECK ((revoked_by IS NULL) = (revoked_at IS NULL)),"
    " CHECK ((first_list IS NULL) = (revoked_at IS NULL))"
    ") STRICT;"

    // RFC 5280 section 4.1.2.2: a serial is unique for its issuer. Flaws break that on purpose.
    "CREATE UNIQUE INDEX certificate_issuer_serial ON certificate (ifnull(issuer_id, 0), serial) WHERE role <> 3;"
    "CREATE INDEX certificate_issuer ON certificate (issuer_id);"
    "CREATE INDEX certificate_serial ON certificate (serial);"
    "CREATE INDEX certificate_fingerprint ON certificate (fingerprint);"
    "CREATE INDEX certificate_name ON certificate (role, name);"
    "CREATE UNIQUE INDEX certificate_current ON certificate (role, name) WHERE current = 1;"
    "CREATE INDEX certificate_revoked ON certificate (issuer_id, revoked_at) WHERE revoked_at IS NOT NULL;"

    // A trigger, so that the old one stays current when the new one is refused.
    "CREATE TRIGGER certificate_replaces BEFORE INSERT ON certificate WHEN NEW.current = 1 BEGIN"
    " UPDATE certificate SET current = 0 WHERE role = NEW.role AND name = NEW.name AND current = 1;"
    "END;"

    // A dropped list leaves its number behind: RFC 5280 section 5.2.3 wants numbers that only rise.
    "CREATE TABLE crl ("
    " issuer_id INTEGER PRIMARY KEY REFERENCES certificate (id),"
    " number INTEGER NOT NULL CHECK (number > 0),"
    " this_update INTEGER,"
    " next_update INTEGER,"
    " der BLOB,"
    " CHECK ((this_update IS NULL) = (der IS NULL)),"
    " CHECK ((next_update IS NULL) = (der IS NULL))"
    ") STRICT;"

    "CREATE TABLE fact (name TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    "PRAGMA application_id = 1836346483;"
    "PRAGMA user_version = 1;",
};

#define COMMA_PARAMETER(name) ", ?"

const char *const db_sql[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    [SQL_ADD] = "INSERT INTO certificate (id" RECORD_COLUMNS(SQL_COMMA_NAME) ") VALUES (NULL" RECORD_COLUMNS(
        COMMA_PARAMETER) ")",
    [SQL_RETIRE] = "UPDATE certificate SET current = 0 WHERE role = ?1 AND name = ?2 AND current = 1",
    [SQL_SET_KEY_FILE_DIGEST] = "UPDATE certificate SET key_file_digest = ?2 WHERE id = ?1",

    [SQL_FIND_CURRENT] = SQL_SELECT_RECORD " WHERE role = ?1 AND name = ?2 AND current = 1",
    [SQL_FIND_ID] = SQL_SELECT_RECORD " WHERE id = ?1",
    // The same bytes may be on record twice (a flaw made again from one seed): the newest counts.
    [SQL_FIND_FINGERPRINT] = SQL_SELECT_RECORD " WHERE fingerprint = ?1 ORDER BY id DESC LIMIT 1",
    [SQL_FIND_SERIAL] = SQL_SELECT_RECORD " WHERE serial = ?1 LIMIT 2",

    [SQL_REVOKE] = "UPDATE certificate SET revoked_at = ?2, reason = ?3, invalidity_date = ?4, revoked_by = ?5,"
                   " first_list = 1 + ifnull((SELECT number FROM crl WHERE crl.issuer_id = certificate.issuer_id), 0)"
                   " WHERE id = ?1 AND revoked_at IS NULL",
    // RFC 5280 section 3.3: an entry stays until it was on one list issued after its certificate had expired. The
    // issuer's last list is such a one if it is younger than the certificate's end and the revocation is on it. `at`
    // counts too, because on a clock that was set back the certificate may be valid again.
    [SQL_REVOKED] = "SELECT serial, revoked_at, reason, invalidity_date"
                    " FROM certificate LEFT JOIN crl USING (issuer_id)"
                    " WHERE certificate.issuer_id = ?1 AND revoked_at IS NOT NULL"
                    " AND (this_update IS NULL OR not_after >= min(this_update, ?2) OR first_list > number)"
                    " ORDER BY revoked_at, id",

    [SQL_CRL_NEXT_NUMBER] = "SELECT 1 + ifnull((SELECT number FROM crl WHERE issuer_id = ?1), 0)",
    [SQL_CRL_PUT] = "INSERT INTO crl (issuer_id, number, this_update, next_update, der) VALUES (?1, ?2, ?3, ?4, ?5)"
                    " ON CONFLICT (issuer_id) DO UPDATE SET number = excluded.number,"
                    " this_update = excluded.this_update, next_update = excluded.next_update, der = excluded.der"
                    " WHERE excluded.number > crl.number",
    [SQL_CRL_FIND] = SQL_SELECT_CRL " WHERE issuer_id = ?1 AND der IS NOT NULL",
    [SQL_CRL_DROP] = "UPDATE crl SET this_update = NULL, next_update = NULL, der = NULL WHERE issuer_id = ?1",

    [SQL_FACT_GET] = "SELECT text FROM fact WHERE name = ?1",
    [SQL_FACT_SET] = "INSERT OR REPLACE INTO fact (name, text) VALUES (?1, ?2)",
};
