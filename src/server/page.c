// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/text.h"
#include "server/explained.h"
#include "server/pages.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>mtls: who you are</title>\n<style>\n"
    ":root{--ground:#f4f3ef;--card:#fff;--ink:#1c2126;--soft:#656d76;--line:#e3e1da;--good:#0a6e4f;--tint:#e4f3ec}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#121518;--card:#1b1f24;--ink:#e6e8ea;--soft:#98a1aa;"
    "--line:#2c3239;--good:#5fd0a4;--tint:#17322a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);"
    "color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main{width:100%;max-width:46rem;background:var(--card);border:1px solid var(--line);border-radius:16px;"
    "overflow:hidden;box-shadow:0 1px 2px #0001,0 12px 40px #0001}\n"
    "header{display:flex;gap:1.1rem;align-items:center;padding:1.6rem 1.8rem;background:var(--tint);"
    "border-bottom:1px solid var(--line)}\n"
    "header svg{flex:none;width:44px;height:44px;color:var(--good)}\n"
    "h1{margin:0;font-size:1.4rem;line-height:1.25;overflow-wrap:anywhere}\n"
    "header p{margin:.2rem 0 0;color:var(--soft)}\n"
    "dl{margin:0;padding:.6rem 1.8rem 1.2rem;display:grid;grid-template-columns:minmax(7rem,auto) 1fr}\n"
    "dt,dd{padding:.6rem 0;border-bottom:1px solid var(--line)}\n"
    "dt{color:var(--soft);padding-right:1.6rem}\ndd{margin:0;overflow-wrap:anywhere}\n"
    "dl>:nth-last-child(-n+2){border-bottom:0}\n"
    "code{font:.88em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n"
    ".tag{display:inline-block;margin:0 .45rem .15rem 0;padding:0 .5em;border:1px solid var(--line);"
    "border-radius:6px;background:var(--ground)}\n"
    ".tag i{font-style:normal;color:var(--soft);margin-right:.4em}\n"
    "@media(max-width:34rem){dl{grid-template-columns:1fr}dt{border:0;padding-bottom:0}"
    "dl>:nth-last-child(2){border:0}}\n"
    "section{padding:0 1.8rem 1.6rem;border-top:1px solid var(--line)}\n"
    "h2{margin:1.3rem 0 .2rem;font-size:1.1rem}\nsection p{margin:0 0 1rem;color:var(--soft)}\n"
    "section svg{display:block;width:100%;height:auto}\n"
    "</style>\n</head>\n<body>\n<main>\n<header>\n"
    "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.7\" stroke-linecap=\"round\" "
    "stroke-linejoin=\"round\" aria-hidden=\"true\"><path d=\"M12 2.8 4.5 5.6v5.7c0 4.6 3.1 8.2 7.5 9.9 4.4-1.7 "
    "7.5-5.3 7.5-9.9V5.6z\"/><path d=\"m8.6 12 2.4 2.4 4.5-4.8\"/></svg>\n";

static void row(struct buf *html, const char *label, const char *value, bool is_code)
{
    buf_printf(html, "<dt>%s</dt><dd>%s", label, is_code ? "<code>" : "");
    text_html(html, value[0] != '\0' ? value : "(empty)");
    buf_printf(html, "%s</dd>\n", is_code ? "</code>" : "");
}

static void names_row(struct buf *html, const struct trust_identity *who)
{
    buf_text(html, "<dt>Names</dt><dd>");
    for (size_t i = 0; i < who->name_count; i++) {
        buf_printf(html, "<code class=\"tag\"><i>%s</i>", trust_name_word(who->names[i].type));
        text_html(html, who->names[i].text);
        buf_text(html, "</code>");
    }
    buf_text(html, who->name_count == 0 ? "none</dd>\n" : "</dd>\n");
}

void page_identity(const struct visitor *visitor, struct buf *html)
{
    const struct trust_identity *who = visitor->who;
    char from[CLOCK_TEXT];
    char to[CLOCK_TEXT];
    struct buf line = {0};
    buf_text(html, head);
    buf_text(html, "<div><h1>You are ");
    text_html(html, who->subject[0] != '\0' ? who->subject : who->name_count > 0 ? who->names[0].text : "verified");
    buf_text(html, "</h1><p>Your certificate and its key were verified before a byte of this page was sent.</p></div>\n"
                   "</header>\n<dl>\n");
    row(html, "Subject", who->subject, false);
    names_row(html, who);
    row(html, "Issued by", who->issuer, false);
    buf_printf(&line, "%s to %s", clock_rfc3339(who->not_before, from), clock_rfc3339(who->not_after, to));
    row(html, "Valid", (const char *)line.data, false);
    row(html, "Serial", who->serial, true);
    row(html, "SHA-256", who->fingerprint, true);
    line.len = 0;
    buf_printf(&line, "%s, %s%s", who->tls_version, visitor->cipher, who->resumed ? ", resumed" : "");
    row(html, "Connection", (const char *)line.data, false);
    row(html, "From", visitor->address, true);
    buf_text(html, "</dl>\n");
    if (visitor->recording != NULL) {
        buf_text(html, "<section><h2>Your handshake</h2><p>What your client and this server said to each other before "
                       "this page, as it was.</p>\n");
        explained_draw(visitor->recording, html);
        buf_text(html, "</section>\n");
    }
    buf_text(html, "</main>\n</body>\n</html>\n");
    buf_clear(&line);
}
